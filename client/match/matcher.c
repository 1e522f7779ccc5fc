/* The matcher: from the ledger's new entries to rows of TABLE_MATCHES.
 *
 * An entry names the offers it touches (its payload holds their bodies). For each of them: an own offer gets its
 * best counter-offers anew; a foreign one is held against the own offers. Rows are computed in a read transaction
 * and written in a short one together with the cursor, so a crash in between only means computing them again. What
 * a user said of a match (interested, declined) stays when it is computed again.
 *
 * Matches depend on what was imported and on the weights (match_rules). When that has changed, the ledger is read anew
 * from its first entry, and every pair is judged again; the cursor "matcher sources" tells with what the rows were made. */
#include "client/match/matcher.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/words.h"
#include "proto/guard.h"
#include "proto/link.pb-c.h"
#include "proto/mail.pb-c.h"

#define MATCHER_CURSOR      "matcher"
#define SOURCES_CURSOR      "matcher sources"
#define MATCHES_FORM        2u
#define LEAST_TOUCHED       64u
#define MATCHES_KEPT        50u
#define MATCHER_ENTRIES     256u                   /* entries a run reads at most, then it writes */
#define MATCHER_ARENA_BYTES (256u * 1024u * 1024u) /* of one run: bodies of the entries it read */

struct matcher {
  struct ledger *ledger;
  struct match_engine *engine;
  struct places *places;                  /* NULL: none */
  struct taxonomy *taxonomy;              /* NULL: none */
  struct match_rules rules;               /* with these two */
  struct stat places_file, taxonomy_file; /* as they were when they were read; all zero: none */
  bool loaded;
  collega_time next_expiry; /* of the open offers; 0: none expires */
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
struct touched {
  struct short_id offer;
  struct touched *next;
};
/* Each offer once. The table has open addressing and lies in the arena; ids come from outside, so it is hashed with a key
 * of the run. */
struct touched_set {
  struct arena *arena;
  struct touched *first, **table;
  size_t count, size; /* size: a power of two, or 0 */
  uint8_t secret[crypto_shorthash_KEYBYTES];
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
  places_close(&(*matcher)->places);
  taxonomy_close(&(*matcher)->taxonomy);
  free(*matcher);
  *matcher = NULL;
}

/* ---- what was imported */

static bool same_file(const struct stat *one, const struct stat *other) {
  return one->st_dev == other->st_dev && one->st_ino == other->st_ino &&
         one->st_size == other->st_size && one->st_mtim.tv_sec == other->st_mtim.tv_sec &&
         one->st_mtim.tv_nsec == other->st_mtim.tv_nsec;
}

/* Import replaces the file, so its number or time changes. */
static bool file_is_new(const struct matcher *matcher, const char *name, struct stat *known,
                        char path[4096]) {
  struct stat now = {0};
  int length = snprintf(path, 4096, "%s/%s", ledger_home(matcher->ledger), name);
  if (length < 0 || length >= 4096) return false;
  if (stat(path, &now) != 0) memset(&now, 0, sizeof now);
  if (same_file(&now, known)) return false;
  *known = now;
  return true;
}

/* A damaged file is told, and the former stays in use. */
static void follow_places(struct matcher *matcher) {
  char path[4096];
  struct places *fresh = NULL;
  struct collega_error error;
  if (!file_is_new(matcher, PLACES_FILE, &matcher->places_file, path)) return;
  if (places_open(path, &fresh, &error) != COLLEGA_OK) {
    log_warning("places_not_read", "rule=%s", rule_name(error.rule));
    return;
  }
  places_close(&matcher->places);
  matcher->places = fresh;
  matcher->loaded = false;
}

static void follow_taxonomy(struct matcher *matcher) {
  char path[4096];
  struct taxonomy *fresh = NULL;
  struct collega_error error;
  if (!file_is_new(matcher, TAXONOMY_FILE, &matcher->taxonomy_file, path)) return;
  enum collega_status status = taxonomy_open(path, &fresh, &error);
  if (status != COLLEGA_OK && status != COLLEGA_NOT_FOUND) {
    log_warning("taxonomy_not_read", "rule=%s", rule_name(error.rule));
    return;
  }
  taxonomy_close(&matcher->taxonomy);
  matcher->taxonomy = fresh;
  matcher->loaded = false;
}

/* An engine that was made with former files is not asked any more: it is loaded anew first. */
static void follow_files(struct matcher *matcher) {
  follow_places(matcher);
  follow_taxonomy(matcher);
  matcher->rules.sources = (struct match_sources){matcher->places, matcher->taxonomy};
}

/* Another number for other rules. MATCHES_FORM is raised when the formulas change, or what rows tell. */
static uint64_t rules_stamp(const struct matcher *matcher) {
  uint8_t marks[24];
  put_be64(marks, MATCHES_FORM);
  put_be64(marks + 8, places_stamp(matcher->places));
  put_be64(marks + 16, matcher->taxonomy ? taxonomy_mark(matcher->taxonomy) : 0);
  struct bytes parts[2] = {bytes_of(marks, sizeof marks),
                           bytes_of(matcher->rules.weight, sizeof matcher->rules.weight)};
  struct id hash;
  hash_parts(&hash, "collega/match/rules/1", parts, 2);
  return get_be64(hash.byte);
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

/* Puts the offer into the engine, or takes it out. *mine tells whose it is; false: not open here. */
static bool engine_follow(struct matcher *matcher, const CollegaStore__OfferRow *row,
                          collega_time now, struct arena *arena) {
  struct match_offer offer = {.mine = row->mine};
  if (!short_id_from(&offer.id, row->offer.data, row->offer.len) ||
      !id_from(&offer.author, row->author.data, row->author.len))
    return false;
  const Collega__Body *body = row_body(row, arena);
  if (!body || !row_is_open(row, body, now)) {
    match_engine_remove(matcher->engine, &offer.id);
    return false;
  }
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
  struct arena *arena;
  collega_time now;
};

static bool load_row(void *context, struct bytes key, struct bytes value) {
  struct load *load = context;
  (void)key;
  arena_reset(load->arena);
  CollegaStore__OfferRow *row = (CollegaStore__OfferRow *)row_unpack(
      &collega_store__offer_row__descriptor, value, load->arena);
  if (row) engine_follow(load->matcher, row, load->now, load->arena);
  return true;
}

static enum collega_status load_failed(struct load *load, struct collega_error *error) {
  arena_destroy(&load->arena);
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

/* The engine from nothing. */
static enum collega_status load_all(struct matcher *matcher, struct ledger_txn *txn,
                                    collega_time now, struct collega_error *error) {
  struct load load = {matcher, arena_new(65536, MATCHER_ARENA_BYTES), now};
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

/* ---- which offers an entry touches */

static struct touched **touched_place(const struct touched_set *set, const struct short_id *offer) {
  uint8_t hash[crypto_shorthash_BYTES];
  crypto_shorthash(hash, offer->byte, sizeof offer->byte, set->secret);
  size_t at = (size_t)get_be64(hash) & (set->size - 1);
  while (set->table[at] && memcmp(&set->table[at]->offer, offer, sizeof *offer) != 0)
    at = (at + 1) & (set->size - 1);
  return &set->table[at];
}

static bool touched_grow(struct touched_set *set) {
  if (set->count * 2 < set->size) return true;
  size_t size = set->size ? set->size * 2 : LEAST_TOUCHED;
  struct touched **table = arena_zero(set->arena, size * sizeof *table);
  if (!table) return false;
  set->table = table;
  set->size = size;
  for (struct touched *touched = set->first; touched; touched = touched->next)
    *touched_place(set, &touched->offer) = touched;
  return true;
}

/* Where the arena is exhausted nothing is added: the caller checks that. */
static void touch(struct touched_set *set, ProtobufCBinaryData id) {
  struct short_id offer;
  if (!short_id_from(&offer, id.data, id.len) || !touched_grow(set)) return;
  struct touched **place = touched_place(set, &offer);
  if (*place) return;
  struct touched *touched = arena_take(set->arena, sizeof *touched);
  if (!touched) return;
  *touched = (struct touched){offer, set->first};
  *place = set->first = touched;
  ++set->count;
}

static void touch_run(struct touched_set *set, const Collega__Run *run) {
  for (size_t i = 0; i < run->n_bodies; ++i) {
    ProtobufCMessage *message = NULL;
    struct bytes bytes = bytes_of(run->bodies[i].data, run->bodies[i].len);
    if (guard_unpack(&collega__body__descriptor, bytes, set->arena, &message, NULL) != COLLEGA_OK)
      continue;
    const Collega__Body *body = (const Collega__Body *)message;
    if (body->offer) touch(set, body->offer->id);
    if (body->status) touch(set, body->status->id);
  }
}

static const ProtobufCMessage *payload_read(const ProtobufCMessageDescriptor *type,
                                            struct bytes payload, struct arena *arena) {
  ProtobufCMessage *message = NULL;
  if (!payload.data || guard_unpack(type, payload, arena, &message, NULL) != COLLEGA_OK)
    return NULL;
  return message;
}

static void touch_entry(struct touched_set *set, const struct ledger_event *event) {
  switch (event->kind) {
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_BOARD: {
    const Collega__Board *board = (const Collega__Board *)payload_read(&collega__board__descriptor,
                                                                       event->payload, set->arena);
    if (!board) return;
    for (size_t i = 0; i < board->n_runs; ++i)
      touch_run(set, board->runs[i]->run);
    for (size_t i = 0; i < board->n_tombstones; ++i)
      touch(set, board->tombstones[i]->offer);
    return;
  }
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_OWN_RECORDS: {
    const CollegaStore__OwnRecords *own = (const CollegaStore__OwnRecords *)row_unpack(
        &collega_store__own_records__descriptor, event->payload, set->arena);
    if (!own) return;
    const Collega__Run *run = (const Collega__Run *)payload_read(
        &collega__run__descriptor, bytes_of(own->run.data, own->run.len), set->arena);
    if (run) touch_run(set, run);
    return;
  }
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_IN:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FETCHED: {
    const CollegaStore__MailIn *mail = (const CollegaStore__MailIn *)row_unpack(
        &collega_store__mail_in__descriptor, event->payload, set->arena);
    if (!mail || !mail->has_letter) return;
    const Collega__Letter *letter = (const Collega__Letter *)payload_read(
        &collega__letter__descriptor, bytes_of(mail->letter.data, mail->letter.len), set->arena);
    if (!letter) return;
    for (size_t i = 0; i < letter->n_runs; ++i)
      touch_run(set, letter->runs[i]);
    return;
  }
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_GENESIS:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_PARTY:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_EPOCH:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_JOINED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RECEIPTS:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RESET:  /* no offers by name: all are looked at */
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FILTER: /* the same */
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_DECISION_IN:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_DRAFT:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_SIGNED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ACT_DROPPED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_STORED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_REFUSED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_WELCOME:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MATCH_ACT:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_QUESTION:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_BAD:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_LAPSED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ADOPTED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_SEALED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RESTORED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ERASED:
  case _COLLEGA_STORE__ENTRY_KIND_IS_INT_SIZE:
    return;
  }
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
  change->row = row;
  return row->reasons && row->gaps && !arena_exhausted(arena);
}

static CollegaStore__OfferRow *offer_row(struct ledger_txn *txn, const struct short_id *id,
                                         struct arena *arena) {
  ProtobufCMessage *row = NULL;
  if (row_get(txn, TABLE_OFFERS, bytes_of(id->byte, SHORT_ID_BYTES),
              &collega_store__offer_row__descriptor, arena, &row, NULL) != COLLEGA_OK)
    return NULL;
  return (CollegaStore__OfferRow *)row;
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

struct run {
  struct matcher *matcher;
  struct ledger_txn *txn;
  struct members *members;
  struct changes changes;
  collega_time now;
  bool anew; /* the rows were made with other sources */
};

/* One pair, mine first. */
static bool pair_change(struct run *run, const CollegaStore__OfferRow *mine,
                        const CollegaStore__OfferRow *counter) {
  struct arena *arena = run->changes.arena;
  struct id party, author, match;
  struct short_id mine_id, counter_id;
  if (!id_from(&party, mine->author.data, mine->author.len) ||
      !id_from(&author, counter->author.data, counter->author.len) ||
      !short_id_from(&mine_id, mine->offer.data, mine->offer.len) ||
      !short_id_from(&counter_id, counter->offer.data, counter->offer.len))
    return true;
  pair_id(&match, &mine_id, &counter_id);
  struct change *change = change_new(&run->changes, &party, &match);
  if (!change) return false;
  const Collega__Body *mine_body = row_body(mine, arena), *counter_body = row_body(counter, arena);
  change->remove = true;
  if (!mine_body || !counter_body || !row_is_open(mine, mine_body, run->now) ||
      !row_is_open(counter, counter_body, run->now))
    return !arena_exhausted(arena);
  if (!may_meet(mine_body->offer->offer, counter_body->offer->offer,
                members_find(run->members, &party), members_find(run->members, &author)))
    return true;
  struct match_result *result = arena_take(arena, sizeof *result);
  if (!result) return false;
  match_pair(&run->matcher->rules, mine_body->offer->offer, &party, counter_body->offer->offer,
             &author, result);
  if (!result->fits) return true;
  change->remove = false;
  return row_fill(arena, &run->matcher->rules, mine, counter, &match, result, change);
}

struct own_list {
  struct short_id *ids;
  size_t count, capacity;
  struct arena *arena;
};

static bool own_visit(void *context, struct bytes key, struct bytes value) {
  struct own_list *list = context;
  (void)value;
  if (key.length != ID_BYTES + SHORT_ID_BYTES) return true;
  if (list->count == list->capacity) {
    size_t capacity = list->capacity ? list->capacity * 2 : 64;
    struct short_id *ids = arena_take(list->arena, capacity * sizeof *ids);
    if (!ids) return false;
    if (list->count) memcpy(ids, list->ids, list->count * sizeof *ids);
    list->ids = ids;
    list->capacity = capacity;
  }
  memcpy(list->ids[list->count++].byte, key.data + ID_BYTES, SHORT_ID_BYTES);
  return true;
}

/* An offer that is gone: its rows against each own offer go too. */
static bool forget_offer(struct run *run, const struct short_id *id, const struct own_list *own) {
  struct arena *arena = run->changes.arena;
  for (size_t i = 0; i < own->count; ++i) {
    struct id party, match;
    CollegaStore__OfferRow *mine = offer_row(run->txn, &own->ids[i], arena);
    if (!mine || !id_from(&party, mine->author.data, mine->author.len)) continue;
    pair_id(&match, &own->ids[i], id);
    struct change *change = change_new(&run->changes, &party, &match);
    if (!change) return false;
    change->remove = true;
  }
  return !arena_exhausted(arena);
}

/* A touched offer, as the tables have it now. */
static bool follow_offer(struct run *run, const struct short_id *id, const struct own_list *own) {
  struct arena *arena = run->changes.arena;
  CollegaStore__OfferRow *row = offer_row(run->txn, id, arena);
  if (!row) {
    match_engine_remove(run->matcher->engine, id);
    return forget_offer(run, id, own);
  }
  bool open = engine_follow(run->matcher, row, run->now, arena);
  if (open && row->mine) {
    struct match_found found[MATCHES_KEPT];
    size_t count = 0;
    if (match_engine_top(run->matcher->engine, id, MATCHES_KEPT, found, &count, NULL) != COLLEGA_OK)
      return true;
    for (size_t i = 0; i < count; ++i) {
      CollegaStore__OfferRow *counter = offer_row(run->txn, &found[i].id, arena);
      if (counter && !pair_change(run, row, counter)) return false;
      /* Two parties of one home: the other's row too. */
      if (counter && counter->mine && !pair_change(run, counter, row)) return false;
    }
    return true;
  }
  /* Foreign, or no longer open: against each own offer; what does not fit is removed. */
  for (size_t i = 0; i < own->count; ++i) {
    if (memcmp(own->ids[i].byte, id->byte, SHORT_ID_BYTES) == 0) continue;
    CollegaStore__OfferRow *mine = offer_row(run->txn, &own->ids[i], arena);
    if (mine && !pair_change(run, mine, row)) return false;
  }
  return true;
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

static bool close_own(struct run *run, const struct short_id *id) {
  CollegaStore__OfferRow *row = offer_row(run->txn, id, run->changes.arena);
  const Collega__Body *body = row ? row_body(row, run->changes.arena) : NULL;
  if (!row || !row->mine || (body && row_is_open(row, body, run->now))) return true;
  struct closing closing = {run, id, true};
  return table_each(run->txn, TABLE_MATCHES, bytes_of(row->author.data, row->author.len), NULL,
                    closing_visit, &closing, NULL) == COLLEGA_OK &&
         closing.ok;
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
  if (status == COLLEGA_OK) return ledger_commit(&txn, error);
  ledger_abort(&txn);
  return status;
}

/* Reads at most MATCHER_ENTRIES entries; *through is the last one read, *more tells that others wait. */
static enum collega_status collect(struct run *run, uint64_t *through, bool *more,
                                   struct collega_error *error) {
  struct arena *arena = run->changes.arena;
  struct touched_set set = {.arena = arena};
  random_fill(set.secret, sizeof set.secret);
  uint64_t made_with = 0;
  struct ledger_head head;
  enum collega_status status = ledger_head(run->txn, &head, error);
  if (status == COLLEGA_OK) status = ledger_cursor(run->txn, MATCHER_CURSOR, through, error);
  if (status == COLLEGA_OK) status = ledger_cursor(run->txn, SOURCES_CURSOR, &made_with, error);
  run->anew = status == COLLEGA_OK && made_with != rules_stamp(run->matcher);
  if (run->anew) *through = 0;
  bool over = run->matcher->next_expiry && run->matcher->next_expiry <= run->now;
  bool all = !run->matcher->loaded || over;
  if (status == COLLEGA_OK && all) status = load_all(run->matcher, run->txn, run->now, error);
  for (uint32_t i = 0; status == COLLEGA_OK && *through < head.number && i < MATCHER_ENTRIES; ++i) {
    struct ledger_event event;
    status = ledger_entry(run->txn, *through + 1, arena, &event, error);
    if (status != COLLEGA_OK) break;
    touch_entry(&set, &event);
    if (event.kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RESET ||
        event.kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FILTER) {
      all = true;
      status = load_all(run->matcher, run->txn, run->now, error);
    }
    ++*through;
  }
  if (status == COLLEGA_OK && all) status = sweep_matches(run, error);
  if (status != COLLEGA_OK) return status;
  *more = *through < head.number;
  struct own_list own = {.arena = arena};
  const struct touched *touched = set.first;
  status = touched ? table_each(run->txn, TABLE_MINE, bytes_of("", 0), NULL, own_visit, &own, error)
                   : COLLEGA_OK;
  for (; status == COLLEGA_OK && touched; touched = touched->next)
    if (!follow_offer(run, &touched->offer, &own) || !close_own(run, &touched->offer))
      return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  return status;
}

enum collega_status matcher_run(struct matcher *matcher, collega_time now, uint32_t *changed,
                                struct collega_error *error) {
  *changed = 0;
  follow_files(matcher);
  for (bool more = true; more;) {
    struct run run = {.matcher = matcher, .now = now};
    run.changes.arena = arena_new(1u << 20, MATCHER_ARENA_BYTES);
    run.changes.last = &run.changes.first;
    run.members = members_new(ledger_members_loader, &run.txn);
    uint64_t through = 0, before = 0;
    enum collega_status status = COLLEGA_OK;
    if (!run.changes.arena || !run.members)
      status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
    if (status == COLLEGA_OK) status = ledger_read(matcher->ledger, &run.txn, error);
    if (status == COLLEGA_OK) status = ledger_cursor(run.txn, MATCHER_CURSOR, &before, error);
    if (status == COLLEGA_OK) status = collect(&run, &through, &more, error);
    if (run.txn) ledger_abort(&run.txn);
    if (status == COLLEGA_OK && (run.anew || through > before || run.changes.first))
      status = write_changes(matcher, &run.changes, through, changed, error);
    members_destroy(&run.members);
    arena_destroy(&run.changes.arena);
    if (status != COLLEGA_OK) return status;
  }
  return COLLEGA_OK;
}
