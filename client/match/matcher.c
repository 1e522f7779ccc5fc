/* The matcher: from the ledger's new entries to rows of TABLE_MATCHES.
 *
 * An entry names the offers it touches (its payload holds their bodies). For each of them: an own offer gets its
 * best counter-offers anew; a foreign one is held against the own offers. Rows are computed in a read transaction
 * and written in a short one together with the cursor, so a crash in between only means computing them again. What
 * a user said of a match (interested, declined) stays when it is computed again.
 *
 * Matches depend on what was imported and on the weights (match_rules). When that has changed, the ledger is read
 * anew from its first entry, and every pair is judged again; the cursor "matcher sources" tells with what the rows
 * were made. */
#include "client/match/matcher.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/words.h"
#include "client/match/imports.h"
#include "client/match/touched.h"
#include "proto/guard.h"

#define MATCHER_CURSOR      "matcher"
#define SOURCES_CURSOR      "matcher sources"
#define MATCHES_FORM        2u
#define MATCHES_KEPT        50u
#define MATCHER_ENTRIES     256u                   /* entries a run reads at most, */
#define MATCHER_TOUCHED     16384u                 /* and about so many offers; then it writes */
#define MATCHER_ARENA_BYTES (256u * 1024u * 1024u) /* of one run: bodies of the entries it read */

struct matcher {
  struct ledger *ledger;
  struct match_engine *engine;
  struct imports imports;
  struct match_rules rules; /* with these */
  bool loaded;
  collega_time next_expiry; /* of the open offers; 0: none expires */
  /* Where nothing matched there is nothing to write but how far that was: it waits until there is, or until nothing new
   * comes. A crash costs a second look. */
  uint64_t written, through; /* the cursor as it stands in the ledger, and how far we are */
  size_t unwritten;          /* offers touched between the two */
};

/* Rows to write and match ids to delete, collected while reading. */
struct change {
  uint8_t key[2 * ID_BYTES]; /* party, match id */
  bool remove;
  CollegaStore__MatchRow *row; /* in the arena */
  struct change *next;
};
struct changes {
  struct arena *arena;
  struct change *first, **last;
};
enum collega_status matcher_open(struct ledger *ledger, const double weight[MATCH_PARTS],
                                 struct matcher **out, struct collega_error *error) {
  struct matcher *matcher = calloc(1, sizeof *matcher);
  if (matcher) {
    matcher->rules = match_rules_default;
    if (weight) memcpy(matcher->rules.weight, weight, sizeof matcher->rules.weight);
    matcher->engine = match_engine_new(&matcher->rules);
  }
  if (!matcher || !matcher->engine) {
    free(matcher);
    return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  }
  matcher->ledger = ledger;
  *out = matcher;
  return COLLEGA_OK;
}

void matcher_close(struct matcher **matcher) {
  if (!matcher || !*matcher) return;
  match_engine_destroy(&(*matcher)->engine);
  imports_close(&(*matcher)->imports);
  free(*matcher);
  *matcher = NULL;
}

/* ---- rules */

/* Another number for other rules. MATCHES_FORM is raised when the formulas change, or what rows tell. */
static uint64_t rules_stamp(const struct matcher *matcher) {
  const struct match_sources *sources = &matcher->rules.sources;
  uint8_t marks[32];
  put_be64(marks, MATCHES_FORM);
  put_be64(marks + 8, places_stamp(sources->places));
  put_be64(marks + 16, sources->taxonomy ? taxonomy_mark(sources->taxonomy) : 0);
  put_be64(marks + 24, courses_stamp(sources->courses));
  struct bytes parts[2] = {bytes_of(marks, sizeof marks),
                           bytes_of(matcher->rules.weight, sizeof matcher->rules.weight)};
  struct id hash;
  hash_parts(&hash, "collega/match/rules/1", parts, 2);
  return get_be64(hash.byte);
}

/* An engine that was made with former files is not asked any more: it is loaded anew first. */
static void follow_files(struct matcher *matcher) {
  if (imports_follow(&matcher->imports, ledger_home(matcher->ledger))) matcher->loaded = false;
  matcher->rules.sources = imports_sources(&matcher->imports);
}

/* ---- reading offers */

