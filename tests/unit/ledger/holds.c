/* Holds: the rules by example, and all of them against a plain calendar with random rows. */
#include "home.h"
#include "client/ledger/holds.h"
#include "tests/support/random.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ids that a row points into. */
struct names {
  struct id party, root, deal;
  struct short_id subject;
};

static CollegaStore__Hold hold_of(struct names *names, uint8_t root, uint8_t deal,
                                  collega_date from, collega_date until, uint32_t people,
                                  uint32_t hours) {
  names->party = test_id(0xaa);
  memset(names->subject.byte, 0xbb, SHORT_ID_BYTES);
  names->root = test_id(root);
  names->deal = test_id(deal);
  CollegaStore__Hold hold = COLLEGA_STORE__HOLD__INIT;
  hold.party = (ProtobufCBinaryData){ID_BYTES, names->party.byte};
  hold.subject = (ProtobufCBinaryData){SHORT_ID_BYTES, names->subject.byte};
  hold.root = (ProtobufCBinaryData){ID_BYTES, names->root.byte};
  hold.deal = (ProtobufCBinaryData){ID_BYTES, names->deal.byte};
  hold.from = from;
  hold.until = until;
  hold.people = people;
  hold.hours_per_week = hours;
  return hold;
}

static void put(struct ledger_txn *txn, uint8_t root, uint8_t deal, collega_date from,
                collega_date until, uint32_t people) {
  struct names names;
  CollegaStore__Hold hold = hold_of(&names, root, deal, from, until, people, 36);
  must(holds_put(txn, &hold, &error));
}

static uint64_t most(struct ledger_txn *txn, collega_date from, collega_date until, bool carve) {
  struct names names;
  hold_of(&names, 0, 0, 0, 0, 0, 0);
  uint64_t out = 0;
  must(holds_most(txn, &names.party, &names.subject, from, until, carve, &out, &error));
  return out;
}

static const struct capacity twelve = {
    .headcount = 12, .hours_per_week = 40, .from = 100, .until = 200};

static void assert_fits(struct ledger_txn *txn, const struct capacity *capacity,
                        const CollegaStore__Hold *wanted) {
  must(holds_fit(txn, capacity, wanted, &error));
}

static void assert_full(struct ledger_txn *txn, const struct capacity *capacity,
                        const CollegaStore__Hold *wanted, collega_date day, const char *left,
                        const char *asked) {
  struct collega_error why;
  char text[32];
  date_write(text, sizeof text, day);
  assert_int_equal(holds_fit(txn, capacity, wanted, &why), COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_no_room);
  assert_string_equal(why.argument[0], text);
  assert_string_equal(why.argument[1], left);
  assert_string_equal(why.argument[2], asked);
}

static void people_who_end_before_the_others_count_until_their_last_day(void **state) {
  struct ledger_txn *txn = test_write(*state);
  CollegaStore__HoldEnd first = COLLEGA_STORE__HOLD_END__INIT, second = first;
  CollegaStore__HoldEnd *ends[] = {&first, &second};
  struct names names;
  CollegaStore__Hold hold = hold_of(&names, 1, 1, 110, 150, 5, 36);
  first.people = 2;
  first.until = 120;
  second.people = 4; /* more than there are: none are left */
  second.until = 130;
  hold.n_ends = 2;
  hold.ends = ends;
  must(holds_put(txn, &hold, &error));
  assert_int_equal(most(txn, 100, 200, false), 5);
  assert_int_equal(most(txn, 120, 200, false), 5);
  assert_int_equal(most(txn, 121, 200, false), 3);
  assert_int_equal(most(txn, 121, 200, true), 3 * 36);
  assert_int_equal(most(txn, 131, 200, false), 0);
  struct names others;
  CollegaStore__Hold wanted = hold_of(&others, 2, 2, 121, 150, 9, 36);
  assert_fits(txn, &twelve, &wanted);
  wanted.from = 120;
  assert_full(txn, &twelve, &wanted, 120, "7", "9");
  ledger_abort(&txn);
}

