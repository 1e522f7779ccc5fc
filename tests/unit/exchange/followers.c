/* What followers see equals what a plain list of offers says they may see, after anything that can
 * happen in any order: publishing, revising, other audiences, other states, time, other filters,
 * sessions that end, frames that come late, and homes and a broker that come back from old backups. */
#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/commit/batch.h"
#include "client/exchange/backup.h"
#include "proto/guard.h"

#define HOMES  5
#define OFFERS 60
#define STEPS  260

#define PLAYS      4
#define PLAYS_LONG 30

static const char *const names[HOMES] = {"Snijder BV", "Bakker BV", "Visser BV", "Smid BV",
                                         "Molenaar BV"};
static const char *const kvks[HOMES] = {"12345678", "87654321", "11223344", "22334455", "33445566"};
static const char *const iscos[] = {"4321", "4322", "5120", "9412"};
static const char *const regions[] = {"AM25", "AM01", ""};
static const char *const sectors[] = {"52.10", "52", "47.1", ""};
static const char *const kinds[] = {"loan_out", "loan_in", "transfer_out", "transfer_in"};

/* The plain list. */
struct plain {
  size_t author;
  struct short_id id;
  Collega__OfferKind kind;
  const char *isco, *region, *sector;
  unsigned named; /* bits of homes; 0: the network */
  Collega__OfferState state;
  collega_time expires;
  uint32_t revision, headcount;
};

/* What a home follows: at most one value a set, "" for all. */
struct wanted {
  const char *kind, *isco, *region, *sector;
};

struct play {
  struct world *world;
  uint64_t random;
  struct plain offers[OFFERS];
  size_t count;
  struct wanted wanted[HOMES];
  char home_backup[HOMES][128], broker_backup[128]; /* the newest; "": none */
  unsigned home_restores, broker_restores;
};

static uint32_t roll(struct play *play, uint32_t below) {
  play->random ^= play->random << 13;
  play->random ^= play->random >> 7;
  play->random ^= play->random << 17;
  return (uint32_t)(play->random >> 20) % below;
}

/* ---- what may be seen */

static bool starts(const char *value, const char *prefix) {
  char digits[8] = "", wanted[8] = "";
  for (const char *at = value; *at; at++)
    if (*at != '.') strncat(digits, at, 1);
  for (const char *at = prefix; *at; at++)
    if (*at != '.') strncat(wanted, at, 1);
  return !*wanted || (*digits && strncmp(digits, wanted, strlen(wanted)) == 0);
}

static bool may_see(const struct play *play, const struct plain *offer, size_t home) {
  const struct wanted *wanted = &play->wanted[home];
  if (offer->state == COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN ||
      offer->expires <= play->world->now)
    return false;
  if (offer->named) return offer->named >> home & 1;
  return (!*wanted->kind || strcmp(wanted->kind, kinds[offer->kind - 1]) == 0) &&
         starts(offer->isco, wanted->isco) && starts(offer->sector, wanted->sector) &&
         (!*wanted->region || strcmp(wanted->region, offer->region) == 0);
}

struct seen {
  const struct play *play;
  size_t home, count;
  struct arena *arena;
  struct ledger_txn *txn;
};

static const struct plain *find(const struct play *play, struct bytes id) {
  for (size_t i = 0; i < play->count; i++)
    if (bytes_equal(bytes_of(play->offers[i].id.byte, SHORT_ID_BYTES), id)) return &play->offers[i];
  return NULL;
}

