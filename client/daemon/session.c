/* One session at a time, with one broker.
 *
 * Receiving: guard -> link machine -> exchange/intake -> (ledger committed) -> credit goes back. Sending: what the
 * outbox holds, in order, as far as credit and the socket let it; after a reconnect everything that is not settled
 * goes again, and the broker answers duplicates with the first answer. A frame that was made but could not be sent yet
 * is kept in `held`: the head it carries has already been counted as told. */
#include "client/daemon/session.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/words.h"
#include "client/exchange/keys.h"
#include "client/exchange/node_clock.h"
#include "proto/guard.h"

#define INTAKE_ARENA_BYTES (8 * (size_t)LIMIT_ARENA_BYTES)
#define BATCH_ARENA_BYTES  ((size_t)LIMIT_ARENA_BYTES) /* what frames that wait may take of it */
#define FRAMES_A_WAKE      256                         /* then timers and signals get their turn */

/* Parts of the board that wait together are stored together. They are what has come: nothing is waited for, and at most
 * half of what the broker may have under way, so that it goes on sending while we write. */
#define BATCH_FRAMES       64u
#define BATCH_RECORDS      (CREDIT_RECORDS / 2)
#define BATCH_BYTES        (CREDIT_BYTES / 2)
#define FRAMES_SENT_A_WAKE 256

struct waiting_board {
  zmq_msg_t message; /* what is read from it points into it */
  const Collega__FromBroker *frame;
  struct frame_cost cost;
};

struct node_link {
  struct exchange *exchange;
  struct link_context *context;
  struct link_socket *socket;
  struct node_session session;
  struct told_head told;
  struct arena *arena; /* of one frame, or of those that wait in `boards` */
  struct waiting_board boards[BATCH_FRAMES];
  size_t board_count;
  int64_t spread_ms;
  struct id joiner; /* whose Join it is, while joining */
  collega_time joiner_expires;
  int64_t joiners_at;  /* monotonic: when to look for hosted parties that wait for a certificate */
  uint32_t joins_lost; /* Joins of theirs in a row that led nowhere */
  bool member;         /* joined before: a token renews, or is a hosted party's */
  bool settled;        /* receipts came: one may be that of a card */
  bool joining, joined, join_refused, welcomed, behind, hello_due;
  enum rule told_why; /* what the broker said last about the session as a whole */
  bool superseded;    /* another instance of this home has connected: this one stays away */
  struct collega_error join_error;
  uint32_t link_card;    /* whose link key this session was opened with */
  uint32_t key_turn;     /* refused handshakes since the last Welcome: which link key comes next */
  uint32_t address;      /* which of the broker's addresses comes next */
  uint64_t sent_through; /* last outbox number sent in this session */
  struct buffer held;    /* a frame that waits for credit or room */
  uint32_t held_records;
  struct node_clock clock; /* what the last Welcome said about ours */
  collega_time asked;      /* when Hello went, by the machine's clock */
  struct node_state state;
};

enum collega_status node_link_open(struct exchange *exchange, struct link_context *context,
                                   int64_t spread_ms, struct node_link **out,
                                   struct collega_error *error) {
  struct node_link *link = calloc(1, sizeof *link);
  if (link) link->arena = arena_new(65536, INTAKE_ARENA_BYTES);
  if (!link || !link->arena) {
    free(link);
    return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  }
  link->exchange = exchange;
  link->context = context;
  link->spread_ms = spread_ms;
  buffer_init(&link->held, 2 * (size_t)LIMIT_FRAME_BYTES);
  node_clock_read(ledger_home(exchange_ledger(exchange)), &link->clock);
  *out = link;
  return COLLEGA_OK;
}

static void drop_boards(struct node_link *link) {
  for (size_t i = 0; i < link->board_count; i++)
    zmq_msg_close(&link->boards[i].message);
  link->board_count = 0;
}

void node_link_close(struct node_link **link) {
  if (!link || !*link) return;
  drop_boards(*link);
  link_socket_close(&(*link)->socket);
  buffer_free(&(*link)->held);
  arena_destroy(&(*link)->arena);
  free(*link);
  *link = NULL;
}

