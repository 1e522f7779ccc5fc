/* Events, read from a place in the ledger, and the places that consumers have come to. */
#include "client/library/event.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/library/document.h"
#include "client/library/event_touch.h"
#include "client/match/matcher.h"

#define CONSUMER_NAME_MOST 40
#define WITHIN_BITS        20 /* a frame, or a run of our own, holds far fewer events */
#define WITHIN_MOST        ((1u << WITHIN_BITS) - 1)
/* Entries that are no events are read over, but not all at once: the transaction would be long. */
#define ENTRIES_A_READ 4096u

/* ---- places */

void event_place_write(char out[EVENT_ID_BYTES], const struct event_place *place) {
  snprintf(out, EVENT_ID_BYTES, "%" PRIu64 ".%" PRIu32 ".%" PRIu64, place->entry, place->within,
           place->matches);
}

static bool read_number(const char **text, char end, uint64_t most, uint64_t *out) {
  const char *at = *text;
  *out = 0;
  if (*at < '0' || *at > '9') return false;
  for (; *at >= '0' && *at <= '9'; ++at) {
    uint64_t digit = (uint64_t)(*at - '0');
    if (*out > (most - digit) / 10) return false;
    *out = *out * 10 + digit;
  }
  if (*at != end) return false;
  *text = at + (end != '\0');
  return true;
}

bool event_place_read(const char *text, struct event_place *out) {
  uint64_t within = 0;
  if (!read_number(&text, '.', UINT64_MAX >> WITHIN_BITS, &out->entry) ||
      !read_number(&text, '.', WITHIN_MOST, &within) ||
      !read_number(&text, '\0', UINT64_MAX, &out->matches))
    return false;
  out->within = (uint32_t)within;
  return true;
}

static uint64_t packed(const struct event_place *place) {
  return place->entry << WITHIN_BITS | place->within;
}

bool event_place_reached(const struct event_place *one, const struct event_place *other) {
  return packed(one) <= packed(other) && one->matches <= other->matches;
}

/* ---- consumers. Two cursors each: "consumer/NAME" and "consumer/NAME/matches"; for a party that another hosts,
 * NAME is "NAME@ID". What one party has dealt with, another has not. */

#define CURSOR_NAME_BYTES (CONSUMER_NAME_MOST + 2 * ID_BYTES + 32)

struct cursor_names {
  char chain[CURSOR_NAME_BYTES], matches[CURSOR_NAME_BYTES];
};

static struct cursor_names cursors_of(const struct view *view, const char *name) {
  struct cursor_names names;
  char at[2 * ID_BYTES + 2] = "";
  if (!id_equal(&view->party, exchange_host(view->exchange))) {
    at[0] = '@';
    hex_write(at + 1, view->party.byte, ID_BYTES);
  }
  snprintf(names.chain, sizeof names.chain, "consumer/%.*s%s", CONSUMER_NAME_MOST, name, at);
  snprintf(names.matches, sizeof names.matches, "consumer/%.*s%s/matches", CONSUMER_NAME_MOST, name,
           at);
  return names;
}

bool consumer_name_fits(const char *name) {
  size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
  return length > 0 && length <= CONSUMER_NAME_MOST && name[length] == '\0';
}

static enum collega_status place_in(struct ledger_txn *txn, const struct cursor_names *names,
                                    struct event_place *out, struct collega_error *error) {
  struct bytes value;
  uint64_t chain = 0;
  enum collega_status status =
      table_get(txn, TABLE_CURSORS, bytes_of(names->chain, strlen(names->chain)), &value, error);
  if (status == COLLEGA_OK) status = ledger_cursor(txn, names->chain, &chain, error);
  if (status == COLLEGA_OK) status = ledger_cursor(txn, names->matches, &out->matches, error);
  out->entry = chain >> WITHIN_BITS;
  out->within = (uint32_t)(chain & WITHIN_MOST);
  return status;
}

enum collega_status consumer_place(const struct view *view, const char *name,
                                   struct event_place *out, struct collega_error *error) {
  struct cursor_names names = cursors_of(view, name);
  memset(out, 0, sizeof *out);
  return place_in(view->txn, &names, out, error);
}

enum collega_status event_place_now(const struct view *view, struct event_place *out,
                                    struct collega_error *error) {
  struct ledger_head head = {.number = 0};
  memset(out, 0, sizeof *out);
  enum collega_status status = ledger_head(view->txn, &head, error);
  out->entry = head.number;
  return status == COLLEGA_OK ? ledger_cursor(view->txn, MATCHES_FOUND, &out->matches, error)
                              : status;
}