static void over_roots_the_sum_counts_and_dates_are_inclusive(void **state) {
  struct ledger_txn *txn = test_write(*state);
  put(txn, 1, 1, 110, 120, 5);
  put(txn, 2, 2, 120, 130, 4);
  assert_int_equal(most(txn, 100, 200, false), 9);
  assert_int_equal(most(txn, 100, 119, false), 5);
  assert_int_equal(most(txn, 121, 200, false), 4);
  assert_int_equal(most(txn, 131, 200, false), 0);
  assert_int_equal(most(txn, 120, 120, false), 9);
  assert_int_equal(most(txn, 121, 120, false), 0);
  struct names names;
  CollegaStore__Hold wanted = hold_of(&names, 3, 3, 100, 200, 3, 36);
  assert_fits(txn, &twelve, &wanted);
  wanted.people = 4;
  assert_full(txn, &twelve, &wanted, 120, "3", "4");
  wanted.from = 121;
  assert_fits(txn, &twelve, &wanted);
  wanted.people = 9;
  assert_full(txn, &twelve, &wanted, 121, "8", "9");
  wanted.from = 131;
  assert_fits(txn, &twelve, &wanted);
  ledger_abort(&txn);
}

static void within_a_root_the_larger_counts_per_day(void **state) {
  struct ledger_txn *txn = test_write(*state);
  put(txn, 1, 1, 110, 120, 10);
  put(txn, 1, 2, 115, 140, 6);
  assert_int_equal(most(txn, 100, 200, false), 10);
  assert_int_equal(most(txn, 121, 200, false), 6);
  struct names names;
  /* A counter-proposal of the same root adds only what it asks beyond that. */
  CollegaStore__Hold counter = hold_of(&names, 1, 3, 100, 200, 12, 36);
  assert_fits(txn, &twelve, &counter);
  CollegaStore__Hold other = hold_of(&names, 2, 3, 100, 200, 3, 36);
  assert_full(txn, &twelve, &other, 110, "2", "3");
  other.from = 121;
  assert_fits(txn, &twelve, &other);
  ledger_abort(&txn);
}

static void the_deals_own_row_is_ignored(void **state) {
  struct ledger_txn *txn = test_write(*state);
  put(txn, 1, 1, 110, 120, 12);
  struct names names;
  CollegaStore__Hold again = hold_of(&names, 1, 1, 110, 120, 12, 36);
  assert_fits(txn, &twelve, &again);
  ledger_abort(&txn);
}

static void outside_its_period_a_capacity_offers_nothing(void **state) {
  struct ledger_txn *txn = test_write(*state);
  struct names names;
  CollegaStore__Hold wanted = hold_of(&names, 1, 1, 99, 150, 1, 36);
  assert_full(txn, &twelve, &wanted, 99, "0", "1");
  wanted = hold_of(&names, 1, 1, 150, 201, 1, 36);
  assert_full(txn, &twelve, &wanted, 201, "0", "1");
  wanted = hold_of(&names, 1, 1, 300, 301, 1, 36);
  assert_full(txn, &twelve, &wanted, 300, "0", "1");
  wanted = hold_of(&names, 1, 1, 150, DATE_OPEN, 1, 36);
  assert_full(txn, &twelve, &wanted, 201, "0", "1");
  struct capacity open = twelve;
  open.until = DATE_OPEN;
  assert_fits(txn, &open, &wanted);
  put(txn, 2, 2, 70000, DATE_OPEN, 12);
  assert_full(txn, &open, &wanted, 70000, "0", "1");
  assert_int_equal(most(txn, 0, DATE_OPEN, false), 12);
  ledger_abort(&txn);
}

static void with_carve_people_times_hours_count(void **state) {
  struct ledger_txn *txn = test_write(*state);
  struct capacity capacity = {
      .headcount = 2, .hours_per_week = 36, .carve = true, .from = 0, .until = 10};
  struct names names;
  CollegaStore__Hold hold = hold_of(&names, 1, 1, 0, 10, 3, 12);
  must(holds_put(txn, &hold, &error));
  hold = hold_of(&names, 1, 2, 0, 10, 1, 30); /* same root, fewer hours in all */
  must(holds_put(txn, &hold, &error));
  assert_int_equal(most(txn, 0, 10, true), 36);
  assert_int_equal(most(txn, 0, 10, false), 3);
  CollegaStore__Hold wanted = hold_of(&names, 2, 3, 0, 10, 3, 12);
  assert_fits(txn, &capacity, &wanted);
  wanted.hours_per_week = 13;
  assert_full(txn, &capacity, &wanted, 0, "36", "39");
  ledger_abort(&txn);
}

