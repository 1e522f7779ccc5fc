/* See world.h. */
#include "world.h"

#include <ftw.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process/process.h"
#include "base/words.h"
#include "broker/board/board.h"
#include "broker/store/log_rows.h"
#include "client/exchange/backup.h"
#include "client/exchange/deal_machine.h"
#include "proto/guard.h"
#include "proto/limits.h"

#define ARENA_BYTES ((size_t)64 * 1024 * 1024)

void world_print_error(const struct collega_error *error) {
  char text[512];
  error_render(LANGUAGE_EN, error, text, sizeof text);
  print_error("%s (%s)\n", text, rule_name(error->rule));
}

static struct arena *test_arena(void) {
  struct arena *arena = arena_new(65536, ARENA_BYTES);
  assert_non_null(arena);
  return arena;
}

static void set_id(ProtobufCBinaryData *field, const void *data, size_t length) {
  field->data = (uint8_t *)(uintptr_t)data;
  field->len = length;
}

static struct store *open_store(const char *path, bool must_exist) {
  struct store *store = NULL;
  struct store_options options = {
      .path = path, .map_bytes = 64u * 1024 * 1024, .must_exist = must_exist};
  must(store_open(&options, &store, &error));
  return store;
}

/* The number of an epoch is the second in which it began, by the clock, and the broker waits until that is over: so it
 * begins at the end of one. */
static void turn_clock(struct world *world) {
  char text[32], path[128];
  world->now += SECOND_MS - 1 - world->now % SECOND_MS;
  setenv("COLLEGA_CLOCK_FILE", "", 1);
  snprintf(text, sizeof text, "%lld", (long long)(world->now - clock_now()));
  snprintf(path, sizeof path, "%s/clock", world->directory);
  must(file_write(path, text, strlen(text), 0600, &error));
  setenv("COLLEGA_CLOCK_FILE", path, 1);
}

static void begin_epoch(struct world *world) {
  turn_clock(world);
  must(commit_open(world->store, world->broker, "Netwerk West", &world->commit, &error));
  world->now += 10 * SECOND_MS; /* a slow machine may have waited for more than one second to end */
  assert_true(clock_now() < world->now);
  setenv("COLLEGA_CLOCK_FILE", "", 1);
}

#define BEGINS INT64_C(1798758000000) /* 2026-12-31T23:00:00Z, whatever day it is here */