enum collega_status consumer_move(const struct view *view, const char *name,
                                  const struct event_place *place, bool forward,
                                  struct collega_error *error) {
  struct cursor_names names = cursors_of(view, name);
  struct event_place stored = {0};
  struct ledger_txn *txn = NULL;
  enum collega_status status = ledger_write(exchange_ledger(view->exchange), &txn, error);
  if (status != COLLEGA_OK) return status;
  status = place_in(txn, &names, &stored, error);
  bool fresh = status == COLLEGA_NOT_FOUND || !forward;
  if (status == COLLEGA_NOT_FOUND) status = COLLEGA_OK;
  if (status == COLLEGA_OK && (fresh || packed(place) > packed(&stored)))
    status = ledger_cursor_set(txn, names.chain, packed(place), error);
  if (status == COLLEGA_OK && (fresh || place->matches > stored.matches))
    status = ledger_cursor_set(txn, names.matches, place->matches, error);
  if (status == COLLEGA_OK) return ledger_commit(&txn, error);
  ledger_abort(&txn);
  return status;
}

/* ---- documents */

static json_t *begin(const char *kind, collega_time time) {
  json_t *out = json_object();
  if (out && json_put(out, "event", json_string(kind)) && json_put(out, "time", json_time(time)))
    return out;
  json_decref(out);
  return NULL;
}

/* Puts the part, or gives all of it up. */
static json_t *with(json_t *event, const char *name, json_t *part) {
  if (event && json_put(event, name, part)) return event;
  if (!event) json_decref(part);
  json_decref(event);
  return NULL;
}

/* Not here any more, or not readable: its id is left. */
static json_t *bare(struct bytes id) {
  json_t *out = json_object();
  if (out && json_put(out, "id", json_hex(id.data, id.length)) &&
      json_put(out, "state", json_string("gone")))
    return out;
  json_decref(out);
  return NULL;
}

static json_t *offer_event(const struct view *view, const struct touch *touch, collega_time time) {
  CollegaStore__OfferRow *row = NULL;
  bool here = view_offer(view, &touch->offer, &row, NULL) == COLLEGA_OK;
  json_t *offer = here ? document_offer(view, row, view_wrote(view, row)) : NULL;
  if (!offer) offer = bare(bytes_of(touch->offer.byte, SHORT_ID_BYTES));
  const char *what = here ? touch->what : "gone";
  return with(with(begin("offer", time), "what", json_string(what)), "offer", offer);
}

static json_t *deal_event(const struct view *view, const struct touch *touch, collega_time time) {
  CollegaStore__DealRow *row = NULL;
  bool here = view_deal(view, &touch->id, &row, NULL) == COLLEGA_OK;
  json_t *deal = here ? document_deal(view, row) : NULL;
  if (!deal) deal = bare(bytes_of(touch->id.byte, ID_BYTES));
  return with(begin("deal", time), "deal", deal);
}

static json_t *talk_event(const struct view *view, const struct touch *touch, collega_time time) {
  json_t *out = with(begin("talk", time), "thread", json_hex(touch->id.byte, ID_BYTES));
  out = with(out, "counterparty", json_party(view, &touch->counterparty));
  return with(out, "message", document_talk_line(&touch->line));
}

static json_t *refused_event(const struct view *view, const struct touch *touch, const char *kind,
                             collega_time time) {
  const char *text = view_words(view, touch->rule, touch->arguments, touch->argument_count);
  json_t *out = with(begin(kind, time), "rule", json_string(touch->rule));
  out = with(out, "text", json_string(text));
  if (touch->has_deal) out = with(out, "deal_id", json_hex(touch->id.byte, ID_BYTES));
  return out;
}

/* Of another party of this home, or not for this one's eyes. */
static bool is_other_party(const struct view *view, const struct touch *touch,
                           const struct ledger_event *event) {
  CollegaStore__DealRow *deal = NULL;
  CollegaStore__OfferRow *row = NULL;
  Collega__Offer *offer = NULL;
  bool ours = event->party && id_equal(event->party, &view->party);
  switch (touch->kind) {
  case TOUCH_OFFER:
    return view_offer(view, &touch->offer, &row, NULL) == COLLEGA_OK &&
           offer_of_row(row, view->arena, &offer, NULL) == COLLEGA_OK &&
           !view_may_see(view, row, offer);
  case TOUCH_DEAL:
    return !ours && view_deal(view, &touch->id, &deal, NULL) != COLLEGA_OK;
  case TOUCH_TALK:
  case TOUCH_UNREADABLE:
    return !ours;
  case TOUCH_REFUSED: /* judged by the item */
  case TOUCH_JOINED:
  case TOUCH_BOARD_RESET:
    break;
  }
  return false;
}

static json_t *touch_document(const struct view *view, const struct touch *touch,
                              const struct ledger_event *event) {
  switch (touch->kind) {
  case TOUCH_OFFER:
    return offer_event(view, touch, event->time);
  case TOUCH_DEAL:
    return deal_event(view, touch, event->time);
  case TOUCH_TALK:
    return talk_event(view, touch, event->time);
  case TOUCH_REFUSED:
    return refused_event(view, touch, "refused", event->time);
  case TOUCH_UNREADABLE:
    return refused_event(view, touch, "unreadable", event->time);
  case TOUCH_JOINED:
    return begin("joined", event->time);
  case TOUCH_BOARD_RESET:
    return begin("board_reset", event->time);
  }
  return NULL;
}