static const Collega__Body *row_body(const CollegaStore__OfferRow *row, struct arena *arena) {
  ProtobufCMessage *body = NULL;
  struct bytes bytes = bytes_of(row->body.data, row->body.len);
  if (guard_unpack(&collega__body__descriptor, bytes, arena, &body, NULL) != COLLEGA_OK)
    return NULL;
  const Collega__Body *read = (const Collega__Body *)body;
  return read->offer ? read : NULL;
}

static bool row_is_open(const CollegaStore__OfferRow *row, const Collega__Body *body,
                        collega_time now) {
  if (row->state != COLLEGA__OFFER_STATE__OFFER_STATE_OPEN || row->refused) return false;
  return !body->has_not_after || body->not_after > now;
}

/* An offer with its body as a message. */
struct offer_read {
  struct short_id id;
  struct id author;
  const CollegaStore__OfferRow *row;
  const Collega__Body *body; /* NULL: it cannot be read */
  bool open;
  struct arena *arena;     /* what it lives in */
  struct match_side *side; /* NULL: not asked for yet */
};

static bool read_row(const CollegaStore__OfferRow *row, collega_time now, struct arena *arena,
                     struct offer_read *out) {
  if (!row || !short_id_from(&out->id, row->offer.data, row->offer.len) ||
      !id_from(&out->author, row->author.data, row->author.len))
    return false;
  out->row = row;
  out->body = row_body(row, arena);
  out->open = out->body && row_is_open(row, out->body, now);
  out->arena = arena;
  out->side = NULL;
  return true;
}

/* The same once for all that it is judged against. NULL: out of memory. */
static const struct match_side *read_side(struct offer_read *read,
                                          const struct match_rules *rules) {
  if (read->side) return read->side;
  read->side = arena_take(read->arena, sizeof *read->side);
  if (read->side) match_side_fill(read->side, rules, read->body->offer->offer, &read->author);
  return read->side;
}

/* Puts the offer into the engine, or takes it out. False: it is not open here. */
static bool engine_follow(struct matcher *matcher, const struct offer_read *read) {
  struct match_offer offer = {.id = read->id, .author = read->author, .mine = read->row->mine};
  if (!read->open) {
    match_engine_remove(matcher->engine, &offer.id);
    return false;
  }
  const Collega__Body *body = read->body;
  if (body->has_not_after && (!matcher->next_expiry || body->not_after < matcher->next_expiry))
    matcher->next_expiry = body->not_after;
  offer.offer = body->offer->offer;
  struct collega_error error;
  if (match_engine_put(matcher->engine, &offer, &error) != COLLEGA_OK) {
    log_warning("matcher_skips_offer", "rule=%s", rule_name(error.rule));
    return false;
  }
  return true;
}

struct load {
  struct matcher *matcher;
  struct ledger_txn *txn;
  struct arena *arena;
  collega_time now;
};

static bool load_row(void *context, struct bytes key, struct bytes value) {
  struct load *load = context;
  (void)key;
  arena_reset(load->arena);
  CollegaStore__OfferRow *row = NULL;
  struct offer_read read;
  if (ledger_offer_read(load->txn, value, load->arena, &row, NULL) == COLLEGA_OK &&
      read_row(row, load->now, load->arena, &read))
    engine_follow(load->matcher, &read);
  return true;
}