int world_setup(void **state) {
  setenv("COLLEGA_MAP_MIB", "64",
         1); /* sanitizers have no room for the map that is reserved by default */
  setenv("COLLEGA_LOG", "error", 0);
  must(bytes_start(&error));
  struct world *world = calloc(1, sizeof *world);
  assert_non_null(world);
  world->now = BEGINS - MINUTE_MS;
  /* In memory, where there is room for that: nobody pulls the plug here. */
  snprintf(world->directory, sizeof world->directory, "%s/collega-exchange-XXXXXX",
           access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
  assert_non_null(mkdtemp(world->directory));
  struct epoch epoch;
  char recovery[RECOVERY_TEXT_BYTES], path[128];
  random_fill(epoch.byte, sizeof epoch.byte);
  must(identity_create(true, &epoch, 1, world->now, recovery, &world->broker, &error));
  world->broker_id = *identity_party(world->broker);
  snprintf(path, sizeof path, "%s/broker", world->directory);
  world->store = open_store(path, false);
  begin_epoch(world);
  world->now = BEGINS;
  world->members = members_new(NULL, NULL);
  assert_non_null(world->members);
  struct run_view card; /* the decisions that it is shown are its own */
  struct arena *arena = test_arena();
  must(run_read_bytes(identity_card_run(world->broker, 0), arena, &card, &error));
  must(members_take(world->members, &card, 0, NULL, NULL, 0, &error));
  arena_destroy(&arena);
  *state = world;
  return 0;
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *at) {
  (void)about, (void)type, (void)at;
  return remove(path);
}

int world_teardown(void **state) {
  struct world *world = *state;
  for (size_t i = 0; i < world->count; i++)
    exchange_close(&world->home[i].exchange);
  commit_close(&world->commit);
  store_close(&world->store);
  identity_destroy(&world->broker);
  members_destroy(&world->members);
  nftw(world->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  free(world);
  return 0;
}

void world_reopen(struct home *home) {
  exchange_close(&home->exchange);
  must(exchange_open(home->path, &home->exchange, &error));
  exchange_use_all_cores(home->exchange);
}

/* ---- frames to the home */

static enum collega_status take_frame(struct world *world, struct home *home, struct bytes packed,
                                      struct intake_outcome *outcome, struct arena *arena) {
  ProtobufCMessage *message;
  must(guard_unpack(&collega__from_broker__descriptor, packed, arena, &message, &error));
  return intake_frame(home->exchange, (const Collega__FromBroker *)message, packed, world->now,
                      &home->told, arena, outcome, &home->intake_error);
}

enum collega_status world_deliver(struct world *world, struct home *home, struct bytes packed) {
  struct arena *arena = test_arena();
  struct intake_outcome outcome, again;
  enum collega_status status = take_frame(world, home, packed, &outcome, arena);
  if (status == COLLEGA_OK) {
    struct told_head told = home->told;
    uint64_t entries = world_entries(home);
    struct id tables = world_tables(home);
    assert_int_equal(take_frame(world, home, packed, &again, arena), COLLEGA_OK);
    home->told = told;
    struct id after = world_tables(home);
    assert_int_equal(world_entries(home), entries);
    assert_memory_equal(&after, &tables, sizeof tables);
    home->welcomed = home->welcomed || outcome.welcomed;
    assert_true(home->restored || !outcome.behind);
    home->behind = home->behind || outcome.behind;
    home->caught_up = home->caught_up || outcome.caught_up;
    home->fenced = home->fenced || outcome.fenced;
    if (outcome.frame_due) world_send(world, home, outcome.frame);
  }
  arena_destroy(&arena);
  return status;
}

/* ---- frames to the broker */

static void teach_members(struct world *world, const struct request *request) {
  if (request->kind != REQUEST_JOIN && request->kind != REQUEST_PUBLISH) return;
  for (size_t i = 0; i < request->run.count; i++)
    if (body_is_members_class(request->run.records[i].body))
      must(members_take(world->members, &request->run, i, NULL, NULL, 0, &error));
}

static void commit_one(struct world *world, struct home *home, struct request *request) {
  struct commit_result result;
  must(commit_batch(world->commit, &request, 1, world->now, &result, &error));
  for (size_t i = 0; i < result.answer_count; i++) {
    struct home *to = home;
    for (size_t j = 0; !id_is_zero(&result.answers[i].home) && j < world->count; j++)
      if (id_equal(&world->home[j].party, &result.answers[i].home)) to = &world->home[j];
    if (to == home || to->welcomed) must(world_deliver(world, to, result.answers[i].packed));
  }
  commit_result_free(&result);
}

/* From the cursor, or after a Reset from the start. */
static void follow_from(struct world *world, struct home *home, const Collega__Follow *follow) {
  struct store_txn *txn = NULL;
  struct broker_state state;
  bool found = false;
  uint64_t compacted = 0;
  must(store_read(world->store, &txn, &error));
  must(state_read(txn, &state, &found, &error));
  must(compacted_read(txn, &compacted, &error));
  store_end(&txn);
  if (board_cursor_known(follow, &world->broker_id, &state.epoch, state.log_seq, compacted,
                         &home->board))
    return;
  struct arena *arena = test_arena();
  Collega__Reset reset = COLLEGA__RESET__INIT;
  Collega__FromBroker frame = COLLEGA__FROM_BROKER__INIT;
  reset.follow = follow->number;
  reset.through = state.log_seq;
  set_id(&reset.origin, world->broker_id.byte, ID_BYTES);
  set_id(&reset.epoch, state.epoch.byte, EPOCH_BYTES);
  frame.reset = &reset;
  home->resets++;
  must(world_deliver(world, home, message_pack(&frame.base, arena)));
  arena_destroy(&arena);
}

/* All parts of the answer to a Fetch. */
static void answer_fetch(struct world *world, struct home *home, const Collega__Fetch *fetch) {
  struct broker_state state;
  bool found = false, done = false;
  uint64_t after = fetch->after;
  while (!done) {
    struct arena *arena = test_arena();
    struct store_txn *txn = NULL;
    struct bytes frame;
    uint32_t items = 0;
    must(store_read(world->store, &txn, &error));
    must(state_read(txn, &state, &found, &error));
    must(fetch_read(txn, &state.epoch, fetch, &after, arena, &frame, &items, &done, &error));
    store_end(&txn);
    must(world_deliver(world, home, frame));
    arena_destroy(&arena);
  }
}

static void send_as(struct world *world, struct home *home, struct bytes frame,
                    const uint8_t key[32], bool member) {
  struct request *request = request_new(REQUEST_PUBLISH);
  assert_non_null(request);
  request->packed = bytes_of(arena_copy(request->arena, frame.data, frame.length), frame.length);
  request->session = 1;
  if (member) request->home = home->party;
  memcpy(request->link_key, key, 32);
  struct members *members = world->members;
  request_prepare(request, members, world->now);
  if (!request->prepared) teach_members(world, request);
  if (request->frame->follow) {
    const Collega__Follow *follow = request->frame->follow;
    follow_from(world, home, follow);
    home->filter_length = collega__filter__get_packed_size(follow->filter);
    assert_true(home->filter_length <= sizeof home->filter);
    collega__filter__pack(follow->filter, home->filter);
  } else if (request->frame->fetch) {
    answer_fetch(world, home, request->frame->fetch);
  } else {
    commit_one(world, home, request);
  }
  request_destroy(&request);
}

void world_send(struct world *world, struct home *home, struct bytes frame) {
  send_as(world, home, frame,
          identity_public(exchange_identity(home->exchange, &home->party))->link, true);
}

/* ---- what the broker has for the home */

bool world_board(struct world *world, struct home *home) {
  struct arena *arena = test_arena();
  struct store_txn *txn = NULL;
  struct bytes frame = {NULL, 0};
  uint32_t records = 0;
  uint64_t through = home->board;
  ProtobufCMessage *filter = NULL;
  struct broker_state state;
  bool found = false;
  must(guard_unpack(&collega__filter__descriptor, bytes_of(home->filter, home->filter_length),
                    arena, &filter, &error));
  must(store_read(world->store, &txn, &error));
  must(state_read(txn, &state, &found, &error));
  if (home->board < state.log_seq)
    must(board_read(txn, &world->broker_id, &state.epoch, 1, (const Collega__Filter *)filter,
                    home->board, arena, &frame, &records, &through, &error));
  store_end(&txn);
  bool news = through > home->board;
  if (news) must(world_deliver(world, home, frame));
  home->board = through;
  arena_destroy(&arena);
  return news;
}

static bool party_mail(struct world *world, struct home *home, const struct id *party,
                       uint64_t *through) {
  struct arena *arena = test_arena();
  struct store_txn *txn = NULL;
  struct bytes frame = {NULL, 0};
  uint32_t items = 0;
  uint64_t last = *through;
  struct broker_state state;
  bool found = false;
  must(store_read(world->store, &txn, &error));
  must(state_read(txn, &state, &found, &error));
  must(mail_read(txn, party, &state.epoch, *through, 64, 512u * 1024, arena, &frame, &items, &last,
                 &error));
  store_end(&txn);
  if (items) {
    *through = last;
    must(world_deliver(world, home, frame));
  }
  arena_destroy(&arena);
  return items > 0;
}

bool world_mail(struct world *world, struct home *home) {
  if (party_mail(world, home, &home->party, &home->mail)) return true;
  for (size_t i = 0; i < home->hosted_count; i++)
    if (party_mail(world, home, &home->hosted[i], &home->hosted_mail[i])) return true;
  return false;
}

bool world_send_waiting(struct world *world, struct home *home) {
  struct arena *arena = test_arena();
  struct bytes frame;
  uint32_t records;
  uint64_t number;
  must(exchange_next_frame(home->exchange, home->sent, world->now, &home->told, arena, &frame,
                           &records, &number, &error));
  if (number) {
    home->sent = number;
    world_send(world, home, frame);
  }
  arena_destroy(&arena);
  return number != 0;
}

void world_welcome(struct world *world, struct home *home) {
  struct arena *arena = test_arena();
  struct store_txn *txn = NULL;
  struct bytes frame;
  must(store_read(world->store, &txn, &error));
  must(welcome_read(txn, &home->party, true, world->now, arena, &frame, &error));
  store_end(&txn);
  home->sent = home->mail = 0;
  memset(home->hosted_mail, 0, sizeof home->hosted_mail);
  home->welcomed = false;
  must(world_deliver(world, home, frame));
  must(exchange_follow(home->exchange, arena, &frame, &error));
  world_send(world, home, frame);
  arena_destroy(&arena);
}

void world_settle(struct world *world) {
  bool moved = true;
  for (int rounds = 0; moved; rounds++) {
    assert_true(rounds < 200);
    moved = false;
    for (size_t i = 0; i < world->count; i++) {
      struct home *home = &world->home[i];
      uint32_t acts = 0;
      if (!home->welcomed) continue;
      if (home->caught_up) { /* as the daemon does: a new session follows */
        home->caught_up = home->behind = false;
        world_welcome(world, home);
      }
      uint64_t entries = world_entries(home);
      must(exchange_sign(home->exchange, world->now, true, &acts, &error));
      while (world_send_waiting(world, home))
        moved = true;
      while (world_board(world, home))
        moved = true;
      while (world_mail(world, home))
        moved = true;
      moved = moved || world_entries(home) > entries; /* signed, or lapsed: told only here */
    }
  }
}

/* ---- homes */

static void fill_invitation(struct world *world, const char *name, const char *kvk,
                            const uint8_t secret[32], Collega__Invitation *out) {
  static char *addresses[1] = {(char *)(uintptr_t) "tcp://127.0.0.1:7440"};
  collega__invitation__init(out);
  set_id(&out->broker, world->broker_id.byte, ID_BYTES);
  out->broker_name = (char *)(uintptr_t) "Netwerk West";
  out->n_addresses = 1;
  out->addresses = addresses;
  set_id(&out->link_key, identity_public(world->broker)->link, 32);
  set_id(&out->secret, secret, 32);
  out->expires = world->now + INVITATION_LIFETIME_MS;
  out->name = (char *)(uintptr_t)name;
  out->kvk = (char *)(uintptr_t)kvk;
}

void world_token(struct world *world, const char *name, const char *kvk,
                 char token[INVITATION_TEXT_BYTES]) {
  Collega__Invitation invitation;
  uint8_t secret[32];
  random_fill(secret, sizeof secret);
  fill_invitation(world, name, kvk, secret, &invitation);
  must(invitation_write(&invitation, token, &error));
}

static void take_invitation(struct world *world, struct request *request) {
  struct commit_result result;
  must(commit_batch(world->commit, &request, 1, world->now, &result, &error));
  commit_result_free(&result);
}

void world_host(struct world *world, struct home *host, const char *name, const char *kvk) {
  struct arena *arena = test_arena();
  Collega__Invitation invitation;
  char token[INVITATION_TEXT_BYTES], recovery[RECOVERY_TEXT_BYTES];
  uint8_t secret[32];
  struct bytes frame;
  struct id *party = &host->hosted[host->hosted_count];
  struct party_init init = {name, kvk, "C. de Graaf", "eigenaar"};
  bool made = false;
  struct request *request = request_new(REQUEST_INVITE);
  assert_true(host->hosted_count < WORLD_HOSTED);
  random_fill(secret, sizeof secret);
  crypto_scalarmult_base(request->invitation_public, secret);
  fill_invitation(world, name, kvk, secret, &invitation);
  invitation.has_host = true;
  set_id(&invitation.host, host->party.byte, ID_BYTES);
  request->invitation = &invitation;
  request->host = host->party;
  take_invitation(world, request);
  must(invitation_write(&invitation, token, &error));
  must(party_add(host->exchange, &init, token, world->now, party, recovery, &made, &error));
  assert_true(made);
  must(exchange_join(host->exchange, party, arena, &frame, &error));
  send_as(world, host, frame, request->invitation_public, false);
  host->hosted_count++;
  request_destroy(&request);
  arena_destroy(&arena);
  world_welcome(world, host);
}

struct home world_hosted(const struct home *host, size_t index) {
  struct home out = *host;
  assert_true(index < host->hosted_count);
  out.party = host->hosted[index];
  return out;
}

static void join(struct world *world, struct home *home, const char *kvk, Collega__Role role) {
  struct arena *arena = test_arena();
  Collega__Invitation invitation;
  char token[INVITATION_TEXT_BYTES];
  uint8_t secret[32];
  struct bytes frame;
  struct store_txn *txn = NULL;
  struct request *request = request_new(REQUEST_INVITE);
  random_fill(secret, sizeof secret);
  crypto_scalarmult_base(request->invitation_public, secret);
  fill_invitation(world, home->name, kvk, secret, &invitation);
  request->invitation = &invitation;
  request->role = role;
  take_invitation(world, request);
  must(invitation_write(&invitation, token, &error));
  must(join_store_token(home->exchange, token, &error));

  must(store_read(world->store, &txn, &error));
  must(welcome_read(txn, &home->party, false, world->now, arena, &frame, &error));
  store_end(&txn);
  must(world_deliver(world, home, frame));
  assert_false(home->welcomed);
  must(exchange_join(home->exchange, &home->party, arena, &frame, &error));
  send_as(world, home, frame, request->invitation_public, false);
  Collega__Invitation *pending = NULL;
  must(party_invitation(home->exchange, &home->party, arena, &pending, &error));
  assert_null(pending);
  request_destroy(&request);
  arena_destroy(&arena);
  world_welcome(world, home);
  assert_true(home->welcomed);
}

struct home *world_home(struct world *world, const char *name, const char *kvk, bool joined) {
  assert_true(world->count < WORLD_HOMES);
  struct home *home = &world->home[world->count];
  char recovery[RECOVERY_TEXT_BYTES], folder[32];
  home->name = name;
  snprintf(folder, sizeof folder, "home%zu", world->count);
  must(path_join(home->path, sizeof home->path, world->directory, folder, NULL));
  struct node_init init = {.home = home->path,
                           .name = name,
                           .kvk = kvk,
                           .signatory = "A. de Boer",
                           .function = "directeur"};
  must(node_init(&init, world->now, &home->party, recovery, &error));
  must(exchange_open(home->path, &home->exchange, &error));
  exchange_use_all_cores(home->exchange);
  world->count++;
  if (joined) join(world, home, kvk, COLLEGA__ROLE__ROLE_EMPLOYER);
  return home;
}

struct home *world_network(struct world *world, const char *name, const char *kvk) {
  struct home *home = world_home(world, name, kvk, false);
  join(world, home, kvk, COLLEGA__ROLE__ROLE_NETWORK);
  return home;
}

/* ---- offers and deals */

void world_offer(Collega__Offer *offer, Collega__OfferKind kind, uint32_t headcount) {
  static Collega__Occupation occupation;
  static Collega__Period period;
  static Collega__Hours hours;
  static Collega__Place place;
  collega__offer__init(offer);
  collega__occupation__init(&occupation);
  collega__period__init(&period);
  collega__hours__init(&hours);
  collega__place__init(&place);
  occupation.isco = (char *)(uintptr_t) "4321";
  (void)date_read("2027-01-04", &period.from);
  (void)date_read("2027-03-26", &period.until);
  period.has_until = true;
  hours.per_week_min = 24;
  hours.per_week_max = 40;
  place.city = (char *)(uintptr_t) "Breda";
  offer->kind = kind;
  offer->title = (char *)(uintptr_t) "Magazijnmedewerkers";
  offer->occupation = &occupation;
  offer->headcount = headcount;
  offer->period = &period;
  offer->hours = &hours;
  offer->place = &place;
}

struct short_id world_publish(struct world *world, struct home *home, Collega__OfferKind kind,
                              uint32_t headcount) {
  Collega__Offer offer;
  Collega__OfferPrivate private_part = COLLEGA__OFFER_PRIVATE__INIT;
  Collega__Contact contact = COLLEGA__CONTACT__INIT;
  struct short_id id;
  world_offer(&offer, kind, headcount);
  contact.name = (char *)(uintptr_t)home->name;
  private_part.contact = &contact;
  private_part.has_hourly_cost_cents = true;
  private_part.hourly_cost_cents = 2380;
  private_part.address = (char *)(uintptr_t) "Haven 1";
  struct offer_input input = {&offer, &private_part};
  must(offer_publish(home->exchange, &home->party, &input, 1, world->now, &id, &error));
  return id;
}

enum collega_status world_withdraw(const struct world *world, const struct home *home,
                                   const struct short_id *offer, struct collega_error *error) {
  return offer_set_state(home->exchange, &home->party, offer,
                         COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN, world->now, error);
}

struct id world_match(struct home *home, const struct short_id *mine,
                      const struct short_id *theirs) {
  struct id match;
  struct ledger_txn *txn = NULL;
  uint8_t key[2 * ID_BYTES], content[ID_BYTES] = {0};
  CollegaStore__MatchRow row = COLLEGA_STORE__MATCH_ROW__INIT;
  match_id(&match, bytes_of(mine->byte, SHORT_ID_BYTES), bytes_of(theirs->byte, SHORT_ID_BYTES));
  set_id(&row.match, match.byte, ID_BYTES);
  set_id(&row.mine, mine->byte, SHORT_ID_BYTES);
  set_id(&row.counter, theirs->byte, SHORT_ID_BYTES);
  set_id(&row.mine_content, content, ID_BYTES);
  set_id(&row.counter_content, content, ID_BYTES);
  set_id(&row.party, home->party.byte, ID_BYTES);
  memcpy(key, home->party.byte, ID_BYTES);
  memcpy(key + ID_BYTES, match.byte, ID_BYTES);
  must(ledger_write(exchange_ledger(home->exchange), &txn, &error));
  must(row_put(txn, TABLE_MATCHES, bytes_of(key, sizeof key), &row.base, &error));
  must(ledger_commit(&txn, &error));
  return match;
}

CollegaStore__DealRow *world_deal_row(struct home *home, const struct id *deal,
                                      struct arena *arena) {
  struct ledger_txn *txn = NULL;
  ProtobufCMessage *row = NULL;
  uint8_t key[2 * ID_BYTES];
  memcpy(key, home->party.byte, ID_BYTES);
  memcpy(key + ID_BYTES, deal->byte, ID_BYTES);
  must(ledger_read(exchange_ledger(home->exchange), &txn, &error));
  (void)!row_get(txn, TABLE_DEALS, bytes_of(key, sizeof key), &collega_store__deal_row__descriptor,
                 arena, &row, NULL);
  ledger_abort(&txn);
  return (CollegaStore__DealRow *)row;
}

CollegaStore__RootRow *world_root_row(struct home *home, const struct id *deal,
                                      struct arena *arena) {
  const CollegaStore__DealRow *row = world_deal_row(home, deal, arena);
  struct ledger_txn *txn = NULL;
  ProtobufCMessage *root = NULL;
  uint8_t key[2 * ID_BYTES];
  memcpy(key, home->party.byte, ID_BYTES);
  memcpy(key + ID_BYTES, row->root.data, ID_BYTES);
  must(ledger_read(exchange_ledger(home->exchange), &txn, &error));
  must(row_get(txn, TABLE_ROOTS, bytes_of(key, sizeof key), &collega_store__root_row__descriptor,
               arena, &root, &error));
  ledger_abort(&txn);
  return (CollegaStore__RootRow *)root;
}

CollegaStore__DealState world_deal_state(struct home *home, const struct id *deal, char why[64]) {
  struct arena *arena = test_arena();
  const CollegaStore__DealRow *row = world_deal_row(home, deal, arena);
  CollegaStore__DealState state = row ? row->state : (CollegaStore__DealState)0;
  if (why) snprintf(why, 64, "%s", row && row->why ? row->why : "");
  arena_destroy(&arena);
  return state;
}

CollegaStore__OfferRow *world_offer_row(struct home *home, const struct short_id *offer,
                                        struct arena *arena) {
  struct ledger_txn *txn = NULL;
  CollegaStore__OfferRow *row = NULL;
  must(ledger_read(exchange_ledger(home->exchange), &txn, &error));
  enum collega_status status =
      ledger_offer(txn, bytes_of(offer->byte, SHORT_ID_BYTES), arena, &row, NULL);
  assert_true(status == COLLEGA_OK || status == COLLEGA_NOT_FOUND);
  ledger_abort(&txn);
  return row;
}

uint64_t world_entries(struct home *home) {
  struct ledger_txn *txn = NULL;
  struct ledger_head head;
  must(ledger_read(exchange_ledger(home->exchange), &txn, &error));
  must(ledger_head(txn, &head, &error));
  ledger_abort(&txn);
  return head.number;
}

static bool hash_row(void *context, struct bytes key, struct bytes value) {
  struct id *hash = context;
  struct bytes parts[3] = {bytes_of(hash->byte, ID_BYTES), key, value};
  hash_parts(hash, "row", parts, 3);
  return true;
}

struct id world_tables(struct home *home) {
  struct id hash = {{0}};
  struct ledger_txn *txn = NULL;
  must(ledger_read(exchange_ledger(home->exchange), &txn, &error));
  for (int table = TABLE_OWN; table < TABLE_COUNT; table++) {
    if (table == TABLE_MATCHES || table == TABLE_CURSORS)
      continue; /* the matcher's, and followers' */
    must(table_each(txn, (enum ledger_table)table, bytes_of(NULL, 0), NULL, hash_row, &hash,
                    &error));
  }
  ledger_abort(&txn);
  return hash;
}

void world_rebuilds(struct home *home) {
  struct id before = world_tables(home), after;
  must(ledger_rebuild(exchange_ledger(home->exchange), exchange_apply, home->exchange, &error));
  after = world_tables(home);
  assert_memory_equal(&after, &before, sizeof before);
}

uint64_t world_standing(struct home *home, const struct short_id *offer) {
  struct ledger_txn *txn = NULL;
  collega_date from = 0, until = 0;
  uint64_t most = 0;
  assert_true(date_read("2027-01-04", &from));
  assert_true(date_read("2027-03-26", &until));
  must(ledger_read(exchange_ledger(home->exchange), &txn, &error));
  must(holds_most(txn, &home->party, offer, from, until, false, &most, &error));
  ledger_abort(&txn);
  return most;
}

/* ---- restores */

/* Made as `collega-broker backup` makes it: the copy knows that it is one. */
void world_backup_broker(struct world *world, const char *path) {
  struct store_txn *txn = NULL;
  struct broker_state state;
  bool found = false;
  must(store_backup(world->store, path, &error));
  struct store *copy = open_store(path, true);
  must(store_write(copy, &txn, &error));
  must(state_read(txn, &state, &found, &error));
  state.restored = true;
  must(state_write(txn, &state, &error));
  must(store_commit(&txn, &error));
  store_close(&copy);
}

void world_restore_broker(struct world *world, const char *path) {
  char home[128];
  snprintf(home, sizeof home, "%s/broker-%u", world->directory, ++world->restores);
  commit_close(&world->commit);
  store_close(&world->store);
  struct store *copy = open_store(path, true);
  must(store_backup(copy, home, &error));
  store_close(&copy);
  world->store = open_store(home, true);
  begin_epoch(world);
  for (size_t i = 0; i < world->count; i++)
    world->home[i].welcomed = false;
}

/* Welcome, the fetch, and the session that follows it. */
void world_catch_up(struct world *world, struct home *home) {
  home->behind = home->caught_up = false;
  world_welcome(world, home);
  assert_true(home->behind);
  while (!home->caught_up)
    assert_true(world_board(world, home));
  home->behind = home->caught_up = false;
  world_welcome(world, home);
  assert_false(home->behind);
}

void world_restore_home(struct world *world, struct home *home, const char *backup) {
  exchange_close(&home->exchange);
  snprintf(home->path, sizeof home->path, "%s/home-%u", world->directory, ++world->restores);
  must(node_restore(backup, home->path, world->now, &error));
  must(exchange_open(home->path, &home->exchange, &error));
  exchange_use_all_cores(home->exchange);
  home->restored = true;
  home->welcomed = false;
}