/* ---- reading */

struct reading {
  const struct view *view;
  struct event_place *place;
  struct event *out;
  size_t most, *count;
};

static enum collega_status no_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

static enum collega_status give(struct reading *reading, json_t *document,
                                struct collega_error *error) {
  char id[EVENT_ID_BYTES];
  event_place_write(id, reading->place);
  document = with(document, "id", json_string(id));
  if (!document) return no_memory(error);
  reading->out[(*reading->count)++] = (struct event){*reading->place, document};
  return COLLEGA_OK;
}

static enum collega_status read_entry(struct reading *reading, uint64_t number,
                                      struct collega_error *error) {
  const struct view *view = reading->view;
  struct ledger_event event;
  struct touches touches;
  enum collega_status status = ledger_entry(view->txn, number, view->arena, &event, error);
  if (status != COLLEGA_OK) return status;
  touches_of(view, &event, &touches);
  if (touches.failed) return no_memory(error);
  for (size_t i = reading->place->within; i < touches.count && i < WITHIN_MOST; ++i) {
    if (*reading->count == reading->most) return COLLEGA_OK;
    bool last = i + 1 == touches.count;
    reading->place->entry = last ? number : number - 1;
    reading->place->within = last ? 0 : (uint32_t)i + 1;
    if (is_other_party(view, &touches.list[i], &event)) continue;
    status = give(reading, touch_document(view, &touches.list[i], &event), error);
    if (status != COLLEGA_OK) return status;
  }
  reading->place->entry = number;
  reading->place->within = 0;
  return COLLEGA_OK;
}

static enum collega_status read_chain(struct reading *reading, bool *ended,
                                      struct collega_error *error) {
  struct ledger_head head;
  enum collega_status status = ledger_head(reading->view->txn, &head, error);
  if (status != COLLEGA_OK) return status;
  /* A home that was restored to before this place: what comes now is new. */
  if (reading->place->entry > head.number)
    *reading->place = (struct event_place){head.number, 0, reading->place->matches};
  for (uint32_t i = 0; status == COLLEGA_OK && i < ENTRIES_A_READ &&
                       reading->place->entry < head.number && *reading->count < reading->most;
       ++i)
    status = read_entry(reading, reading->place->entry + 1, error);
  *ended = reading->place->entry == head.number;
  return status;
}

struct found_matches {
  struct reading *reading;
  CollegaStore__MatchRow **rows;
  size_t count, capacity;
  bool failed;
};

static bool visit_match(void *context, struct bytes key, struct bytes value) {
  struct found_matches *found = context;
  struct arena *arena = found->reading->view->arena;
  (void)key;
  CollegaStore__MatchRow *row =
      (CollegaStore__MatchRow *)row_unpack(&collega_store__match_row__descriptor, value, arena);
  if (!row || !row->has_number || row->number <= found->reading->place->matches) return true;
  CollegaStore__MatchRow **rows =
      array_grow(arena, found->rows, found->count, &found->capacity, sizeof *rows);
  found->failed = rows == NULL;
  if (!rows) return false;
  found->rows = rows;
  rows[found->count++] = row;
  return true;
}

static int first_found(const void *one, const void *other) {
  uint64_t a = (*(CollegaStore__MatchRow *const *)one)->number,
           b = (*(CollegaStore__MatchRow *const *)other)->number;
  return a < b ? -1 : a > b ? 1 : 0;
}

static enum collega_status read_matches(struct reading *reading, struct collega_error *error) {
  const struct view *view = reading->view;
  struct found_matches found = {.reading = reading};
  uint64_t newest = 0;
  enum collega_status status = ledger_cursor(view->txn, MATCHES_FOUND, &newest, error);
  if (status != COLLEGA_OK || newest <= reading->place->matches) return status;
  status = table_each(view->txn, TABLE_MATCHES, bytes_of(view->party.byte, ID_BYTES), NULL,
                      visit_match, &found, error);
  if (status == COLLEGA_OK && found.failed) status = no_memory(error);
  if (status != COLLEGA_OK) return status;
  if (found.count) qsort(found.rows, found.count, sizeof(CollegaStore__MatchRow *), first_found);
  for (size_t i = 0; status == COLLEGA_OK && i < found.count; ++i) {
    if (*reading->count == reading->most) return COLLEGA_OK;
    reading->place->matches = found.rows[i]->number;
    json_t *document =
        with(begin("match", view->now), "match", document_match(view, found.rows[i]));
    status = give(reading, document, error);
  }
  /* Those in between are gone again, or another party's. */
  if (status == COLLEGA_OK) reading->place->matches = newest;
  return status;
}

enum collega_status events_read(const struct view *view, struct event_place *place,
                                struct event *out, size_t most, size_t *count,
                                struct collega_error *error) {
  struct reading reading = {view, place, out, most, count};
  bool ended = false;
  *count = 0;
  enum collega_status status = read_chain(&reading, &ended, error);
  if (status == COLLEGA_OK && ended && *count < most) status = read_matches(&reading, error);
  return status;
}