int node_link_poll(struct node_link *link, zmq_pollitem_t items[2]) {
  if (!link->socket) return 0;
  link_socket_poll(link->socket, items);
  return 2;
}

static uint32_t random_for(const struct node_link *link) {
  uint32_t random = randombytes_random();
  int64_t spread = link->spread_ms < RECONNECT_SPREAD_MS ? link->spread_ms : RECONNECT_SPREAD_MS;
  return (uint32_t)((uint64_t)random * (uint64_t)spread / (uint64_t)RECONNECT_SPREAD_MS);
}

/* By which everything is judged and signed. Timers take clock_monotonic() instead. */
static collega_time time_now(const struct node_link *link) {
  return node_clock_time(&link->clock);
}

static void tell_state(struct node_link *link, bool connected) {
  if (link->state.connected == connected && link->state.behind == link->behind) return;
  link->state.connected = connected;
  link->state.behind = link->behind;
  link->state.since = time_now(link);
  struct collega_error error;
  if (node_state_write(ledger_home(exchange_ledger(link->exchange)), &link->state, &error) !=
      COLLEGA_OK)
    log_warning("state_not_written", "rule=%s", rule_name(error.rule));
}

static void forget_socket(struct node_link *link) {
  link_socket_close(&link->socket);
  link->welcomed = false;
  link->hello_due = false;
  link->sent_through = 0;
  link->held.length = 0;
  link->told_why = RULE_NONE;
  link->told = (struct told_head){0};
  tell_state(link, false);
}

static void renew(struct node_link *link) {
  forget_socket(link);
  node_session_start(&link->session, false, clock_monotonic());
}

void node_link_set_spread(struct node_link *link, int64_t spread_ms) {
  link->spread_ms = spread_ms;
}

void node_link_renew(struct node_link *link) {
  if (link->socket && !link->joining) renew(link);
}

#define JOINERS_EVERY_MS SECOND_MS /* a command that adds one waits for it */
#define JOINERS_MOST_MS  MINUTE_MS /* after Joins that led nowhere */
#define JOINERS_DOUBLED  6         /* times, from JOINERS_EVERY_MS to beyond the most */

/* A hosted party comes in, or the certificate of a member is renewed: the home has a session of its own beside it. */
static bool joins_beside(const struct node_link *link) {
  return link->joining && link->member;
}

/* The home's own session comes next. */
static void stop_joining(struct node_link *link, int64_t pause_ms) {
  link->joining = false;
  link->joiners_at = clock_monotonic() + pause_ms;
}

/* A Join that led nowhere: the home's own session goes first. It may have been the network, and a command may wait for
 * the answer, so the next one comes soon; one that never leads anywhere comes ever more seldom. */
static void put_off_joining(struct node_link *link) {
  int64_t pause = JOINERS_EVERY_MS << link->joins_lost;
  if (link->joins_lost < JOINERS_DOUBLED) link->joins_lost++;
  stop_joining(link, pause < JOINERS_MOST_MS ? pause : JOINERS_MOST_MS);
}

static void refuse_joiner(struct node_link *link, const struct collega_error *why) {
  link->join_refused = true;
  link->join_error = *why;
  log_warning("join_refused", "rule=%s", rule_name(why->rule));
  party_invitation_refused(link->exchange, &link->joiner, why);
}

/* The broker does not let the key in any more, and does not say why. False: it is tried again. */
static bool refuse_expired(struct node_link *link) {
  struct collega_error why;
  char time[40];
  if (link->joiner_expires > time_now(link)) return false;
  time_write(time, sizeof time, link->joiner_expires);
  error_set(&why, COLLEGA_REFUSED, RULE_invitation_expired, NULL, time, NULL);
  refuse_joiner(link, &why);
  return true;
}

static void lose(struct node_link *link, enum rule why) {
  if (why == RULE_link_lost && link->told_why != RULE_NONE) why = link->told_why;
  if (link->joining && why == RULE_link_handshake) why = RULE_invitation_not_let_in;
  if (joins_beside(link)) {
    if (refuse_expired(link))
      stop_joining(link, 0); /* another token may come at once */
    else
      put_off_joining(link);
  } else if (why == RULE_invitation_not_let_in) {
    refuse_expired(link);
  }
  log_info("link_lost", "why=%s", rule_name(why));
  link->state.problem = why;
  link->state.connected = true; /* so that the reason is written even if we never were */
  node_session_lost(&link->session, clock_monotonic(), random_for(link));
  forget_socket(link);
}

