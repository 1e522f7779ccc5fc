/* Parts of documents, and the documents of offers, matches and talks. */
#include "client/library/document.h"

#include "proto/json.h"

/* ---- parts */

bool json_put(json_t *object, const char *name, json_t *value) {
  return value && json_object_set_new(object, name, value) == 0;
}

json_t *json_add(json_t *list, json_t *value) {
  if (json_array_append_new(list, value) == 0) return list;
  json_decref(list);
  return NULL;
}

json_t *json_named(const char *name, json_t *list) {
  json_t *document = json_object();
  if (document && json_put(document, name, list)) return document;
  if (!document) json_decref(list);
  json_decref(document);
  return NULL;
}

json_t *json_hex(const uint8_t *data, size_t length) {
  char text[2 * ID_BYTES + 1];
  if (length > ID_BYTES) return NULL;
  hex_write(text, data, length);
  return json_string(text);
}

json_t *json_time(collega_time time) {
  char text[32];
  time_write(text, sizeof text, time);
  return json_string(text);
}

json_t *json_date(collega_date date) {
  char text[32];
  date_write(text, sizeof text, date);
  return json_string(text);
}

json_t *json_party(const struct view *view, const struct id *party) {
  const struct known_party *known =
      members_find(exchange_members(view->exchange, view->txn), party);
  json_t *out = json_object();
  if (out && json_put(out, "id", json_hex(party->byte, ID_BYTES)) &&
      json_put(out, "name", json_string(known ? known_party_name(known) : "")) &&
      json_put(out, "kvk", json_string(known ? known_party_kvk(known) : "")))
    return out;
  json_decref(out);
  return NULL;
}

/* ---- offers */

static json_t *receipt_json(const CollegaStore__Position *position) {
  json_t *out = json_object();
  if (out && json_put(out, "origin", json_hex(position->origin.data, position->origin.len)) &&
      json_put(out, "epoch", json_hex(position->epoch.data, position->epoch.len)) &&
      json_put(out, "seq", json_integer((json_int_t)position->seq)) &&
      json_put(out, "time", json_time(position->time)))
    return out;
  json_decref(out);
  return NULL;
}

static json_t *refusal_json(const struct view *view, const CollegaStore__OfferRow *row) {
  char *words = row->refused_words;
  return json_pack("{s:s, s:s}", "rule", row->refused, "words",
                   view_words(view, row->refused, &words, words ? 1 : 0));
}

json_t *document_offer(const struct view *view, const CollegaStore__OfferRow *row,
                       bool with_private) {
  Collega__Offer *offer = NULL;
  struct id author;
  if (offer_of_row(row, view->arena, &offer, NULL) != COLLEGA_OK ||
      !id_from(&author, row->author.data, row->author.len))
    return NULL;
  json_t *out = json_object();
  bool ok = out && json_put(out, "id", json_hex(row->offer.data, row->offer.len)) &&
            json_put(out, "revision", json_integer(row->revision)) &&
            json_put(out, "state", json_string(view_offer_state(view, row, offer))) &&
            json_put(out, "mine", json_boolean(view_wrote(view, row))) &&
            json_put(out, "author", json_party(view, &author)) &&
            json_put(out, "offer", json_from_message(&offer->base));
  if (ok && row->position) ok = json_put(out, "receipt", receipt_json(row->position));
  if (ok && row->refused) ok = json_put(out, "refused", refusal_json(view, row));
  if (ok && with_private && row->has_private_ && row->private_.len) {
    ProtobufCMessage *hidden =
        row_unpack(&collega__offer_private__descriptor,
                   bytes_of(row->private_.data, row->private_.len), view->arena);
    ok = hidden && json_put(json_object_get(out, "offer"), "private", json_from_message(hidden));
  }
  if (ok) return out;
  json_decref(out);
  return NULL;
}

json_t *document_offers(const struct view *view, const struct offer_rows *rows) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < rows->count; ++i)
    list = json_add(list, document_offer(view, rows->row[i], false));
  return json_named("offers", list);
}

/* ---- matches */

