/* A life of the world: chance, clocks, messages on their way, and all of it step by step until everybody is back. */
#include "world_inside.h"
#include "checker.h"
#include "base/words.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define STEPS        300
#define STEPS_A_ROOT 50

/* ---- chance and words */

uint64_t world_chance(struct world *world, uint64_t below) {
  world->random ^= world->random << 13;
  world->random ^= world->random >> 7;
  world->random ^= world->random << 17;
  return (world->random >> 11) % below;
}

bool world_one_in(struct world *world, uint64_t count) {
  return world_chance(world, count) == 0;
}

void world_note(struct world *world, const char *format, ...) {
  va_list arguments;
  size_t room = sizeof world->trace - world->trace_length;
  va_start(arguments, format);
  int written = vsnprintf(world->trace + world->trace_length, room, format, arguments);
  va_end(arguments);
  if (written > 0 && (size_t)written < room) world->trace_length += (size_t)written;
}

const char *world_wrong(struct world *world, size_t root, const char *what) {
  world_note(world, "step %zu, root %zu: %s\n", world->step, root, what);
  return world->trace;
}

struct id world_number_id(uint8_t kind, size_t number) {
  struct id id = {{0}};
  id.byte[0] = kind;
  put_be64(id.byte + 1, number);
  return id;
}

struct id world_party(size_t root, enum side side) {
  return world_number_id('p', side == SIDE_EMPLOYER ? 1 : 2 + root);
}

static size_t clock_index(size_t root, enum side side) {
  return side == SIDE_EMPLOYER ? 0 : 1 + root;
}

collega_time world_clock(const struct world *world, size_t root, enum side side) {
  return world->now + world->skew[clock_index(root, side)];
}

collega_time world_some_skew(struct world *world, uint64_t seconds) {
  return ((collega_time)world_chance(world, 2 * seconds) - (collega_time)seconds) * SECOND_MS;
}

size_t world_find(const struct world *world, const struct id *deal) {
  uint64_t number = get_be64(deal->byte + 1);
  return deal->byte[0] == 'd' && number < world->deal_count ? (size_t)number : NO_DEAL;
}

/* ---- messages */

struct message *world_post(struct world *world, enum message_kind kind, size_t root, enum side side,
                           size_t deal) {
  static struct message overflow;
  if (world->message_count == WORLD_MESSAGES) return &overflow; /* the run is ended by its caller */
  struct message *message = &world->messages[world->message_count++];
  *message = (struct message){.kind = kind, .root = root, .side = side, .deal = deal};
  message->lost = !world->winding_up && world_one_in(world, 8);
  return message;
}

void world_remove_message(struct world *world, size_t index) {
  world->messages[index] = world->messages[--world->message_count];
}

static const char *deliver(struct world *world, size_t index) {
  struct message message = world->messages[index];
  bool to_decider = message.kind >= ASK_ACCEPT, taken = false;
  if (!to_decider && world->sides[message.root][message.side].cut_off) return NULL;
  world_note(
      world, "%zu: %s message %d of root %zu side %d deal %zu\n", world->step,
      to_decider ? "decider takes" : "takes", (int)message.kind, message.root, (int)message.side,
      message.kind == MAIL_DECISION ? world->decisions[message.decision].deal : message.deal);
  const char *wrong = to_decider ? world_decider_takes(world, &message, &taken)
                                 : world_side_takes(world, &message, &taken);
  bool waits = !taken && message.kind == MAIL_DECISION &&
               !world->sides[message.root][message.side].negotiation.welcomed;
  bool again = !world->winding_up && world_one_in(world, 4);
  if (wrong == NULL && !waits && !again && (taken || world->winding_up))
    world_remove_message(world, index);
  else
    world->messages[index].delivered = taken;
  return wrong;
}

/* ---- time, sessions, crashes */

/* A home has one session: the employer is welcomed in all its roots at once. */
static const char *welcome_home(struct world *world, size_t root, enum side who) {
  const char *wrong = NULL;
  bool taken;
  for (size_t i = 0; i < world->roots && wrong == NULL; i++) {
    if (who == SIDE_BIDDER && i != root) continue;
    struct deal_event event = {.kind = DEAL_EVENT_WELCOME, .epoch_number = world->epoch};
    wrong = world_side_step(world, i, who, &event, &taken);
    if (taken) world->sides[i][who].cut_off = false;
  }
  return wrong;
}

static void crash_home(struct world *world, size_t root, enum side who) {
  for (size_t i = 0; i < world->roots; i++)
    if (who == SIDE_EMPLOYER || i == root) world->sides[i][who].negotiation.welcomed = false;
}

static const char *tick(struct world *world, size_t root, enum side who) {
  struct deal_event event = {.kind = DEAL_EVENT_TICK};
  bool taken;
  return world_side_step(world, root, who, &event, &taken);
}

static size_t some_message(struct world *world) {
  if (world->message_count == 0) return NO_MESSAGE;
  size_t index = world_chance(world, world->message_count);
  if (!world->messages[index].lost) return index;
  if (world_one_in(world, 8)) world->messages[index].lost = false; /* its outbox sends it again */
  return NO_MESSAGE;
}