static void other_parties_and_subjects_do_not_count(void **state) {
  struct ledger_txn *txn = test_write(*state);
  struct names names;
  CollegaStore__Hold hold = hold_of(&names, 1, 1, 100, 200, 12, 36);
  names.subject.byte[15] = 1;
  must(holds_put(txn, &hold, &error));
  hold = hold_of(&names, 1, 1, 100, 200, 12, 36);
  names.party.byte[31] = 1;
  must(holds_put(txn, &hold, &error));
  assert_int_equal(most(txn, 100, 200, false), 0);
  CollegaStore__Hold wanted = hold_of(&names, 2, 2, 100, 200, 12, 36);
  assert_fits(txn, &twelve, &wanted);
  ledger_abort(&txn);
}

static bool count_rows(void *context, struct bytes key, struct bytes value) {
  (void)key;
  CollegaStore__Hold *row = collega_store__hold__unpack(NULL, value.length, value.data);
  assert_non_null(row);
  int *count = context;
  count[row->agreed ? 1 : 0]++;
  collega_store__hold__free_unpacked(row, NULL);
  return true;
}

static void assert_rows(struct ledger_txn *txn, int held, int agreed) {
  int count[2] = {0, 0};
  must(table_each(txn, TABLE_HOLDS, bytes_of(NULL, 0), NULL, count_rows, count, &error));
  assert_int_equal(count[0], held);
  assert_int_equal(count[1], agreed);
}

static void agreeing_keeps_the_deals_row_and_drops_the_rest_of_its_root(void **state) {
  struct ledger_txn *txn = test_write(*state);
  put(txn, 1, 1, 100, 120, 5);
  put(txn, 1, 2, 100, 130, 7);
  put(txn, 1, 3, 100, 130, 2);
  put(txn, 2, 4, 100, 130, 4);
  struct names names;
  hold_of(&names, 1, 2, 0, 0, 0, 0);
  must(holds_agree(txn, &names.party, &names.subject, &names.root, &names.deal, &error));
  assert_rows(txn, 1, 1);
  assert_int_equal(most(txn, 100, 130, false), 11); /* agreed counts as held does */
  must(holds_agree(txn, &names.party, &names.subject, &names.root, &names.deal, &error));
  assert_rows(txn, 1, 1);
  hold_of(&names, 2, 9, 0, 0, 0, 0);
  assert_int_equal(holds_agree(txn, &names.party, &names.subject, &names.root, &names.deal, NULL),
                   COLLEGA_NOT_FOUND);
  assert_rows(txn, 1, 1);
  hold_of(&names, 2, 4, 0, 0, 0, 0);
  must(holds_drop(txn, &names.party, &names.subject, &names.root, &names.deal, &error));
  must(holds_drop(txn, &names.party, &names.subject, &names.root, &names.deal, &error));
  assert_rows(txn, 0, 1);
  ledger_abort(&txn);
}

static void a_hold_without_days_or_with_a_short_id_is_refused(void **state) {
  struct ledger_txn *txn = test_write(*state);
  struct names names;
  CollegaStore__Hold hold = hold_of(&names, 1, 1, 120, 119, 5, 36);
  struct collega_error why;
  assert_int_equal(holds_put(txn, &hold, &why), COLLEGA_INVALID);
  assert_int_equal(why.rule, RULE_hold_invalid);
  assert_int_equal(holds_fit(txn, &twelve, &hold, &why), COLLEGA_INVALID);
  hold = hold_of(&names, 1, 1, 119, 119, 5, 36);
  hold.deal.len = 31;
  assert_int_equal(holds_put(txn, &hold, &why), COLLEGA_INVALID);
  assert_rows(txn, 0, 0);
  ledger_abort(&txn);
}

/* ---- against a plain calendar */