/* ---- sending */

static bool send_cost(struct node_link *link, struct bytes frame,
                      const Collega__ToBroker *message) {
  struct frame_cost cost = cost_to_broker(message, frame.length);
  return node_session_may_send(&link->session, cost) && link_socket_send(link->socket, frame);
}

static bool send_message(struct node_link *link, const Collega__ToBroker *message) {
  struct bytes frame = message_pack(&message->base, link->arena);
  return frame.data && send_cost(link, frame, message);
}

static void send_credit(struct node_link *link, struct credit credit) {
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  Collega__Credit message = COLLEGA__CREDIT__INIT;
  message.records = (uint32_t)credit.records;
  message.bytes = (uint32_t)credit.bytes;
  frame.credit = &message;
  if (!send_message(link, &frame)) lose(link, RULE_link_lost);
}

/* A frame the exchange packed: costs are judged on what it is. */
static bool send_packed(struct node_link *link, struct bytes frame) {
  ProtobufCMessage *message = NULL;
  if (guard_unpack(&collega__to_broker__descriptor, frame, link->arena, &message, NULL) !=
      COLLEGA_OK)
    return false;
  return send_cost(link, frame, (const Collega__ToBroker *)message);
}

static void pump_held(struct node_link *link) {
  if (link->held.length == 0) return;
  arena_reset(link->arena);
  if (send_packed(link, bytes_of(link->held.data, link->held.length))) link->held.length = 0;
}

static void pump_outbox(struct node_link *link, collega_time now) {
  for (int i = 0; i < FRAMES_SENT_A_WAKE && link->socket; ++i) {
    pump_held(link);
    if (link->held.length) return;
    arena_reset(link->arena);
    struct bytes frame = {0};
    uint64_t number = 0;
    struct collega_error error;
    if (exchange_next_frame(link->exchange, link->sent_through, now, &link->told, link->arena,
                            &frame, &link->held_records, &number, &error) != COLLEGA_OK) {
      log_warning("outbox_failed", "rule=%s", rule_name(error.rule));
      return;
    }
    if (number == 0) return;
    fault_point(FAULT_node_send_before);
    link->sent_through = number;
    buffer_append(&link->held, frame.data, frame.length);
    pump_held(link);
    fault_point(FAULT_node_send_after);
  }
}

static void sign_and_send(struct node_link *link, collega_time now) {
  uint32_t signed_acts = 0;
  struct collega_error error;
  if (exchange_sign(link->exchange, now, link->welcomed && !link->behind, &signed_acts, &error) !=
      COLLEGA_OK)
    log_warning("signing_failed", "rule=%s field=%s", rule_name(error.rule), error.field);
  if (link->socket && link->welcomed && !link->behind) pump_outbox(link, now);
}

/* ---- receiving */

/* What differs by less was written well enough. */
#define CLOCK_NEWS_MS SECOND_MS

static void write_clock(struct node_link *link) {
  const char *home = ledger_home(exchange_ledger(link->exchange));
  struct node_clock before;
  struct collega_error error;
  node_clock_read(home, &before);
  int64_t news = link->clock.difference - before.difference;
  if (before.measured && news > -CLOCK_NEWS_MS && news < CLOCK_NEWS_MS) return;
  if (node_clock_write(home, &link->clock, &error) != COLLEGA_OK)
    log_warning("clock_not_written", "rule=%s", rule_name(error.rule));
}

/* Before anything else of a session is judged by a time. False: the clocks are so far apart that nothing may be. */
static bool take_time(struct node_link *link, const Collega__Welcome *welcome) {
  node_clock_measure(&link->clock, link->asked, clock_now(), welcome->time);
  write_clock(link);
  return !node_clock_wrong(&link->clock);
}