static const char *live_a_step(struct world *world) {
  size_t root = world_chance(world, world->roots), message;
  enum side who = world_one_in(world, 2) ? SIDE_EMPLOYER : SIDE_BIDDER;
  uint64_t what = world_chance(world, 200);
  const char *wrong = NULL;
  if (what < 100) {
    message = some_message(world);
    if (message != NO_MESSAGE) return deliver(world, message);
  } else if (what < 168) {
    for (int tries = 0; tries < 8; tries++)
      if (world_user_acts(world, root, who, &wrong)) return wrong;
  } else if (what < 178) {
    world->now += (collega_time)world_chance(world, 8) * SECOND_MS;
    return tick(world, root, who);
  } else if (what < 192) {
    return welcome_home(world, root, who);
  } else if (what < 195) {
    crash_home(world, root, who);
  } else if (what < 198) {
    world_back_up_decider(world);
  } else if (world->trouble && what == 198) {
    world_note(world, "%zu: the decider is restored, epoch %u\n", world->step, world->epoch + 1);
    world_restore_decider(world);
    return check_invariants(world, root);
  }
  return NULL;
}

/* ---- all are back */

static const char *deliver_all(struct world *world) {
  const char *wrong = NULL;
  for (size_t i = 0; i < world->message_count; i++)
    world->messages[i].lost = false;
  while (world->message_count > 0 && wrong == NULL) {
    if (++world->step > 20000) return "messages never end";
    wrong = deliver(world, world_chance(world, world->message_count));
  }
  return wrong;
}

static const char *answer_releases(struct world *world, size_t root, enum side who) {
  struct deal_event event = {.kind = world_one_in(world, 2) ? DEAL_EVENT_RELEASE_SIGN
                                                            : DEAL_EVENT_RELEASE_KEEP};
  bool taken;
  if (world->sides[root][who].negotiation.release != RELEASE_RECEIVED) return NULL;
  return world_side_step(world, root, who, &event, &taken);
}

/* Where clocks are nearly right, a session that stands must do: time alone brings all to an end. A restored
 * decider ends every session. */
static bool wants_welcome(const struct world *world, size_t root, enum side who) {
  bool wants = !world->steady;
  for (size_t i = 0; i < world->roots; i++) {
    const struct negotiation *negotiation = &world->sides[i][who].negotiation;
    if (who == SIDE_BIDDER && i != root) continue;
    wants = wants || !negotiation->welcomed || world->sides[i][who].cut_off;
  }
  return wants;
}

static const char *wind_up(struct world *world) {
  const char *wrong = NULL;
  world->winding_up = true;
  world->now += HOUR_MS; /* past every accept_by, by every clock */
  for (int round = 0; round < 6 && wrong == NULL; round++) {
    for (size_t i = 0; i < world->roots && wrong == NULL; i++) {
      if (i == 0 && wants_welcome(world, i, SIDE_EMPLOYER))
        wrong = welcome_home(world, i, SIDE_EMPLOYER);
      if (wrong == NULL && wants_welcome(world, i, SIDE_BIDDER))
        wrong = welcome_home(world, i, SIDE_BIDDER);
      for (int who = 0; who < 2 && wrong == NULL; who++) {
        wrong = tick(world, i, (enum side)who);
        if (wrong == NULL) wrong = answer_releases(world, i, (enum side)who);
      }
    }
    if (wrong == NULL) wrong = deliver_all(world);
  }
  for (size_t i = 0; i < world->roots && wrong == NULL; i++) {
    wrong = check_settled(world, i);
    if (wrong != NULL) return world_wrong(world, i, wrong);
  }
  return wrong;
}

const char *world_run(struct world *world, uint64_t seed) {
  memset(world, 0, offsetof(struct world, deals)); /* the rest is written before it is read */
  world->seed = seed;
  world->random = seed * UINT64_C(0x9E3779B97F4A7C15) | 1;
  world->trace_length = 0;
  world->now = 1000 * DAY_MS;
  world->trouble = !world_one_in(world, 4);
  world->epoch = 1;
  /* A third of the lives are all bidders about three people, the others a few roots that go deep. */
  world->roots = world_one_in(world, 3) ? WORLD_ROOTS : 1 + world_chance(world, 3);
  world->steady = world_one_in(world, 2);
  for (size_t i = 0; i <= WORLD_ROOTS; i++)
    world->skew[i] = world_some_skew(world, world->steady ? 12 : 60);
  for (size_t i = 0; i < world->roots; i++)
    for (int who = 0; who < 2; who++) {
      world->sides[i][who].negotiation.root = world_number_id('r', i);
      world->sides[i][who].negotiation.decider = world_number_id('p', 0);
    }
  const char *wrong = NULL;
  size_t steps = STEPS + STEPS_A_ROOT * world->roots;
  for (world->step = 0; world->step < steps && wrong == NULL; world->step++)
    wrong = live_a_step(world);
  if (wrong == NULL) wrong = wind_up(world);
  if (wrong != NULL && wrong != world->trace) wrong = world_wrong(world, 0, wrong);
  return wrong;
}