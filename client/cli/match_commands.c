/* match list, show. With the daemon down the matcher runs here, so that the answer is as fresh as the ledger. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/process/process.h"
#include "client/cli/common.h"
#include "client/match/matcher.h"

struct finding {
  struct desk *desk;
  bool by_offer, failed;
  struct short_id offer;
  CollegaStore__MatchRow **rows;
  size_t count, capacity;
};

/* An offer's time may be over before the matcher has come by. */
static bool is_open(struct desk *desk, ProtobufCBinaryData offer) {
  struct short_id id;
  CollegaStore__OfferRow *row = NULL;
  Collega__Offer *content = NULL;
  return short_id_from(&id, offer.data, offer.len) &&
         desk_offer_row(desk, &id, &row, NULL) == COLLEGA_OK &&
         offer_of_row(row, desk->arena, &content, NULL) == COLLEGA_OK &&
         offer_state(row, content, desk->now) == COLLEGA__OFFER_STATE__OFFER_STATE_OPEN;
}

static bool find_visit(void *context, struct bytes key, struct bytes value) {
  struct finding *finding = context;
  struct arena *arena = finding->desk->arena;
  (void)key;
  CollegaStore__MatchRow *row =
      (CollegaStore__MatchRow *)row_unpack(&collega_store__match_row__descriptor, value, arena);
  if (!row) return true;
  if (finding->by_offer && (row->mine.len != SHORT_ID_BYTES ||
                            memcmp(row->mine.data, finding->offer.byte, SHORT_ID_BYTES) != 0))
    return true;
  if (!is_open(finding->desk, row->mine) || !is_open(finding->desk, row->counter)) return true;
  CollegaStore__MatchRow **rows =
      array_grow(arena, finding->rows, finding->count, &finding->capacity, sizeof *rows);
  finding->failed = rows == NULL;
  if (!rows) return false;
  finding->rows = rows;
  finding->rows[finding->count++] = row;
  return true;
}

static int best_first(const void *one, const void *other) {
  const CollegaStore__MatchRow *a = *(CollegaStore__MatchRow *const *)one,
                               *b = *(CollegaStore__MatchRow *const *)other;
  if (a->score != b->score) return a->score < b->score ? 1 : -1;
  return memcmp(a->match.data, b->match.data, a->match.len);
}

static enum collega_status find_all(struct desk *desk, void *context, bool *met,
                                    struct collega_error *error) {
  struct finding *finding = context;
  finding->count = finding->capacity = 0;
  enum collega_status status =
      table_each(desk->txn, TABLE_MATCHES, bytes_of(desk->party.byte, ID_BYTES), NULL, find_visit,
                 finding, error);
  if (status == COLLEGA_OK && finding->failed)
    status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  *met = finding->count > 0;
  if (status == COLLEGA_OK && finding->count)
    qsort(finding->rows, finding->count, sizeof(CollegaStore__MatchRow *), best_first);
  return status;
}

static json_t *words_json(struct desk *desk, CollegaStore__Words *const *words, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < count; ++i) {
    const char *text = row_words(desk, words[i]->rule, words[i]->arguments, words[i]->n_arguments);
    if (json_array_append_new(list,
                              json_pack("{s:s, s:s}", "rule", words[i]->rule, "text", text)) != 0) {
      json_decref(list);
      return NULL;
    }
  }
  return list;
}

static const char *state_of(struct desk *desk, const CollegaStore__MatchRow *row) {
  const char *state = "suggested";
  struct id match;
  bool mine = false;
  if (id_from(&match, row->match.data, row->match.len) &&
      match_state(desk->txn, &desk->party, &match, desk->now, desk->arena, &state, &mine, NULL) !=
          COLLEGA_OK)
    return "suggested";
  return state;
}

static json_t *match_json(struct desk *desk, const CollegaStore__MatchRow *row) {
  json_t *out = json_object(), *parts = json_object();
  bool ok = out && parts && json_put(out, "id", json_hex(row->match.data, row->match.len)) &&
            json_put(out, "offer", json_hex(row->mine.data, row->mine.len)) &&
            json_put(out, "counter", json_hex(row->counter.data, row->counter.len)) &&
            json_put(out, "state", json_string(state_of(desk, row))) &&
            json_put(out, "score", json_real((double)row->score / 10000.0));
  for (size_t i = 0; ok && i < row->n_parts; ++i)
    ok = json_put(parts, row->parts[i]->name, json_real((double)row->parts[i]->score / 10000.0));
  ok = ok && json_object_set(out, "parts", parts) == 0 &&
       json_put(out, "reasons", words_json(desk, row->reasons, row->n_reasons)) &&
       json_put(out, "gaps", words_json(desk, row->gaps, row->n_gaps));
  json_decref(parts);
  if (ok) return out;
  json_decref(out);
  return NULL;
}