#define ROUNDS  400
#define MOST    14 /* rows a round */
#define ENDS    3  /* of one row, before its last day */
#define DAYS    48 /* rows begin, and bounded ones end, before that */
#define HORIZON (DAYS + 2)
#define ROOTS   4

static uint32_t below(uint64_t *state, uint32_t bound) {
  return (uint32_t)(random_next(state) % bound);
}

static void random_days(uint64_t *seed, collega_date *from, collega_date *until) {
  *from = (collega_date)below(seed, DAYS);
  *until =
      below(seed, 6) == 0 ? DATE_OPEN : *from + (collega_date)below(seed, (uint32_t)(DAYS - *from));
}

struct round {
  struct names names[MOST];
  CollegaStore__Hold hold[MOST];
  uint8_t root[MOST];
  CollegaStore__HoldEnd end[MOST][ENDS], *ends[MOST][ENDS];
  size_t count;
};

/* On one of its days: people of a row may end before the others. */
static uint64_t weight(const CollegaStore__Hold *hold, collega_date day, bool carve) {
  uint64_t gone = 0;
  for (size_t i = 0; i < hold->n_ends; i++)
    if (day > hold->ends[i]->until) gone += hold->ends[i]->people;
  uint64_t people = gone < hold->people ? hold->people - gone : 0;
  return carve ? people * hold->hours_per_week : people;
}

/* What each root holds on a day, written into a table of roots; one deal (by its row) may be
 * left out. */
static void calendar_day(const struct round *round, collega_date day, bool carve,
                         const CollegaStore__Hold *but, uint64_t by_root[ROOTS]) {
  memset(by_root, 0, ROOTS * sizeof by_root[0]);
  for (size_t i = 0; i < round->count; i++) {
    const CollegaStore__Hold *hold = &round->hold[i];
    if (day < hold->from || day > hold->until) continue;
    if (but != NULL && memcmp(but->deal.data, hold->deal.data, ID_BYTES) == 0) continue;
    uint64_t *at = &by_root[round->root[i]];
    if (weight(hold, day, carve) > *at) *at = weight(hold, day, carve);
  }
}

static uint64_t sum_of(const uint64_t by_root[ROOTS]) {
  uint64_t sum = 0;
  for (size_t i = 0; i < ROOTS; i++)
    sum += by_root[i];
  return sum;
}

static void check_days(const struct round *round, bool carve) {
  const CollegaStore__Hold *rows[MOST];
  for (size_t i = 0; i < round->count; i++)
    rows[i] = &round->hold[i];
  for (collega_date day = 0; day < HORIZON; day++) {
    uint64_t by_root[ROOTS];
    calendar_day(round, day, carve, NULL, by_root);
    assert_true(holds_on_day(rows, round->count, day, carve) == sum_of(by_root));
  }
}

static void check_most(struct ledger_txn *txn, const struct round *round, bool carve,
                       uint64_t *seed) {
  collega_date from, until;
  random_days(seed, &from, &until);
  uint64_t expected = 0, by_root[ROOTS];
  for (collega_date day = from; day <= until && day < HORIZON; day++) {
    calendar_day(round, day, carve, NULL, by_root);
    if (sum_of(by_root) > expected) expected = sum_of(by_root);
  }
  assert_true(most(txn, from, until, carve) == expected);
}