static enum collega_status load_failed(struct load *load, struct collega_error *error) {
  arena_destroy(&load->arena);
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

/* The engine from nothing. */
static enum collega_status load_all(struct matcher *matcher, struct ledger_txn *txn,
                                    collega_time now, struct collega_error *error) {
  struct load load = {matcher, txn, arena_new(65536, MATCHER_ARENA_BYTES), now};
  struct match_engine *fresh = match_engine_new(&matcher->rules);
  matcher->loaded = false;
  if (fresh) {
    match_engine_destroy(&matcher->engine);
    matcher->engine = fresh;
  }
  matcher->next_expiry = 0;
  if (!load.arena || !fresh) return load_failed(&load, error);
  enum collega_status status =
      table_each(txn, TABLE_OFFERS, bytes_of("", 0), NULL, load_row, &load, error);
  arena_destroy(&load.arena);
  matcher->loaded = status == COLLEGA_OK;
  return status;
}

/* ---- rows */

/* match id: BLAKE2b-256("collega/match/1", both offer ids sorted). */
static void pair_id(struct id *out, const struct short_id *one, const struct short_id *other) {
  bool sorted = memcmp(one->byte, other->byte, SHORT_ID_BYTES) <= 0;
  struct bytes parts[2] = {bytes_of(one->byte, SHORT_ID_BYTES),
                           bytes_of(other->byte, SHORT_ID_BYTES)};
  if (!sorted) {
    struct bytes first = parts[0];
    parts[0] = parts[1];
    parts[1] = first;
  }
  hash_parts(out, "collega/match/1", parts, 2);
}

static struct change *change_new(struct changes *changes, const struct id *party,
                                 const struct id *match) {
  struct change *change = arena_zero(changes->arena, sizeof *change);
  if (!change) return NULL;
  memcpy(change->key, party->byte, ID_BYTES);
  memcpy(change->key + ID_BYTES, match->byte, ID_BYTES);
  *changes->last = change;
  changes->last = &change->next;
  return change;
}

static ProtobufCBinaryData binary(struct arena *arena, const void *data, size_t length) {
  ProtobufCBinaryData out = {length, arena_copy(arena, data, length)};
  return out;
}

static CollegaStore__Words **words_copy(struct arena *arena, const struct collega_error *list,
                                        size_t count) {
  CollegaStore__Words **out = arena_take(arena, sizeof *out * (count ? count : 1));
  for (size_t i = 0; out && i < count; ++i) {
    out[i] = arena_take(arena, sizeof *out[i]);
    char **arguments = arena_take(arena, sizeof *arguments * COLLEGA_ERROR_ARGUMENTS);
    if (!out[i] || !arguments) return NULL;
    collega_store__words__init(out[i]);
    out[i]->rule = arena_text(arena, rule_name(list[i].rule));
    for (size_t j = 0; j < COLLEGA_ERROR_ARGUMENTS; ++j)
      arguments[j] = arena_text(arena, list[i].argument[j]);
    out[i]->n_arguments = COLLEGA_ERROR_ARGUMENTS;
    out[i]->arguments = arguments;
    if (!out[i]->rule || !arguments[COLLEGA_ERROR_ARGUMENTS - 1]) return NULL;
  }
  return out;
}

static bool row_fill(struct arena *arena, const struct match_rules *rules,
                     const CollegaStore__OfferRow *mine, const CollegaStore__OfferRow *counter,
                     const struct id *match, const struct match_result *result,
                     struct change *change) {
  CollegaStore__MatchRow *row = arena_take(arena, sizeof *row);
  CollegaStore__Part **parts = arena_take(arena, sizeof *parts * MATCH_PARTS);
  if (!row || !parts) return false;
  collega_store__match_row__init(row);
  row->match = binary(arena, match->byte, ID_BYTES);
  row->mine = binary(arena, mine->offer.data, mine->offer.len);
  row->counter = binary(arena, counter->offer.data, counter->offer.len);
  row->mine_content = binary(arena, mine->content.data, mine->content.len);
  row->counter_content = binary(arena, counter->content.data, counter->content.len);
  row->party = binary(arena, mine->author.data, mine->author.len);
  row->score = (uint32_t)(result->score * 10000.0 + 0.5);
  for (size_t i = 0; i < MATCH_PARTS; ++i) {
    parts[i] = arena_take(arena, sizeof *parts[i]);
    if (!parts[i]) return false;
    collega_store__part__init(parts[i]);
    parts[i]->name = arena_text(arena, match_part_name((enum match_part)i));
    parts[i]->score = (uint32_t)(result->part[i] * 10000.0 + 0.5);
    parts[i]->weight = (uint32_t)(rules->weight[i] * 10000.0 + 0.5);
  }
  row->n_parts = MATCH_PARTS;
  row->parts = parts;
  row->n_reasons = result->reason_count;
  row->reasons = words_copy(arena, result->reasons, result->reason_count);
  row->n_gaps = result->gap_count;
  row->gaps = words_copy(arena, result->gaps, result->gap_count);
  row->n_closers = result->closer_count;
  row->closers = words_copy(arena, result->closers, result->closer_count);
  change->row = row;
  return row->reasons && row->gaps && row->closers && !arena_exhausted(arena);
}

static CollegaStore__OfferRow *offer_row(struct ledger_txn *txn, const struct short_id *id,
                                         struct arena *arena) {
  CollegaStore__OfferRow *row = NULL;
  enum collega_status status =
      ledger_offer(txn, bytes_of(id->byte, SHORT_ID_BYTES), arena, &row, NULL);
  return status == COLLEGA_OK ? row : NULL;
}

/* An offer for named employers meets only theirs; an employer with two parties does not meet
 * itself. */
static bool may_meet(const Collega__Offer *mine, const Collega__Offer *counter,
                     const struct known_party *party, const struct known_party *author) {
  if (party && author && *known_party_kvk(party) &&
      strcmp(known_party_kvk(party), known_party_kvk(author)) == 0)
    return false;
  return known_party_in_audience(author, mine->audience) &&
         known_party_in_audience(party, counter->audience);
}

struct own_offers {
  struct offer_read *offer;
  size_t count, capacity;
  bool failed;
};

struct run {
  struct matcher *matcher;
  struct ledger_txn *txn;
  struct members *members;
  struct changes changes;
  struct arena *scratch; /* of one entry, and of one touched offer */
  struct own_offers own; /* in the arena of the changes; as they stand now */
  collega_time now;
  bool anew; /* the rows were made with other sources */
};

static bool has_match(struct run *run, const struct id *party, const struct id *match) {
  uint8_t key[2 * ID_BYTES];
  struct bytes value;
  memcpy(key, party->byte, ID_BYTES);
  memcpy(key + ID_BYTES, match->byte, ID_BYTES);
  return table_get(run->txn, TABLE_MATCHES, bytes_of(key, sizeof key), &value, NULL) == COLLEGA_OK;
}

/* The row of a pair that does not match, or no longer. False: out of memory. */
static bool remove_match(struct run *run, const struct id *party, const struct id *match) {
  if (!has_match(run, party, match)) return true;
  struct change *change = change_new(&run->changes, party, match);
  if (change) change->remove = true;
  return change != NULL;
}

/* One pair, mine first. False: out of memory. */
static bool pair_change(struct run *run, struct offer_read *mine, struct offer_read *counter) {
  const struct match_rules *rules = &run->matcher->rules;
  struct id match;
  struct match_result result;
  pair_id(&match, &mine->id, &counter->id);
  bool meet = mine->open && counter->open &&
              may_meet(mine->body->offer->offer, counter->body->offer->offer,
                       members_find(run->members, &mine->author),
                       members_find(run->members, &counter->author));
  if (meet) {
    const struct match_side *ours = read_side(mine, rules), *theirs = read_side(counter, rules);
    if (!ours || !theirs) return false;
    match_sides(rules, ours, theirs, &result);
  }
  if (!meet || !result.fits) return remove_match(run, &mine->author, &match);
  struct change *change = change_new(&run->changes, &mine->author, &match);
  return change &&
         row_fill(run->changes.arena, rules, mine->row, counter->row, &match, &result, change);
}

static bool own_visit(void *context, struct bytes key, struct bytes value) {
  struct run *run = context;
  struct own_offers *own = &run->own;
  struct arena *arena = run->changes.arena;
  struct short_id id;
  (void)value;
  if (key.length != ID_BYTES + SHORT_ID_BYTES) return true;
  if (own->count == own->capacity) {
    size_t capacity = own->capacity ? own->capacity * 2 : 64;
    struct offer_read *offers = arena_take(arena, capacity * sizeof *offers);
    own->failed = !offers;
    if (!offers) return false;
    if (own->count) memcpy(offers, own->offer, own->count * sizeof *offers);
    own->offer = offers;
    own->capacity = capacity;
  }
  memcpy(id.byte, key.data + ID_BYTES, SHORT_ID_BYTES);
  if (read_row(offer_row(run->txn, &id, arena), run->now, arena, &own->offer[own->count]))
    ++own->count;
  own->failed = arena_exhausted(arena);
  return !own->failed;
}

/* An offer that is gone: its rows against each own offer go too. */
static bool forget_offer(struct run *run, const struct short_id *id) {
  for (size_t i = 0; i < run->own.count; ++i) {
    struct id match;
    pair_id(&match, &run->own.offer[i].id, id);
    if (!remove_match(run, &run->own.offer[i].author, &match)) return false;
  }
  return true;
}

/* An own open offer against the best of all. */
static bool best_of_all(struct run *run, struct offer_read *mine) {
  struct match_found found[MATCHES_KEPT];
  size_t count = 0;
  if (match_engine_top(run->matcher->engine, &mine->id, MATCHES_KEPT, found, &count, NULL) !=
      COLLEGA_OK)
    return true;
  for (size_t i = 0; i < count; ++i) {
    struct offer_read counter;
    if (!read_row(offer_row(run->txn, &found[i].id, run->scratch), run->now, run->scratch,
                  &counter))
      continue;
    if (!pair_change(run, mine, &counter)) return false;
    /* Two parties of one home: the other's row too. */
    if (counter.row->mine && !pair_change(run, &counter, mine)) return false;
  }
  return !arena_exhausted(run->scratch);
}

/* An own offer that closed: its rows against all counter-offers go. */
struct closing {
  struct run *run;
  const struct short_id *offer;
  bool ok;
};

static bool closing_visit(void *context, struct bytes key, struct bytes value) {
  struct closing *closing = context;
  CollegaStore__MatchRow *row = (CollegaStore__MatchRow *)row_unpack(
      &collega_store__match_row__descriptor, value, closing->run->changes.arena);
  if (!row || key.length != 2 * ID_BYTES) return true;
  if (row->mine.len != SHORT_ID_BYTES ||
      memcmp(row->mine.data, closing->offer->byte, SHORT_ID_BYTES) != 0)
    return true;
  struct id party, match;
  if (!id_from(&party, key.data, ID_BYTES) || !id_from(&match, key.data + ID_BYTES, ID_BYTES))
    return true;
  struct change *change = change_new(&closing->run->changes, &party, &match);
  closing->ok = change != NULL;
  if (change) change->remove = true;
  return closing->ok;
}

static bool close_own(struct run *run, const struct offer_read *mine) {
  struct closing closing = {run, &mine->id, true};
  return table_each(run->txn, TABLE_MATCHES, bytes_of(mine->author.byte, ID_BYTES), NULL,
                    closing_visit, &closing, NULL) == COLLEGA_OK &&
         closing.ok;
}

/* A touched offer, as the tables have it now. */
static bool follow_offer(struct run *run, const struct short_id *id) {
  struct offer_read offer;
  arena_reset(run->scratch);
  CollegaStore__OfferRow *row = offer_row(run->txn, id, run->scratch);
  if (!row) {
    match_engine_remove(run->matcher->engine, id);
    return !arena_exhausted(run->scratch) && forget_offer(run, id);
  }
  if (!read_row(row, run->now, run->scratch, &offer)) return true;
  bool open = engine_follow(run->matcher, &offer);
  if (open && row->mine) return best_of_all(run, &offer);
  /* Foreign, or no longer open: against each own offer; what does not fit is removed. */
  for (size_t i = 0; i < run->own.count; ++i)
    if (memcmp(run->own.offer[i].id.byte, id->byte, SHORT_ID_BYTES) != 0 &&
        !pair_change(run, &run->own.offer[i], &offer))
      return false;
  return !row->mine || offer.open || close_own(run, &offer);
}

/* ---- all rows: at the start, when an offer's time is over, and when the board starts anew */

static bool offer_is_open(struct run *run, ProtobufCBinaryData offer, struct arena *arena) {
  struct short_id id;
  CollegaStore__OfferRow *row =
      short_id_from(&id, offer.data, offer.len) ? offer_row(run->txn, &id, arena) : NULL;
  const Collega__Body *body = row ? row_body(row, arena) : NULL;
  return body && row_is_open(row, body, run->now);
}

struct sweep {
  struct run *run;
  struct arena *arena; /* of one row */
  bool ok;
};

static bool sweep_visit(void *context, struct bytes key, struct bytes value) {
  struct sweep *sweep = context;
  arena_reset(sweep->arena);
  CollegaStore__MatchRow *row = (CollegaStore__MatchRow *)row_unpack(
      &collega_store__match_row__descriptor, value, sweep->arena);
  struct id party, match;
  if (!row || key.length != 2 * ID_BYTES || !id_from(&party, key.data, ID_BYTES) ||
      !id_from(&match, key.data + ID_BYTES, ID_BYTES))
    return true;
  if (offer_is_open(sweep->run, row->mine, sweep->arena) &&
      offer_is_open(sweep->run, row->counter, sweep->arena))
    return true;
  struct change *change = change_new(&sweep->run->changes, &party, &match);
  sweep->ok = change != NULL;
  if (change) change->remove = true;
  return sweep->ok;
}

static enum collega_status sweep_matches(struct run *run, struct collega_error *error) {
  struct sweep sweep = {run, arena_new(65536, MATCHER_ARENA_BYTES), true};
  if (!sweep.arena) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  enum collega_status status =
      table_each(run->txn, TABLE_MATCHES, bytes_of("", 0), NULL, sweep_visit, &sweep, error);
  arena_destroy(&sweep.arena);
  if (status == COLLEGA_OK && !sweep.ok)
    status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  return status;
}

/* ---- writing */

static enum collega_status write_changes(struct matcher *matcher, const struct changes *changes,
                                         uint64_t through, uint32_t *changed,
                                         struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  uint64_t found = 0, before = 0;
  enum collega_status status = ledger_write(matcher->ledger, &txn, error);
  if (status == COLLEGA_OK) status = ledger_cursor(txn, MATCHES_FOUND, &found, error);
  before = found;
  for (const struct change *change = changes->first; change && status == COLLEGA_OK;
       change = change->next) {
    struct bytes key = bytes_of(change->key, sizeof change->key);
    ProtobufCMessage *old = NULL;
    bool exists = row_get(txn, TABLE_MATCHES, key, &collega_store__match_row__descriptor,
                          changes->arena, &old, NULL) == COLLEGA_OK;
    if (change->remove) {
      if (!exists) continue;
      status = table_delete(txn, TABLE_MATCHES, key, error);
    } else {
      const CollegaStore__MatchRow *former = (const CollegaStore__MatchRow *)old;
      if (exists) change->row->state = former->state;
      change->row->has_number = true;
      change->row->number = exists && former->has_number ? former->number : ++found;
      status = row_put(txn, TABLE_MATCHES, key, &change->row->base, error);
    }
    ++*changed;
  }
  if (status == COLLEGA_OK && found > before)
    status = ledger_cursor_set(txn, MATCHES_FOUND, found, error);
  if (status == COLLEGA_OK) status = ledger_cursor_set(txn, MATCHER_CURSOR, through, error);
  if (status == COLLEGA_OK)
    status = ledger_cursor_set(txn, SOURCES_CURSOR, rules_stamp(matcher), error);
  if (status == COLLEGA_OK) status = ledger_commit(&txn, error);
  ledger_abort(&txn);
  if (status == COLLEGA_OK) {
    matcher->written = matcher->through = through;
    matcher->unwritten = 0;
  }
  return status;
}

/* Where to go on: the ledger's cursor, or further, where this process has been already. */
static enum collega_status place_now(struct run *run, uint64_t *through,
                                     struct collega_error *error) {
  struct matcher *matcher = run->matcher;
  uint64_t made_with = 0, written = 0;
  enum collega_status status = ledger_cursor(run->txn, MATCHER_CURSOR, &written, error);
  if (status == COLLEGA_OK) status = ledger_cursor(run->txn, SOURCES_CURSOR, &made_with, error);
  if (status != COLLEGA_OK) return status;
  run->anew = made_with != rules_stamp(matcher);
  if (run->anew || written != matcher->written || matcher->through < written) {
    matcher->written = written; /* another process moved it, or a rebuild did */
    matcher->through = run->anew ? 0 : written;
    matcher->unwritten = 0;
  }
  *through = matcher->through;
  return COLLEGA_OK;
}

/* Reads the entries after `*through`, as many as a run may; *through is the last one read. */
static enum collega_status read_entries(struct run *run, struct touched_set *set, bool *all,
                                        uint64_t head, uint64_t *through,
                                        struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  for (uint32_t i = 0;
       *through < head && i < MATCHER_ENTRIES && set->count < MATCHER_TOUCHED && !set->failed;
       ++i) {
    struct ledger_event event;
    arena_reset(run->scratch);
    status = ledger_entry(run->txn, *through + 1, run->scratch, &event, error);
    if (status != COLLEGA_OK) return status;
    touched_entry(set, &event);
    if (event.kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RESET ||
        event.kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FILTER) {
      *all = true;
      status = load_all(run->matcher, run->txn, run->now, error);
      if (status != COLLEGA_OK) return status;
    }
    ++*through;
  }
  if (!set->revoked) return COLLEGA_OK;
  *all = true;
  return load_all(run->matcher, run->txn, run->now, error);
}

static enum collega_status no_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

/* *more tells that other entries wait. */
static enum collega_status collect(struct run *run, uint64_t *through, bool *more,
                                   struct collega_error *error) {
  struct matcher *matcher = run->matcher;
  struct touched_set set;
  struct ledger_head head;
  touched_begin(&set, run->changes.arena);
  enum collega_status status = ledger_head(run->txn, &head, error);
  if (status == COLLEGA_OK) status = place_now(run, through, error);
  bool over = matcher->next_expiry && matcher->next_expiry <= run->now;
  bool all = !matcher->loaded || over;
  if (status == COLLEGA_OK && all) status = load_all(matcher, run->txn, run->now, error);
  if (status == COLLEGA_OK) status = read_entries(run, &set, &all, head.number, through, error);
  if (status == COLLEGA_OK && set.failed) status = no_memory(error);
  if (status == COLLEGA_OK && all) status = sweep_matches(run, error);
  if (status != COLLEGA_OK) return status;
  *more = *through < head.number;
  matcher->unwritten += set.count;
  if (set.first)
    status = table_each(run->txn, TABLE_MINE, bytes_of("", 0), NULL, own_visit, run, error);
  if (status == COLLEGA_OK && run->own.failed) status = no_memory(error);
  for (const struct touched *touched = set.first; status == COLLEGA_OK && touched;
       touched = touched->next)
    if (!follow_offer(run, &touched->offer)) status = no_memory(error);
  return status;
}

static bool is_due(const struct run *run, uint64_t through) {
  const struct matcher *matcher = run->matcher;
  if (run->anew || run->changes.first || matcher->unwritten >= MATCHER_TOUCHED) return true;
  return through > matcher->written &&
         (through == matcher->through || through - matcher->written >= MATCHER_ENTRIES);
}

static enum collega_status run_once(struct matcher *matcher, collega_time now, bool *more,
                                    uint32_t *changed, struct collega_error *error) {
  struct run run = {.matcher = matcher, .now = now};
  run.changes.arena = arena_new(1u << 20, MATCHER_ARENA_BYTES);
  run.scratch = arena_new(1u << 20, MATCHER_ARENA_BYTES);
  run.changes.last = &run.changes.first;
  run.members = members_new(ledger_members_loader, &run.txn);
  uint64_t through = 0;
  enum collega_status status = COLLEGA_OK;
  if (!run.changes.arena || !run.scratch || !run.members) status = no_memory(error);
  if (status == COLLEGA_OK) status = ledger_read(matcher->ledger, &run.txn, error);
  if (status == COLLEGA_OK) status = collect(&run, &through, more, error);
  if (run.txn) ledger_abort(&run.txn);
  if (status == COLLEGA_OK && is_due(&run, through))
    status = write_changes(matcher, &run.changes, through, changed, error);
  if (status == COLLEGA_OK) matcher->through = through;
  members_destroy(&run.members);
  arena_destroy(&run.scratch);
  arena_destroy(&run.changes.arena);
  return status;
}

enum collega_status matcher_run(struct matcher *matcher, collega_time now, uint32_t *changed,
                                struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  *changed = 0;
  follow_files(matcher);
  for (bool more = true; status == COLLEGA_OK && more;)
    status = run_once(matcher, now, &more, changed, error);
  return status;
}

enum collega_status matcher_settle(struct matcher *matcher, struct collega_error *error) {
  const struct changes none = {NULL, NULL, NULL};
  uint32_t changed = 0;
  if (matcher->through == matcher->written) return COLLEGA_OK;
  return write_changes(matcher, &none, matcher->through, &changed, error);
}