static bool visit_row(void *context, struct bytes key, struct bytes value) {
  struct seen *seen = context;
  const struct plain *plain = find(seen->play, key);
  CollegaStore__OfferRow *row;
  Collega__Offer *offer;
  must(ledger_offer_read(seen->txn, value, seen->arena, &row, &error));
  assert_non_null(plain);
  must(offer_of_row(row, seen->arena, &offer, &error));
  if (row->mine || row->state == COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN ||
      offer->expires <= seen->play->world->now)
    return true;
  if (!may_see(seen->play, plain, seen->home) || row->revision != plain->revision ||
      row->state != plain->state)
    print_error("home %zu sees offer %zu of home %zu, named %x: revision %u for %u, state %u for "
                "%u, by mail %d\n",
                seen->home, (size_t)(plain - seen->play->offers), plain->author, plain->named,
                row->revision, plain->revision, row->state, (unsigned)plain->state, row->by_mail);
  assert_true(may_see(seen->play, plain, seen->home));
  assert_int_equal(row->revision, plain->revision);
  assert_int_equal(row->state, plain->state);
  assert_int_equal(offer->headcount, plain->headcount);
  seen->count++;
  return true;
}

static void print_missing(const struct play *play, size_t home) {
  struct arena *arena = arena_new(65536, 1u << 26);
  for (size_t i = 0; i < play->count; i++) {
    const struct plain *plain = &play->offers[i];
    if (plain->author != home && may_see(play, plain, home) &&
        !world_offer_row(&play->world->home[home], &plain->id, arena))
      print_error("home %zu does not see offer %zu of home %zu, revision %u, named %x\n", home, i,
                  plain->author, plain->revision, plain->named);
  }
  arena_destroy(&arena);
}

static void assert_views(const struct play *play) {
  for (size_t home = 0; home < HOMES; home++) {
    struct seen seen = {play, home, 0, arena_new(65536, 1u << 26), NULL};
    size_t expected = 0;
    must(ledger_read(exchange_ledger(play->world->home[home].exchange), &seen.txn, &error));
    must(table_each(seen.txn, TABLE_OFFERS, bytes_of(NULL, 0), NULL, visit_row, &seen, &error));
    ledger_abort(&seen.txn);
    arena_destroy(&seen.arena);
    for (size_t i = 0; i < play->count; i++)
      expected += play->offers[i].author != home && may_see(play, &play->offers[i], home);
    if (seen.count != expected) print_missing(play, home);
    assert_int_equal(seen.count, expected);
  }
}

/* ---- what may happen */

static void fill(struct play *play, struct plain *plain, Collega__Offer *offer,
                 char audience[128]) {
  plain->isco = iscos[roll(play, 4)];
  plain->region = regions[roll(play, 3)];
  plain->sector = sectors[roll(play, 4)];
  plain->headcount = 1 + roll(play, 20);
  plain->expires = play->world->now + HOUR_MS + (collega_time)roll(play, 60 * 24) * HOUR_MS;
  /* Not the author alone: that is refused. */
  do {
    plain->named = roll(play, 3) == 0 ? 1 + roll(play, (1u << HOMES) - 1) : 0;
  } while (plain->named == 1u << plain->author);
  world_offer(offer, plain->kind, plain->headcount);
  offer->period->from = date_of_time(play->world->now) + 1;
  offer->period->until = offer->period->from + 300;
  offer->occupation->isco = (char *)(uintptr_t)plain->isco;
  offer->place->region = *plain->region ? (char *)(uintptr_t)plain->region : NULL;
  offer->sector = *plain->sector ? (char *)(uintptr_t)plain->sector : NULL;
  offer->has_expires = true;
  offer->expires = plain->expires;
  if (!plain->named) return;
  snprintf(audience, 128, "named:");
  for (size_t i = 0; i < HOMES; i++) {
    if (!(plain->named >> i & 1)) continue;
    if (audience[6]) strcat(audience, ",");
    strcat(audience, kvks[i]);
  }
  offer->audience = audience;
}

static void publish_one(struct play *play) {
  char audience[128] = "";
  Collega__Offer offer;
  if (play->count == OFFERS) return;
  struct plain *plain = &play->offers[play->count++];
  struct home *home;
  plain->author = roll(play, 3);
  plain->kind = (Collega__OfferKind)(1 + roll(play, 4));
  plain->state = COLLEGA__OFFER_STATE__OFFER_STATE_OPEN;
  plain->revision = 1;
  fill(play, plain, &offer, audience);
  home = &play->world->home[plain->author];
  struct offer_input input = {&offer, NULL};
  must(
      offer_publish(home->exchange, &home->party, &input, 1, play->world->now, &plain->id, &error));
}