/* True when it fitted, so that the test can see that both answers occur. */
static bool check_fit(struct ledger_txn *txn, const struct round *round, bool carve,
                      uint64_t *seed) {
  struct capacity capacity = {
      .headcount = 1 + below(seed, 40), .hours_per_week = 24 + below(seed, 17), .carve = carve};
  if (below(seed, 3) == 0) {
    random_days(seed, &capacity.from, &capacity.until);
  } else {
    capacity.from = 0;
    capacity.until = DATE_OPEN;
  }
  collega_date from, until;
  random_days(seed, &from, &until);
  uint8_t root = (uint8_t)below(seed, ROOTS), deal = (uint8_t)(100 + below(seed, MOST));
  if (round->count > 0 && below(seed, 3) == 0) { /* the row of a deal that stands is put anew */
    size_t at = below(seed, (uint32_t)round->count);
    root = round->root[at];
    deal = round->names[at].deal.byte[0];
  }
  struct names names;
  CollegaStore__Hold wanted =
      hold_of(&names, root, deal, from, until, 1 + below(seed, 12), 8 + below(seed, 33));
  for (collega_date day = from; day <= until && day < HORIZON; day++) {
    uint64_t by_root[ROOTS], asked = weight(&wanted, day, carve);
    calendar_day(round, day, carve, &wanted, by_root);
    if (by_root[root] > asked) asked = by_root[root];
    by_root[root] = 0;
    bool offered = capacity.from <= day && day <= capacity.until;
    uint64_t limit = !offered ? 0
                     : carve  ? (uint64_t)capacity.headcount * capacity.hours_per_week
                              : capacity.headcount;
    uint64_t others = sum_of(by_root);
    if (others + asked <= limit) continue;
    char left_text[24], asked_text[24];
    snprintf(left_text, sizeof left_text, "%" PRIu64, limit > others ? limit - others : 0);
    snprintf(asked_text, sizeof asked_text, "%" PRIu64, asked);
    assert_full(txn, &capacity, &wanted, day, left_text, asked_text);
    return false;
  }
  assert_fits(txn, &capacity, &wanted);
  return true;
}

static void fill_round(struct ledger_txn *txn, struct round *round, uint64_t *seed) {
  round->count = below(seed, MOST + 1);
  for (size_t i = 0; i < round->count; i++) {
    collega_date from, until;
    random_days(seed, &from, &until);
    round->root[i] = (uint8_t)below(seed, ROOTS);
    round->hold[i] = hold_of(&round->names[i], round->root[i], (uint8_t)(1 + i), from, until,
                             1 + below(seed, 12), 8 + below(seed, 33));
    round->hold[i].agreed = below(seed, 2) == 0;
    round->hold[i].ends = round->ends[i];
    round->hold[i].n_ends = below(seed, 2) == 0 ? below(seed, ENDS + 1) : 0;
    for (size_t j = 0; j < round->hold[i].n_ends; j++) {
      collega_store__hold_end__init(&round->end[i][j]);
      round->end[i][j].people = 1 + below(seed, 6);
      round->end[i][j].until = (collega_date)below(seed, DAYS);
      round->ends[i][j] = &round->end[i][j];
    }
    must(holds_put(txn, &round->hold[i], &error));
  }
}

static void random_holds_agree_with_a_plain_calendar(void **state) {
  const char *given = getenv("COLLEGA_TEST_SEED");
  uint64_t seed;
  if (given != NULL)
    seed = strtoull(given, NULL, 10);
  else
    random_fill(&seed, sizeof seed);
  print_message("COLLEGA_TEST_SEED=%" PRIu64 "\n", seed);
  static struct round round;
  int fitted = 0, refused = 0;
  for (int i = 0; i < ROUNDS; i++) {
    struct ledger_txn *txn = test_write(*state);
    fill_round(txn, &round, &seed);
    bool carve = below(&seed, 2) == 0;
    check_days(&round, carve);
    for (int j = 0; j < 5; j++) {
      check_most(txn, &round, carve, &seed);
      if (check_fit(txn, &round, carve, &seed))
        fitted++;
      else
        refused++;
    }
    ledger_abort(&txn);
  }
  assert_true(fitted > ROUNDS / 10);
  assert_true(refused > ROUNDS / 10);
}

#define WITH_HOME(test) cmocka_unit_test_setup_teardown(test, home_setup, home_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_HOME(over_roots_the_sum_counts_and_dates_are_inclusive),
      WITH_HOME(within_a_root_the_larger_counts_per_day),
      WITH_HOME(the_deals_own_row_is_ignored),
      WITH_HOME(outside_its_period_a_capacity_offers_nothing),
      WITH_HOME(with_carve_people_times_hours_count),
      WITH_HOME(other_parties_and_subjects_do_not_count),
      WITH_HOME(agreeing_keeps_the_deals_row_and_drops_the_rest_of_its_root),
      WITH_HOME(a_hold_without_days_or_with_a_short_id_is_refused),
      WITH_HOME(people_who_end_before_the_others_count_until_their_last_day),
      WITH_HOME(random_holds_agree_with_a_plain_calendar),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
