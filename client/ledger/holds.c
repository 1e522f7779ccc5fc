/* Holds. Key: party (32), subject (16), root (32), deal (32); value: Hold. The rows of one
 * subject lie together, and within them those of one root, so "the larger within a root" is
 * taken in one pass.
 *
 * A sum over days rises only on a day on which some row begins: people of a row may end before
 * others, and never come later. So the first day that is full, and the fullest day, are found by
 * looking at those days alone; a calendar of a hundred years is never walked. */
#include "client/ledger/holds.h"
#include "client/ledger/transaction.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUBJECT_BYTES    (ID_BYTES + SHORT_ID_BYTES)
#define ROOT_BYTES       (SUBJECT_BYTES + ID_BYTES)
#define HOLD_KEY_BYTES   (ROOT_BYTES + ID_BYTES)
#define ROWS_ARENA_BYTES 16384

static bool same(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b) {
  return bytes_equal(bytes_of(a->data, a->len), bytes_of(b->data, b->len));
}

static bool stands(const CollegaStore__Hold *row, collega_date day) {
  return row->from <= day && day <= row->until;
}

static uint64_t measure(const CollegaStore__Hold *row, collega_date day, bool carve) {
  uint64_t people = row->people;
  for (size_t i = 0; i < row->n_ends; i++)
    if (row->ends[i]->until < day)
      people -= row->ends[i]->people < people ? row->ends[i]->people : people;
  return carve ? people * row->hours_per_week : people;
}

uint64_t holds_row_on_day(const CollegaStore__Hold *row, collega_date day) {
  return stands(row, day) ? measure(row, day, false) : 0;
}

/* The plain definition, for rows in any order: a row counts on a day when no other row of its
 * root that stands that day is larger (of equals, the first counts). */
uint64_t holds_on_day(const CollegaStore__Hold *const *rows, size_t count, collega_date day,
                      bool carve) {
  uint64_t sum = 0;
  for (size_t i = 0; i < count; i++) {
    if (!stands(rows[i], day)) continue;
    bool counts = true;
    for (size_t j = 0; j < count && counts; j++) {
      if (j == i || !stands(rows[j], day) || !same(&rows[i]->root, &rows[j]->root)) continue;
      uint64_t mine = measure(rows[i], day, carve), other = measure(rows[j], day, carve);
      counts = other < mine || (other == mine && i < j);
    }
    if (counts) sum += measure(rows[i], day, carve);
  }
  return sum;
}

/* ---- the rows of one party's subject, in the order of their keys */

struct rows {
  struct arena *arena;
  const CollegaStore__Hold **row;
  size_t count, capacity;
  bool damaged, no_memory;
};

static void rows_free(struct rows *rows) {
  free(rows->row);
  arena_destroy(&rows->arena);
}

static bool rows_add(void *context, struct bytes key, struct bytes value) {
  struct rows *rows = context;
  if (rows->count == rows->capacity) {
    size_t capacity = rows->capacity == 0 ? 16 : 2 * rows->capacity;
    const CollegaStore__Hold **row = realloc(rows->row, capacity * sizeof *row);
    rows->no_memory = row == NULL;
    if (row == NULL) return false;
    rows->row = row;
    rows->capacity = capacity;
  }
  const CollegaStore__Hold *hold =
      (const CollegaStore__Hold *)row_unpack(&collega_store__hold__descriptor, value, rows->arena);
  rows->no_memory = hold == NULL && arena_exhausted(rows->arena);
  rows->damaged = hold == NULL || key.length != HOLD_KEY_BYTES;
  if (rows->damaged) return false;
  rows->row[rows->count++] = hold;
  return true;
}

/* The caller frees the rows, also after a failure. */
static enum collega_status rows_read(struct ledger_txn *txn, struct bytes prefix, struct rows *rows,
                                     struct collega_error *error) {
  *rows = (struct rows){.arena = arena_new(ROWS_ARENA_BYTES, LEDGER_ARENA_BYTES)};
  if (rows->arena == NULL) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  enum collega_status status = table_each(txn, TABLE_HOLDS, prefix, NULL, rows_add, rows, error);
  if (status != COLLEGA_OK) return status;
  if (rows->no_memory) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  if (rows->damaged)
    return error_set(error, COLLEGA_DAMAGED, RULE_ledger_row_damaged, NULL, table_name(TABLE_HOLDS),
                     NULL);
  return COLLEGA_OK;
}

static enum collega_status rows_of_subject(struct ledger_txn *txn, const struct id *party,
                                           const struct short_id *subject, struct rows *rows,
                                           struct collega_error *error) {
  uint8_t prefix[SUBJECT_BYTES];
  memcpy(prefix, party->byte, ID_BYTES);
  memcpy(prefix + ID_BYTES, subject->byte, SHORT_ID_BYTES);
  return rows_read(txn, bytes_of(prefix, sizeof prefix), rows, error);
}