/* One that can still be changed; NULL: none was hit on. */
static struct plain *pick(struct play *play) {
  if (!play->count) return NULL;
  struct plain *plain = &play->offers[roll(play, (uint32_t)play->count)];
  return may_see(play, plain, plain->author) || plain->expires > play->world->now ? plain : NULL;
}

static void revise_one(struct play *play) {
  char audience[128] = "";
  Collega__Offer offer;
  struct plain *plain = pick(play);
  if (!plain || plain->state == COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN) return;
  struct home *home = &play->world->home[plain->author];
  uint32_t revision = 0;
  fill(play, plain, &offer, audience);
  struct offer_input input = {&offer, NULL};
  must(offer_revise(home->exchange, &home->party, &plain->id, &input, play->world->now, &revision,
                    &error));
  assert_int_equal(revision, ++plain->revision);
}

static void change_one(struct play *play) {
  struct plain *plain = pick(play);
  if (!plain || plain->state == COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN) return;
  Collega__OfferState state = (Collega__OfferState)(1 + roll(play, roll(play, 3) ? 3 : 4));
  if (state == plain->state) return;
  struct home *home = &play->world->home[plain->author];
  must(offer_set_state(home->exchange, &home->party, &plain->id, state, play->world->now, &error));
  plain->state = state;
}

static void set_filter(struct play *play, size_t at) {
  const struct wanted *wanted = &play->wanted[at];
  struct follow_texts texts = {.kinds = wanted->kind,
                               .occupations = wanted->isco,
                               .regions = wanted->region,
                               .sectors = wanted->sector};
  must(exchange_set_filter(play->world->home[at].exchange, &texts, &error));
}

static void follow_other(struct play *play) {
  size_t at = roll(play, HOMES);
  struct wanted *wanted = &play->wanted[at];
  wanted->kind = roll(play, 3) ? "" : kinds[roll(play, 4)];
  wanted->isco = roll(play, 3) ? "" : "43";
  wanted->region = roll(play, 3) ? "" : regions[roll(play, 2)];
  wanted->sector = roll(play, 3) ? "" : "52";
  set_filter(play, at);
  world_welcome(play->world, &play->world->home[at]);
}

/* What was not sent in its time lapses at its author, and what the board still shows of it is withdrawn. */
static void let_time_pass(struct play *play, collega_time most) {
  play->world->now += 1 + (collega_time)roll(play, (uint32_t)(most / HOUR_MS)) * HOUR_MS;
}

/* The whole horizon, so that sessions that begin after it meet it. */
static void compact(struct world *world) {
  bool more = true;
  for (int i = 0; more; i++) {
    uint64_t through = 0;
    assert_true(i < 100);
    must(commit_compact(world->commit, world->now, &through, &more, &error));
  }
}

/* ---- restores */

static void settle(struct play *play) {
  for (size_t i = 0; i < HOMES; i++)
    if (!play->world->home[i].welcomed) world_welcome(play->world, &play->world->home[i]);
  world_settle(play->world);
}

static void new_path(struct play *play, char path[128]) {
  snprintf(path, 128, "%s/copy-%u", play->world->directory, ++play->world->restores);
}

static void backup_home(struct play *play, size_t at) {
  new_path(play, play->home_backup[at]);
  must(node_backup(play->world->home[at].exchange, play->home_backup[at], &error));
}

/* What a home had not sent yet, or a restored broker has not heard of again, goes with the home: here nothing is. */
static void restore_home(struct play *play, size_t at) {
  if (!play->home_backup[at][0]) return;
  settle(play);
  play->home_restores++;
  world_restore_home(play->world, &play->world->home[at], play->home_backup[at]);
  set_filter(play, at);
  world_catch_up(play->world, &play->world->home[at]);
}

static void backup_broker(struct play *play) {
  new_path(play, play->broker_backup);
  world_backup_broker(play->world, play->broker_backup);
}