static void after_welcome(struct node_link *link) {
  link->welcomed = true;
  link->key_turn = 0;
  link->state.problem = link->behind ? RULE_node_behind : RULE_NONE;
  tell_state(link, true);
  log_info("welcomed", "clock_difference_ms=%" PRId64 " behind=%d", link->clock.difference,
           link->behind);
  struct bytes frame = {0};
  struct collega_error error;
  if (exchange_follow(link->exchange, link->arena, &frame, &error) != COLLEGA_OK ||
      !send_packed(link, frame))
    lose(link, RULE_link_lost);
}

/* What the broker cannot do now it may do later: the token is kept. */
static bool is_for_now(Collega__RefusalCode code) {
  return code == COLLEGA__REFUSAL_CODE__REFUSAL_CODE_QUOTA ||
         code == COLLEGA__REFUSAL_CODE__REFUSAL_CODE_FULL;
}

static void take_join_refusal(struct node_link *link, const Collega__Refusal *refusal) {
  const char *arguments[COLLEGA_ERROR_ARGUMENTS] = {0};
  struct collega_error why;
  for (size_t i = 0; i < refusal->n_arguments && i < COLLEGA_ERROR_ARGUMENTS; ++i)
    arguments[i] = refusal->arguments[i];
  error_set(&why, COLLEGA_REFUSED, rule_from_name(refusal->rule), refusal->field, arguments[0],
            arguments[1], arguments[2], arguments[3], NULL);
  if (is_for_now(refusal->code)) {
    lose(link, why.rule);
    return;
  }
  refuse_joiner(link, &why);
  stop_joining(link, 0); /* its token is gone: the next one may come at once */
  forget_socket(link);
  node_session_start(&link->session, false, clock_monotonic());
}

static void take_frame(struct node_link *link, const Collega__FromBroker *frame,
                       struct bytes packed, struct frame_cost cost, collega_time now) {
  struct intake_outcome outcome = {0};
  struct collega_error error;
  error_clear(&error);
  enum collega_status status =
      intake_frame(link->exchange, frame, packed, now, &link->told, link->arena, &outcome, &error);
  if (status != COLLEGA_OK) {
    log_warning("frame_refused", "field_number=%u rule=%s field=%s", cost.field,
                rule_name(error.rule), error.field);
    lose(link, error.rule);
    return;
  }
  if (outcome.welcomed) link->behind = outcome.behind;
  link->settled = link->settled || frame->receipts || frame->welcome;
  if (frame->welcome) after_welcome(link);
  if (!link->socket) return;
  if (outcome.frame_due) {
    fault_point(FAULT_node_ack_before);
    if (!send_packed(link, outcome.frame)) {
      lose(link, RULE_link_lost);
      return;
    }
  }
  struct credit credit;
  if (node_session_committed(&link->session, cost, &credit)) send_credit(link, credit);
  if (outcome.caught_up && link->socket) { /* what came beside it comes in the next session */
    log_info("caught_up", "a new session begins");
    link->behind = false;
    renew(link);
  }
  if (outcome.fenced && link->socket) lose(link, RULE_home_went_on);
  if (frame->refusal && !frame->refusal->has_which)
    link->told_why = rule_from_name(frame->refusal->rule);
  if (link->socket && !link->joining && frame->refusal && !frame->refusal->has_which &&
      rule_from_name(frame->refusal->rule) == RULE_session_superseded) {
    link->superseded = true;
    lose(link, RULE_home_elsewhere);
  }
  if (outcome.joined) {
    link->joined = true;
    link->joining = false;
    link->joins_lost = 0;
    log_info("joined", "broker=%s", frame->cert ? frame->cert->name : "");
    renew(link);
  }
  if (link->joining && frame->refusal) take_join_refusal(link, frame->refusal);
}

/* ---- parts of the board: several in one transaction */

/* `taken` of those from `from` on are on the disk: the broker may send as much again. */
static void boards_taken(struct node_link *link, size_t from, size_t taken,
                         const struct intake_outcome *outcome) {
  link->settled = link->settled || taken > 0;
  if (outcome->frame_due) {
    fault_point(FAULT_node_ack_before);
    if (!send_packed(link, outcome->frame)) lose(link, RULE_link_lost);
  }
  for (size_t i = from; link->socket && i < from + taken; i++) {
    struct credit credit;
    if (node_session_committed(&link->session, link->boards[i].cost, &credit))
      send_credit(link, credit);
  }
  if (outcome->caught_up && link->socket) { /* what came beside it comes in the next session */
    log_info("caught_up", "a new session begins");
    link->behind = false;
    renew(link);
  }
}