/* What stands on a day: in the root `own` (NULL: none is set apart), and the sum over all
 * others. */
struct day_sum {
  uint64_t own, others;
};

static struct day_sum sum_on_day(const struct rows *rows, const ProtobufCBinaryData *own,
                                 const ProtobufCBinaryData *ignored_deal, collega_date day,
                                 bool carve) {
  struct day_sum sum = {0, 0};
  for (size_t i = 0; i < rows->count;) {
    const ProtobufCBinaryData *root = &rows->row[i]->root;
    uint64_t largest = 0;
    for (; i < rows->count && same(root, &rows->row[i]->root); i++) {
      const CollegaStore__Hold *row = rows->row[i];
      if (!stands(row, day) || (ignored_deal != NULL && same(ignored_deal, &row->deal))) continue;
      uint64_t people = measure(row, day, carve);
      if (people > largest) largest = people;
    }
    if (own != NULL && same(own, root))
      sum.own = largest;
    else
      sum.others += largest;
  }
  return sum;
}

/* ---- does it fit */

struct full_day {
  bool found;
  collega_date day;
  uint64_t free, asked;
};

static void look_at_day(const struct rows *rows, const struct capacity *capacity,
                        const CollegaStore__Hold *wanted, collega_date day,
                        struct full_day *first) {
  if (first->found && first->day <= day) return;
  const bool offered = capacity->from <= day && day <= capacity->until;
  uint64_t limit = !offered          ? 0
                   : capacity->carve ? (uint64_t)capacity->headcount * capacity->hours_per_week
                                     : capacity->headcount;
  struct day_sum sum = sum_on_day(rows, &wanted->root, &wanted->deal, day, capacity->carve);
  uint64_t asked = measure(wanted, day, capacity->carve);
  if (sum.own > asked) asked = sum.own; /* the negotiation holds this much already */
  uint64_t left = limit > sum.others ? limit - sum.others : 0;
  if (asked <= left) return;
  *first = (struct full_day){.found = true, .day = day, .free = left, .asked = asked};
}

static enum collega_status refuse(const struct full_day *full, struct collega_error *error) {
  char day[32], left[24], asked[24];
  date_write(day, sizeof day, full->day);
  snprintf(left, sizeof left, "%" PRIu64, full->free);
  snprintf(asked, sizeof asked, "%" PRIu64, full->asked);
  return error_set(error, COLLEGA_REFUSED, RULE_no_room, NULL, day, left, asked, NULL);
}

/* The key of a hold. False: an id of it has another length. */
static bool key_of(const CollegaStore__Hold *hold, uint8_t key[HOLD_KEY_BYTES]) {
  if (hold->party.len != ID_BYTES || hold->subject.len != SHORT_ID_BYTES ||
      hold->root.len != ID_BYTES || hold->deal.len != ID_BYTES)
    return false;
  memcpy(key, hold->party.data, ID_BYTES);
  memcpy(key + ID_BYTES, hold->subject.data, SHORT_ID_BYTES);
  memcpy(key + SUBJECT_BYTES, hold->root.data, ID_BYTES);
  memcpy(key + ROOT_BYTES, hold->deal.data, ID_BYTES);
  return true;
}

static enum collega_status hold_invalid(struct collega_error *error) {
  return error_set(error, COLLEGA_INVALID, RULE_hold_invalid, NULL, NULL);
}

enum collega_status holds_fit(struct ledger_txn *txn, const struct capacity *capacity,
                              const CollegaStore__Hold *wanted, struct collega_error *error) {
  uint8_t key[HOLD_KEY_BYTES];
  if (!key_of(wanted, key) || wanted->from > wanted->until) return hold_invalid(error);
  struct rows rows;
  enum collega_status status = rows_read(txn, bytes_of(key, SUBJECT_BYTES), &rows, error);
  if (status == COLLEGA_OK) {
    struct full_day first = {.found = false};
    look_at_day(&rows, capacity, wanted, wanted->from, &first);
    /* Past its period a capacity offers nobody. */
    if (capacity->until < wanted->until && capacity->until >= wanted->from)
      look_at_day(&rows, capacity, wanted, capacity->until + 1, &first);
    for (size_t i = 0; i < rows.count; i++)
      if (wanted->from < rows.row[i]->from && rows.row[i]->from <= wanted->until)
        look_at_day(&rows, capacity, wanted, rows.row[i]->from, &first);
    if (first.found) status = refuse(&first, error);
  }
  rows_free(&rows);
  return status;
}