static json_t *words_json(const struct view *view, CollegaStore__Words *const *words,
                          size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < count; ++i) {
    const char *text = view_words(view, words[i]->rule, words[i]->arguments, words[i]->n_arguments);
    list = json_add(list, json_pack("{s:s, s:s}", "rule", words[i]->rule, "text", text));
  }
  return list;
}

static json_t *parts_json(const CollegaStore__MatchRow *row) {
  json_t *parts = json_object();
  for (size_t i = 0; parts && i < row->n_parts; ++i) {
    if (json_put(parts, row->parts[i]->name, json_real((double)row->parts[i]->score / 10000.0)))
      continue;
    json_decref(parts);
    return NULL;
  }
  return parts;
}

json_t *document_match(const struct view *view, const CollegaStore__MatchRow *row) {
  json_t *out = json_object();
  bool ok = out && json_put(out, "id", json_hex(row->match.data, row->match.len)) &&
            json_put(out, "offer", json_hex(row->mine.data, row->mine.len)) &&
            json_put(out, "counter", json_hex(row->counter.data, row->counter.len)) &&
            json_put(out, "state", json_string(view_match_state(view, row))) &&
            json_put(out, "score", json_real((double)row->score / 10000.0)) &&
            json_put(out, "parts", parts_json(row)) &&
            json_put(out, "reasons", words_json(view, row->reasons, row->n_reasons)) &&
            json_put(out, "gaps", words_json(view, row->gaps, row->n_gaps)) &&
            json_put(out, "closers", words_json(view, row->closers, row->n_closers));
  if (ok) return out;
  json_decref(out);
  return NULL;
}

json_t *document_matches(const struct view *view, const struct match_rows *rows) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < rows->count; ++i)
    list = json_add(list, document_match(view, rows->row[i]));
  return json_named("matches", list);
}

/* ---- talks */

static const char *line_kind(const struct talk_line *line) {
  if (line->talk) return "talk";
  return line->interest->declined ? "declined" : "interest";
}

json_t *document_talk_line(const struct talk_line *line) {
  const char *text = line->talk ? line->talk->text : line->interest->text;
  json_t *out = json_object();
  bool ok = out && json_put(out, "time", json_time(line->time)) &&
            json_put(out, "mine", json_boolean(line->mine)) &&
            json_put(out, "kind", json_string(line_kind(line)));
  if (ok && text) ok = json_put(out, "text", json_string(text));
  if (ok && line->erased) ok = json_put(out, "erased", json_true());
  if (ok && line->talk && line->talk->draft)
    ok = json_put(out, "draft", json_from_message(&line->talk->draft->base));
  if (ok) return out;
  json_decref(out);
  return NULL;
}

static bool add_line(void *context, const struct talk_line *line) {
  json_t **list = context;
  *list = json_add(*list, document_talk_line(line));
  return *list != NULL;
}

enum collega_status document_talk(const struct view *view, const struct id *thread, json_t **out,
                                  struct collega_error *error) {
  struct id counterparty;
  const char *state = NULL;
  bool mine = false;
  *out = NULL;
  enum collega_status status =
      talk_counterparty(view->txn, &view->party, thread, view->arena, &counterparty, error);
  bool begun = status == COLLEGA_OK;
  if (status == COLLEGA_NOT_FOUND) status = COLLEGA_OK;
  if (status == COLLEGA_OK)
    status =
        match_state(view->txn, &view->party, thread, view->now, view->arena, &state, &mine, error);
  if (status != COLLEGA_OK) return status;
  json_t *document = json_object(), *list = json_array();
  bool ok = document && list && json_put(document, "thread", json_hex(thread->byte, ID_BYTES)) &&
            json_put(document, "state", json_string(state)) &&
            (!begun || json_put(document, "counterparty", json_party(view, &counterparty)));
  if (ok) status = talk_each(view->txn, &view->party, thread, view->arena, add_line, &list, error);
  ok = ok && list && json_object_set(document, "messages", list) == 0;
  json_decref(list);
  if (status == COLLEGA_OK && !ok)
    status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  if (status == COLLEGA_OK)
    *out = document;
  else
    json_decref(document);
  return status;
}