static void take_boards(struct node_link *link) {
  const Collega__FromBroker *frames[BATCH_FRAMES];
  size_t done = 0;
  for (size_t i = 0; i < link->board_count; i++)
    frames[i] = link->boards[i].frame;
  while (link->socket && done < link->board_count) {
    struct intake_outcome outcome = {0};
    struct collega_error error;
    size_t taken = 0;
    error_clear(&error);
    enum collega_status status =
        intake_boards(link->exchange, frames + done, link->board_count - done, time_now(link),
                      &link->told, link->arena, &taken, &outcome, &error);
    boards_taken(link, done, taken, &outcome);
    done += taken;
    if (status == COLLEGA_OK) continue;
    log_warning("frame_refused", "field_number=%u rule=%s field=%s",
                done < link->board_count ? link->boards[done].cost.field : 0, rule_name(error.rule),
                error.field);
    if (link->socket) lose(link, error.rule);
  }
  drop_boards(link);
}

static bool batch_is_full(const struct node_link *link) {
  uint64_t records = 0, bytes = 0;
  for (size_t i = 0; i < link->board_count; i++) {
    records += link->boards[i].cost.records;
    bytes += link->boards[i].cost.bytes;
  }
  return link->board_count == BATCH_FRAMES || records >= BATCH_RECORDS || bytes >= BATCH_BYTES ||
         arena_used(link->arena) >= BATCH_ARENA_BYTES;
}

/* ---- one frame of any kind */

/* The message stands in the first free place of `boards`; true: it stays there. */
static bool one_frame(struct node_link *link) {
  struct waiting_board *place = &link->boards[link->board_count];
  struct bytes packed = bytes_of(zmq_msg_data(&place->message), zmq_msg_size(&place->message));
  ProtobufCMessage *message = NULL;
  struct collega_error error;
  error_clear(&error);
  if (link->board_count == 0) arena_reset(link->arena);
  if (guard_unpack_borrowing(&collega__from_broker__descriptor, packed, link->arena, &message,
                             &error) != COLLEGA_OK) {
    take_boards(link);
    log_warning("frame_malformed", "rule=%s field=%s", rule_name(error.rule), error.field);
    if (link->socket) lose(link, error.rule);
    return false;
  }
  const Collega__FromBroker *frame = (const Collega__FromBroker *)message;
  struct frame_cost cost = cost_from_broker(frame, packed.length);
  struct link_answer answer = node_session_frame(&link->session, cost, frame, clock_monotonic());
  if (answer.verdict == LINK_TAKE && frame->board) {
    place->frame = frame;
    place->cost = cost;
    link->board_count++;
    return true;
  }
  take_boards(link); /* what comes in order is stored in order */
  if (!link->socket) return false;
  if (answer.verdict != LINK_TAKE) {
    lose(link, answer.rule);
    return false;
  }
  if (answer.send_pong) {
    Collega__ToBroker reply = COLLEGA__TO_BROKER__INIT;
    Collega__Pong pong = COLLEGA__PONG__INIT;
    pong.number = answer.pong;
    reply.pong = &pong;
    if (!send_message(link, &reply)) lose(link, RULE_link_lost);
    return false;
  }
  if (frame->credit || frame->pong) return false;
  if (frame->welcome && !take_time(link, frame->welcome)) {
    log_warning("clocks_apart", "difference_ms=%" PRId64, link->clock.difference);
    lose(link, RULE_clock_wrong);
    return false;
  }
  take_frame(link, frame, packed, cost, time_now(link));
  return false;
}

static void take_events(struct node_link *link) {
  while (link->socket) {
    switch (link_socket_event(link->socket)) {
    case LINK_NOTHING:
      return;
    case LINK_CONNECTED:
      link->hello_due = true;
      break;
    case LINK_LOST:
      lose(link, RULE_link_lost);
      return;
    case LINK_HANDSHAKE_REFUSED:
      if (!link->joining) link->key_turn++;
      lose(link, RULE_link_handshake);
      return;
    }
  }
}