enum collega_status holds_most(struct ledger_txn *txn, const struct id *party,
                               const struct short_id *subject, collega_date from,
                               collega_date until, bool carve, uint64_t *out,
                               struct collega_error *error) {
  *out = 0;
  struct rows rows;
  enum collega_status status = rows_of_subject(txn, party, subject, &rows, error);
  if (status == COLLEGA_OK && from <= until) {
    *out = sum_on_day(&rows, NULL, NULL, from, carve).others;
    for (size_t i = 0; i < rows.count; i++) {
      const collega_date day = rows.row[i]->from;
      if (day <= from || day > until) continue;
      uint64_t sum = sum_on_day(&rows, NULL, NULL, day, carve).others;
      if (sum > *out) *out = sum;
    }
  }
  rows_free(&rows);
  return status;
}

enum collega_status holds_show(struct ledger_txn *txn, const struct id *party,
                               const struct short_id *subject, holds_look look, void *context,
                               struct collega_error *error) {
  struct rows rows;
  enum collega_status status = rows_of_subject(txn, party, subject, &rows, error);
  if (status == COLLEGA_OK) status = look(context, rows.row, rows.count, error);
  rows_free(&rows);
  return status;
}

/* ---- changing them */

enum collega_status holds_put(struct ledger_txn *txn, const CollegaStore__Hold *hold,
                              struct collega_error *error) {
  uint8_t key[HOLD_KEY_BYTES];
  /* A hold of no days would hold nobody, silently. */
  if (!key_of(hold, key) || hold->from > hold->until) return hold_invalid(error);
  return row_put(txn, TABLE_HOLDS, bytes_of(key, sizeof key), &hold->base, error);
}

static void key_write(uint8_t key[HOLD_KEY_BYTES], const struct id *party,
                      const struct short_id *subject, const struct id *root,
                      const struct id *deal) {
  memcpy(key, party->byte, ID_BYTES);
  memcpy(key + ID_BYTES, subject->byte, SHORT_ID_BYTES);
  memcpy(key + SUBJECT_BYTES, root->byte, ID_BYTES);
  memcpy(key + ROOT_BYTES, deal->byte, ID_BYTES);
}

enum collega_status holds_drop(struct ledger_txn *txn, const struct id *party,
                               const struct short_id *subject, const struct id *root,
                               const struct id *deal, struct collega_error *error) {
  uint8_t key[HOLD_KEY_BYTES];
  key_write(key, party, subject, root, deal);
  return table_delete(txn, TABLE_HOLDS, bytes_of(key, sizeof key), error);
}

enum collega_status holds_agree(struct ledger_txn *txn, const struct id *party,
                                const struct short_id *subject, const struct id *root,
                                const struct id *deal, struct collega_error *error) {
  uint8_t key[HOLD_KEY_BYTES];
  key_write(key, party, subject, root, deal);
  struct rows rows;
  enum collega_status status = rows_read(txn, bytes_of(key, ROOT_BYTES), &rows, error);
  const CollegaStore__Hold *agreed = NULL;
  const struct bytes wanted = bytes_of(deal->byte, ID_BYTES);
  for (size_t i = 0; status == COLLEGA_OK && i < rows.count && agreed == NULL; i++)
    if (bytes_equal(bytes_of(rows.row[i]->deal.data, rows.row[i]->deal.len), wanted))
      agreed = rows.row[i];
  /* Without the row of the deal itself nothing may go: the others might be all that holds these
   * people. */
  if (status == COLLEGA_OK && agreed == NULL) status = COLLEGA_NOT_FOUND;
  for (size_t i = 0; status == COLLEGA_OK && i < rows.count; i++) {
    uint8_t other[HOLD_KEY_BYTES];
    if (rows.row[i] == agreed) continue;
    if (!key_of(rows.row[i], other))
      status = hold_invalid(error);
    else
      status = table_delete(txn, TABLE_HOLDS, bytes_of(other, sizeof other), error);
  }
  if (status == COLLEGA_OK) {
    CollegaStore__Hold row = *agreed;
    row.agreed = 1;
    status = row_put(txn, TABLE_HOLDS, bytes_of(key, sizeof key), &row.base, error);
  }
  rows_free(&rows);
  return status;
}

enum collega_status holds_find(struct ledger_txn *txn, const struct id *party,
                               const struct short_id *subject, const struct id *root,
                               const struct id *deal, struct arena *arena, CollegaStore__Hold **out,
                               struct collega_error *error) {
  uint8_t key[HOLD_KEY_BYTES];
  ProtobufCMessage *row = NULL;
  key_write(key, party, subject, root, deal);
  enum collega_status status = row_get(txn, TABLE_HOLDS, bytes_of(key, sizeof key),
                                       &collega_store__hold__descriptor, arena, &row, error);
  *out = (CollegaStore__Hold *)row;
  return status;
}
