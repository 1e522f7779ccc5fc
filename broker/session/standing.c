/* Buckets are kept in thousandths, so that a tick of a few milliseconds adds what it should. The
 * table is in the order of last use (uthash keeps the order of insertion, and an entry that is
 * touched is inserted anew). */
#include "broker/session/standing.h"
#include "broker/session/table.h"
#include <stdlib.h>
#include <string.h>

#define UNIT           INT64_C(1000) /* parts of one record, byte, frame or session */
#define OWED_WINDOWS   2
#define MINUTE_SECONDS 60

struct bucket {
  int64_t left; /* in units */
  collega_time filled;
};
struct entry {
  struct id home;
  struct bucket records, bytes, frames, sessions;
  uint64_t count[OFFENCE_COUNT];
  uint64_t total;
  UT_hash_handle hh;
};
struct standings {
  struct hash_key hash_key;
  struct rates rates;
  struct entry *table;
};

const char *offence_name(enum offence offence) {
  static const char *const names[OFFENCE_COUNT] = {
#define OFFENCE(name, help) #name,
      OFFENCES
#undef OFFENCE
  };
  return names[offence];
}

struct standings *standings_new(void) {
  struct standings *standings = calloc(1, sizeof *standings);
  if (standings != NULL) random_fill(&standings->hash_key, sizeof standings->hash_key);
  return standings;
}

void standings_destroy(struct standings **standings) {
  if (*standings == NULL) return;
  struct entry *entry, *next;
  HASH_ITER(hh, (*standings)->table, entry, next) {
    HASH_DEL((*standings)->table, entry);
    free(entry);
  }
  free(*standings);
  *standings = NULL;
}

void standings_set_rates(struct standings *standings, const struct rates *rates) {
  standings->rates = *rates;
}

static int64_t full(uint32_t rate) {
  return (int64_t)rate * BURST_SECONDS * UNIT;
}

/* Fills by `rate` a second. A bucket that was never used is full. */
static void fill(struct bucket *bucket, uint32_t rate, int64_t most, collega_time now) {
  collega_time passed = now - bucket->filled;
  if (bucket->filled == 0 || passed > HOUR_MS) { /* also: no product below can overflow */
    bucket->left = most;
  } else if (passed > 0) {
    bucket->left += passed * (int64_t)rate; /* ms times rate a second: thousandths */
    if (bucket->left > most) bucket->left = most;
  }
  if (bucket->filled < now) bucket->filled = now;
}

static struct entry *find(const struct standings *standings, const struct id *home) {
  struct entry *entry = NULL;
  unsigned hash = keyed_hash(&standings->hash_key, home, sizeof *home);
  HASH_FIND_BYHASHVALUE(hh, standings->table, home, sizeof *home, hash, entry);
  return entry;
}

/* The entry of a home, made if there is none, as the one heard of last. NULL: out of memory; then
 * it is let in, and its credit bounds it still. */
static struct entry *touch(struct standings *standings, const struct id *home) {
  struct entry *entry = find(standings, home);
  if (entry != NULL) {
    HASH_DEL(standings->table, entry);
  } else {
    if (HASH_COUNT(standings->table) >= STANDINGS_MOST) {
      struct entry *oldest = standings->table;
      HASH_DEL(standings->table, oldest);
      free(oldest);
    }
    entry = calloc(1, sizeof *entry);
    if (entry == NULL) return NULL;
    entry->home = *home;
  }
  unsigned hash = keyed_hash(&standings->hash_key, home, sizeof *home);
  HASH_ADD_BYHASHVALUE(hh, standings->table, home, sizeof *home, hash, entry);
  if (entry->hh.tbl != NULL) return entry;
  free(entry);
  return NULL;
}

static void refill(const struct standings *standings, struct entry *entry, collega_time now) {
  const struct rates *rates = &standings->rates;
  fill(&entry->records, rates->records, full(rates->records), now);
  fill(&entry->bytes, rates->bytes, full(rates->bytes), now);
  fill(&entry->frames, rates->frames, full(rates->frames), now);
}

static bool owes_too_much(const struct rates *rates, const struct entry *entry) {
  return (rates->records > 0 &&
          entry->records.left < -(int64_t)OWED_WINDOWS * CREDIT_RECORDS * UNIT) ||
         (rates->bytes > 0 && entry->bytes.left < -(int64_t)OWED_WINDOWS * CREDIT_BYTES * UNIT);
}

bool standing_session(struct standings *standings, const struct id *home, collega_time now) {
  const struct rates *rates = &standings->rates;
  struct entry *entry = touch(standings, home);
  if (entry == NULL) return true;
  refill(standings, entry, now);
  /* A minute's rate in a second's measure: time is divided, so that nothing is lost in rounding. */
  int64_t most = (int64_t)rates->sessions * MINUTE_SECONDS * UNIT;
  fill(&entry->sessions, rates->sessions, most, now);
  bool enough = rates->sessions == 0 || entry->sessions.left >= MINUTE_SECONDS * UNIT;
  if (!enough || owes_too_much(rates, entry)) return false;
  if (rates->sessions > 0) entry->sessions.left -= MINUTE_SECONDS * UNIT;
  return true;
}

bool standing_frame(struct standings *standings, const struct id *home, collega_time now) {
  if (standings->rates.frames == 0) return true;
  struct entry *entry = touch(standings, home);
  if (entry == NULL) return true;
  refill(standings, entry, now);
  if (entry->frames.left < UNIT) return false;
  entry->frames.left -= UNIT;
  return true;
}

void standing_use(struct standings *standings, const struct id *home, struct frame_cost cost,
                  collega_time now) {
  const struct rates *rates = &standings->rates;
  if (rates->records == 0 && rates->bytes == 0) return;
  struct entry *entry = touch(standings, home);
  if (entry == NULL) return;
  refill(standings, entry, now);
  if (rates->records > 0) entry->records.left -= (int64_t)cost.records * UNIT;
  if (rates->bytes > 0) entry->bytes.left -= (int64_t)cost.bytes * UNIT;
}

bool standing_may_go_on(struct standings *standings, const struct id *home, collega_time now) {
  const struct rates *rates = &standings->rates;
  struct entry *entry = find(standings, home);
  if (entry == NULL) return true;
  refill(standings, entry, now);
  return (rates->records == 0 || entry->records.left > 0) &&
         (rates->bytes == 0 || entry->bytes.left > 0);
}

void standing_offends(struct standings *standings, const struct id *home, enum offence offence) {
  struct entry *entry = touch(standings, home);
  if (entry == NULL) return;
  entry->count[offence]++;
  entry->total++;
}

size_t standings_worst(const struct standings *standings, struct offender out[OFFENDERS_MOST]) {
  size_t count = 0;
  for (const struct entry *entry = standings->table; entry != NULL; entry = entry->hh.next) {
    if (entry->total == 0) continue;
    size_t place = count;
    while (place > 0 && out[place - 1].total < entry->total)
      place--;
    if (place == OFFENDERS_MOST) continue;
    size_t moved = (count < OFFENDERS_MOST ? count : OFFENDERS_MOST - 1) - place;
    memmove(&out[place + 1], &out[place], moved * sizeof out[0]);
    out[place] = (struct offender){.home = entry->home, .total = entry->total};
    memcpy(out[place].count, entry->count, sizeof entry->count);
    if (count < OFFENDERS_MOST) count++;
  }
  return count;
}

size_t standings_count(const struct standings *standings) {
  return HASH_COUNT(standings->table);
}