/* Some come back at once, others later. */
static void restore_broker(struct play *play) {
  if (!play->broker_backup[0]) return;
  play->broker_restores++;
  world_restore_broker(play->world, play->broker_backup);
  for (size_t i = 0; i < HOMES; i++)
    if (roll(play, 2)) world_welcome(play->world, &play->world->home[i]);
}

static void lose_something(struct play *play) {
  size_t at = roll(play, HOMES);
  switch (roll(play, 6)) {
  case 0:
    backup_broker(play);
    break;
  case 1:
    restore_broker(play);
    break;
  case 2:
  case 3:
    restore_home(play, at);
    break;
  default:
    backup_home(play, at);
    break;
  }
}

static void step(struct play *play) {
  struct home *home = &play->world->home[roll(play, HOMES)];
  uint32_t what = roll(play, 16);
  if (what > 10 && !home->welcomed) return;
  switch (what) {
  case 0:
  case 1:
  case 2:
    publish_one(play);
    break;
  case 3:
  case 4:
  case 5:
    revise_one(play);
    break;
  case 6:
  case 7:
    change_one(play);
    break;
  case 8:
    follow_other(play);
    break;
  case 9:
    let_time_pass(play, 3 * DAY_MS);
    break;
  case 10:
    world_welcome(play->world, home);
    break;
  case 11:
  case 12:
    (void)world_send_waiting(play->world, home);
    break;
  case 13:
  case 14:
    (void)world_board(play->world, home);
    break;
  default:
    (void)world_mail(play->world, home);
    break;
  }
}

static void play_through(struct world *world, uint64_t seed) {
  struct play play = {.world = world, .random = seed * 2 + 1};
  for (size_t i = 0; i < HOMES; i++) {
    world_home(world, names[i], kvks[i], true);
    play.wanted[i] = (struct wanted){"", "", "", ""};
  }
  world_settle(world);
  for (int i = 0; i < STEPS; i++) {
    step(&play);
    if (i == STEPS / 2) world->now += 200 * DAY_MS; /* a long winter */
    if (i == STEPS * 3 / 4) world->now += 20 * DAY_MS;
    if (roll(&play, 12) == 0) compact(world);
    if (roll(&play, 10) == 0) lose_something(&play);
    if (i % 40 != 39) continue;
    settle(&play);
    assert_views(&play);
  }
  settle(&play);
  assert_views(&play);
  for (size_t i = 0; i < HOMES; i++)
    world_rebuilds(&world->home[i]);
  print_message("restores of homes: %u, of the broker: %u\n", play.home_restores,
                play.broker_restores);
}

static struct short_id publish_in(struct world *world, struct home *home, uint32_t headcount) {
  Collega__Offer offer;
  struct short_id id;
  struct offer_input input = {&offer, NULL};
  world_offer(&offer, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, headcount);
  offer.period->from = date_of_time(world->now) + 1;
  offer.period->until = offer.period->from + 100;
  must(offer_publish(home->exchange, &home->party, &input, 1, world->now, &id, &error));
  return id;
}

/* Long after: what was published then is off the board, for a cursor that stayed behind and for
 * somebody who only comes now; what was published since is there. */