/* False: none waits. */
static bool receive_one(struct node_link *link) {
  zmq_msg_t *message = &link->boards[link->board_count].message;
  bool bad = false;
  zmq_msg_init(message);
  bool any = link_socket_receive(link->socket, message, &bad);
  if (any && !bad && one_frame(link)) {
    if (batch_is_full(link)) take_boards(link);
    return true;
  }
  if (any && bad) {
    take_boards(link);
    if (link->socket) lose(link, RULE_link_parts);
  }
  zmq_msg_close(message);
  return any;
}

void node_link_receive(struct node_link *link) {
  for (int i = 0; i < FRAMES_A_WAKE && link->socket && receive_one(link); ++i)
    continue;
  take_boards(link);
  take_events(link); /* after the frames: what was sent before the end still counts */
}

/* ---- connecting */

static enum collega_status connect_joining(struct node_link *link,
                                           const Collega__Invitation *invitation,
                                           struct collega_error *error) {
  const char *address = invitation->addresses[link->address++ % invitation->n_addresses];
  struct link_peer peer = {address, invitation->link_key.data, invitation->secret.data};
  snprintf(link->state.broker_address, sizeof link->state.broker_address, "%s", address);
  return link_socket_open(link->context, &peer, &link->socket, error);
}

static enum collega_status connect_member(struct node_link *link,
                                          const CollegaStore__BrokerRow *broker,
                                          struct collega_error *error) {
  uint32_t card = 0;
  enum collega_status status = key_link_card(link->exchange, link->key_turn, &card, error);
  if (status != COLLEGA_OK) return status;
  struct identity *identity = exchange_identity(link->exchange, exchange_host(link->exchange));
  const uint8_t *secret = identity ? identity_link_secret_of(identity, card) : NULL;
  if (!secret || broker->n_addresses == 0 || broker->link_key.len != 32)
    return error_set(error, COLLEGA_DAMAGED, RULE_node_identity_missing, NULL, NULL);
  exchange_set_link_card(link->exchange, card);
  link->link_card = card;
  const char *address = broker->addresses[link->address++ % broker->n_addresses];
  struct link_peer peer = {address, broker->link_key.data, secret};
  snprintf(link->state.broker_address, sizeof link->state.broker_address, "%s", address);
  return link_socket_open(link->context, &peer, &link->socket, error);
}

/* Nothing to connect to: it costs no broker anything to look again soon, and a command may wait for it. */
static void wait_for_token(struct node_link *link) {
  link->state.problem = RULE_node_not_joined;
  node_session_start(&link->session, false, clock_monotonic() + JOINERS_EVERY_MS);
}

/* Whom to connect to: the broker joined, or the one that an invitation waits for. */
static void connect_now(struct node_link *link) {
  struct ledger_txn *txn = NULL;
  CollegaStore__BrokerRow *broker = NULL;
  Collega__Invitation *invitation = NULL;
  struct collega_error error;
  bool waits = false; /* a token, beside the home's session */
  error_clear(&error);
  arena_reset(link->arena);
  link->joiner = *exchange_host(link->exchange);
  enum collega_status status = ledger_read(exchange_ledger(link->exchange), &txn, &error);
  if (status == COLLEGA_OK) status = exchange_broker(txn, link->arena, &broker, &error);
  link->member = broker != NULL;
  if (status == COLLEGA_OK && broker && clock_monotonic() >= link->joiners_at)
    status = parties_joining(link->exchange, &link->joiner, &waits, &error);
  if (status == COLLEGA_OK && (waits || !broker))
    status = party_invitation(link->exchange, waits ? &link->joiner : exchange_host(link->exchange),
                              link->arena, &invitation, &error);
  if (status == COLLEGA_OK && invitation) {
    link->joining = true;
    link->joiner_expires = invitation->expires;
    node_session_start(&link->session, true, clock_monotonic());
    node_session_hello_sent(&link->session, clock_monotonic());
    status = connect_joining(link, invitation, &error);
  } else if (status == COLLEGA_OK && broker) {
    link->joining = false;
    link->session.joining = false;
    status = connect_member(link, broker, &error);
  } else if (status == COLLEGA_OK) {
    status = error_set(&error, COLLEGA_REFUSED, RULE_node_not_joined, NULL, NULL);
  }
  if (txn) ledger_abort(&txn);
  if (status == COLLEGA_REFUSED && error.rule == RULE_node_not_joined)
    wait_for_token(link);
  else if (status != COLLEGA_OK)
    lose(link, error.rule);
}