static void print_match(struct desk *desk, struct table *table, const CollegaStore__MatchRow *row) {
  struct short_id mine, counter;
  CollegaStore__OfferRow *mine_row = NULL, *counter_row = NULL;
  Collega__Offer *ours = NULL, *theirs = NULL;
  struct id author;
  if (!short_id_from(&mine, row->mine.data, row->mine.len) ||
      !short_id_from(&counter, row->counter.data, row->counter.len) ||
      desk_offer_row(desk, &mine, &mine_row, NULL) != COLLEGA_OK ||
      desk_offer_row(desk, &counter, &counter_row, NULL) != COLLEGA_OK ||
      offer_of_row(mine_row, desk->arena, &ours, NULL) != COLLEGA_OK ||
      offer_of_row(counter_row, desk->arena, &theirs, NULL) != COLLEGA_OK ||
      !id_from(&author, counter_row->author.data, counter_row->author.len))
    return;
  char score[16], people[24];
  snprintf(score, sizeof score, "%.2f", (double)row->score / 10000.0);
  snprintf(people, sizeof people, "%" PRIu32, theirs->headcount);
  const char *cells[] = {
      hex_text(desk, row->match.data, 4),
      state_of(desk, row),
      score,
      safe(desk, ours->title),
      people,
      safe(desk, theirs->title),
      party_name(desk, &author),
      safe(desk, theirs->place->city ? theirs->place->city : theirs->place->region)};
  table_row(table, cells);
}

static enum collega_status print_matches(struct desk *desk, const struct finding *finding,
                                         struct collega_error *error) {
  if (argument_json(desk->arguments)) {
    json_t *list = json_array();
    for (size_t i = 0; list && i < finding->count; ++i)
      list = json_add(list, match_json(desk, finding->rows[i]));
    return json_print_list("matches", list, error);
  }
  if (finding->count == 0) {
    say(desk, RULE_said_no_matches, NULL);
    return COLLEGA_OK;
  }
  static const char *const dutch[] = {"id",     "staat",      "score",     "ons aanbod",
                                      "mensen", "hun aanbod", "werkgever", "plaats"};
  static const char *const english[] = {"id",     "state",       "score",    "our offer",
                                        "people", "their offer", "employer", "place"};
  struct table *table =
      table_new(8, desk->language == LANGUAGE_NL ? dutch : english, (1u << 2) | (1u << 4));
  if (!table) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  for (size_t i = 0; i < finding->count; ++i)
    print_match(desk, table, finding->rows[i]);
  table_print(table, stdout);
  table_destroy(&table);
  return COLLEGA_OK;
}

static enum collega_status match_here(struct desk *desk, struct collega_error *error) {
  if (run_lock_held(desk->home)) return COLLEGA_OK; /* the daemon does it */
  struct matcher *matcher = NULL;
  uint32_t changed = 0;
  desk_release(desk);
  enum collega_status status = matcher_open(exchange_ledger(desk->exchange), &matcher, error);
  if (status == COLLEGA_OK) status = matcher_run(matcher, desk->now, &changed, error);
  matcher_close(&matcher);
  return status == COLLEGA_OK ? desk_read(desk, error) : status;
}

enum collega_status command_match_list(const struct arguments *arguments,
                                       struct collega_error *error) {
  struct desk desk;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  struct finding finding = {.desk = &desk};
  const char *offer = argument_value(arguments, "offer");
  if (offer) {
    finding.by_offer = true;
    status = desk_offer_id(&desk, offer, &finding.offer, error);
    if (status != COLLEGA_OK) error_prefix(error, "--offer");
  }
  if (status == COLLEGA_OK) status = match_here(&desk, error);
  if (status == COLLEGA_OK) status = desk_wait(&desk, find_all, &finding, error);
  if (status == COLLEGA_OK) status = print_matches(&desk, &finding, error);
  desk_close(&desk);
  return status;
}

static void print_words(struct desk *desk, enum rule heading, CollegaStore__Words *const *words,
                        size_t count) {
  if (!count) return;
  say(desk, heading, NULL);
  for (size_t i = 0; i < count; ++i)
    printf("  - %s\n", row_words(desk, words[i]->rule, words[i]->arguments, words[i]->n_arguments));
}

enum collega_status command_match_show(const struct arguments *arguments,
                                       struct collega_error *error) {
  struct desk desk;
  struct id id;
  ProtobufCMessage *message = NULL;
  uint8_t key[2 * ID_BYTES];
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = match_here(&desk, error);
  if (status == COLLEGA_OK) status = desk_match_id(&desk, argument_at(arguments, 0), &id, error);
  if (status == COLLEGA_OK) {
    memcpy(key, desk.party.byte, ID_BYTES);
    memcpy(key + ID_BYTES, id.byte, ID_BYTES);
    status = row_get(desk.txn, TABLE_MATCHES, bytes_of(key, sizeof key),
                     &collega_store__match_row__descriptor, desk.arena, &message, error);
  }
  CollegaStore__MatchRow *row = (CollegaStore__MatchRow *)message;
  if (status == COLLEGA_OK && argument_json(arguments)) {
    status = json_print(match_json(&desk, row), error);
  } else if (status == COLLEGA_OK) {
    struct finding finding = {.desk = &desk, .rows = &row, .count = 1};
    status = print_matches(&desk, &finding, error);
    for (size_t i = 0; i < row->n_parts; ++i)
      printf("  %-12s %.2f x %.2f\n", row->parts[i]->name, (double)row->parts[i]->score / 10000.0,
             (double)row->parts[i]->weight / 10000.0);
    print_words(&desk, RULE_said_reasons, row->reasons, row->n_reasons);
    print_words(&desk, RULE_said_gaps, row->gaps, row->n_gaps);
  }
  desk_close(&desk);
  return status;
}