static void what_is_over_is_compacted(void **state) {
  struct world *world = *state;
  struct home *author = world_home(world, names[0], kvks[0], true);
  struct home *steady = world_home(world, names[1], kvks[1], true);
  struct home *behind = world_home(world, names[2], kvks[2], true);
  struct arena *arena = arena_new(65536, 1u << 24);
  world_settle(world);
  struct short_id old = publish_in(world, author, 3);
  world_settle(world);
  uint64_t published = world_offer_row(steady, &old, arena)->position->seq;
  behind->welcomed = false;
  must(offer_set_state(author->exchange, &author->party, &old,
                       COLLEGA__OFFER_STATE__OFFER_STATE_PAUSED, world->now, &error));
  world_settle(world);
  uint64_t through = 0;
  bool more = true;
  world->now += 209 * DAY_MS;
  must(commit_compact(world->commit, world->now, &through, &more, &error));
  assert_true(through < published);
  world->now += 2 * DAY_MS;
  compact(world);
  must(commit_compact(world->commit, world->now, &through, &more, &error));
  assert_true(through > published);
  assert_false(more);
  struct short_id fresh = publish_in(world, author, 2);
  world_settle(world);
  world_welcome(world, steady); /* it had read everything */
  assert_int_equal(steady->resets, 0);
  world_welcome(world, behind);
  assert_int_equal(behind->resets, 1);
  struct home *late = world_home(world, names[3], kvks[3], true);
  world_settle(world);
  assert_int_equal(late->resets, 0);
  assert_non_null(world_offer_row(steady, &old, arena)); /* until it starts anew, its own affair */
  assert_null(world_offer_row(behind, &old, arena));
  assert_null(world_offer_row(late, &old, arena));
  assert_non_null(world_offer_row(behind, &fresh, arena));
  assert_non_null(world_offer_row(late, &fresh, arena));
  arena_destroy(&arena);
}

/* Plays that once went wrong: restored homes that sent contents of withdrawn offers, or letters that they had fetched;
 * a state that went out before the content that it is about; a withdrawal that was not fetched. */
static const uint64_t once_wrong[] = {3877642406, 2575556179, 1062807693, 962226991};
#define ONCE_WRONG ((int)(sizeof once_wrong / sizeof once_wrong[0]))

/* Each play is in a world of its own. COLLEGA_SEED plays one again, COLLEGA_LONG plays many. */
static void views_are_what_a_plain_list_says(void **state) {
  const char *text = getenv("COLLEGA_SEED");
  int plays = text ? 1 : ONCE_WRONG + (getenv("COLLEGA_LONG") ? PLAYS_LONG : PLAYS);
  for (int i = 0; i < plays; i++) {
    uint64_t seed = text ? strtoull(text, NULL, 10) : i < ONCE_WRONG ? once_wrong[i] : 0;
    if (!seed) random_fill(&seed, 4);
    print_message("COLLEGA_SEED=%" PRIu64 "\n", seed);
    if (i > 0) {
      world_teardown(state);
      assert_int_equal(world_setup(state), 0);
    }
    play_through(*state, seed);
  }
}

static void bad_filters_are_named(void **state) {
  struct world *world = *state;
  struct home *home = world_home(world, names[0], kvks[0], false);
  static const struct {
    struct follow_texts texts;
    const char *field;
  } bad[] = {
      {{.kinds = "loan_out, lend"}, "follow.kinds"},
      {{.occupations = "43x!"}, "follow.occupations"},
      {{.occupations = "43210"}, "follow.occupations"},
      {{.regions = "Brabant"}, "follow.regions"},
      {{.sectors = "trade"}, "follow.sectors"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct collega_error why;
    assert_int_equal(exchange_set_filter(home->exchange, &bad[i].texts, &why), COLLEGA_INVALID);
    assert_int_equal(strncmp(why.field, bad[i].field, strlen(bad[i].field)), 0);
  }
}

static void the_order_of_a_setting_makes_no_other_filter(void **state) {
  struct world *world = *state;
  struct home *home = world_home(world, names[0], kvks[0], true);
  struct follow_texts texts = {.regions = "AM25,AM01 AM25", .kinds = "loan_in,loan_out"};
  must(exchange_set_filter(home->exchange, &texts, &error));
  world_welcome(world, home);
  world_settle(world);
  uint64_t entries = world_entries(home);
  texts = (struct follow_texts){.regions = "AM01, AM25", .kinds = "loan_out loan_in loan_in"};
  must(exchange_set_filter(home->exchange, &texts, &error));
  world_welcome(world, home);
  world_settle(world);
  assert_int_equal(world_entries(home), entries);
}

#define world_test(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      world_test(views_are_what_a_plain_list_says),
      world_test(what_is_over_is_compacted),
      world_test(bad_filters_are_named),
      world_test(the_order_of_a_setting_makes_no_other_filter),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