static void hello(struct node_link *link) {
  link->hello_due = false;
  arena_reset(link->arena);
  struct bytes frame = {0};
  struct collega_error error;
  error_clear(&error);
  enum collega_status status =
      link->joining ? exchange_join(link->exchange, &link->joiner, link->arena, &frame, &error)
                    : exchange_hello(link->exchange, link->arena, &frame, &error);
  if (status != COLLEGA_OK) {
    lose(link, error.rule);
    return;
  }
  node_session_hello_sent(&link->session, clock_monotonic());
  link->asked = clock_now();
  if (!send_packed(link, frame)) lose(link, RULE_link_lost);
}

/* A token came, for a hosted party or to renew: its Join takes the session's place for a moment. */
static void look_for_joiners(struct node_link *link) {
  int64_t now = clock_monotonic();
  struct id party;
  bool any = false;
  struct collega_error error;
  if (!link->socket || !link->welcomed || link->behind || now < link->joiners_at) return;
  link->joiners_at = now + JOINERS_EVERY_MS;
  if (parties_joining(link->exchange, &party, &any, &error) != COLLEGA_OK) {
    log_warning("parties_failed", "rule=%s", rule_name(error.rule));
    return;
  }
  if (!any) return;
  link->joiners_at = now;
  forget_socket(link);
  node_session_start(&link->session, true, now);
}

/* The receipt of a new card calls for a session under its link key. */
static void look_for_card(struct node_link *link) {
  if (!link->socket || link->joining || !link->welcomed || !link->settled) return;
  uint32_t card = link->link_card;
  struct collega_error error;
  link->settled = false;
  if (key_link_card(link->exchange, 0, &card, &error) != COLLEGA_OK || card <= link->link_card)
    return;
  log_info("card_changes", "card=%u", (unsigned)card);
  renew(link);
}

/* Somebody has set the machine's clock: what the last Welcome said of it is void, and only the next one knows. */
static void look_at_clock(struct node_link *link) {
  if (!link->welcomed || !node_clock_was_set(&link->clock)) return;
  log_info("clock_was_set", "a new session begins");
  renew(link);
}

void node_link_work(struct node_link *link) {
  if (link->superseded) return; /* two that take turns would only be in each other's way */
  look_for_card(link);
  look_at_clock(link);
  if (link->session.phase == NODE_SESSION_OFF)
    node_session_start(&link->session, false, clock_monotonic());
  switch (node_session_tick(&link->session, clock_monotonic(), random_for(link))) {
  case NODE_NOTHING:
    break;
  case NODE_CONNECT:
    connect_now(link);
    break;
  case NODE_DISCONNECT:
    if (joins_beside(link)) put_off_joining(link);
    link->state.problem = RULE_link_silent;
    link->state.connected = true;
    forget_socket(link);
    break;
  case NODE_PING: {
    Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
    Collega__Ping ping = COLLEGA__PING__INIT;
    ping.number = link->session.ping;
    frame.ping = &ping;
    arena_reset(link->arena);
    if (!send_message(link, &frame)) lose(link, RULE_link_lost);
    break;
  }
  }
  if (link->socket && link->hello_due) hello(link);
  look_for_joiners(link);
  sign_and_send(link, time_now(link));
}

bool node_link_joined(const struct node_link *link) {
  return link->joined;
}

bool node_link_join_refused(const struct node_link *link, struct collega_error *error) {
  if (link->join_refused && error) *error = link->join_error;
  return link->join_refused;
}

const struct node_state *node_link_state(const struct node_link *link) {
  return &link->state;
}
