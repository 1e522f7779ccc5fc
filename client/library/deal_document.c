/* The document of a deal: what was agreed or proposed, between whom, and how far it has come. */
#include "client/library/document.h"

#include <string.h>

#include "client/exchange/deal_machine.h"
#include "client/library/deal_steps.h"
#include "proto/json.h"

/* The work section's fields stand at the top, the other sections under their names. */
static json_t *terms_json(const Collega__Terms *terms) {
  if (!terms) return json_object();
  json_t *whole = json_from_message(&terms->base);
  json_t *out = whole ? json_deep_copy(json_object_get(whole, "work")) : NULL;
  const char *name;
  json_t *section;
  bool ok = whole != NULL;
  if (ok && !out) out = json_object();
  json_object_foreach(whole, name, section) {
    if (strcmp(name, "work") != 0) ok = ok && out && json_object_set(out, name, section) == 0;
  }
  json_decref(whole);
  if (ok) return out;
  json_decref(out);
  return NULL;
}

static const char *release_text(uint32_t state) {
  switch ((enum release_phase)state) {
  case RELEASE_ASKED:
    return "asked";
  case RELEASE_RECEIVED:
    return "received";
  case RELEASE_KEPT:
    return "kept";
  case RELEASE_KEPT_BY_OTHER:
    return "kept_by_other";
  case RELEASE_SIGNED:
  case RELEASE_DONE:
    return "signed";
  case RELEASE_NONE:
    break;
  }
  return NULL;
}

/* The parts that one party ended, and how many people go on after them. */
static bool reductions_json(const CollegaStore__DealRow *row, const Collega__Terms *terms,
                            json_t *out) {
  if (row->n_reductions == 0) return true;
  json_t *list = json_array();
  for (size_t i = 0; list && i < row->n_reductions; i++) {
    const CollegaStore__ReductionRow *part = row->reductions[i];
    json_t *entry = json_pack("{s:i, s:b, s:b}", "headcount", (int)part->headcount, "ours",
                              (int)part->ours, "disputed", (int)part->disputed);
    bool put = entry && json_put(entry, "effective", json_date(part->effective));
    if (!put) json_decref(entry);
    list = json_add(list, put ? entry : NULL);
  }
  bool ok = json_put(out, "reductions", list);
  if (ok && terms && terms->work)
    ok = json_put(out, "people_left",
                  json_integer(deal_people(row, terms->work->headcount, DATE_OPEN)));
  return ok;
}

static bool is_disputed(const CollegaStore__DealRow *row) {
  bool disputed = row->disputed;
  for (size_t i = 0; i < row->n_reductions; i++)
    disputed = disputed || row->reductions[i]->disputed;
  return disputed;
}

/* What it follows on, and what followed it. */
static bool links_json(const struct view *view, const CollegaStore__DealRow *row,
                       const Collega__DealHeader *header, json_t *out) {
  bool ok = json_put(out, "thread", json_hex(header->thread.data, header->thread.len));
  if (ok && header->has_replaces)
    ok = json_put(out, "replaces", json_hex(header->replaces.data, header->replaces.len));
  if (ok && header->has_amends)
    ok = json_put(out, "amends", json_hex(header->amends.data, header->amends.len));
  if (ok && release_text(row->release_state))
    ok = json_put(out, "release", json_string(release_text(row->release_state)));
  if (ok && row->has_effective) ok = json_put(out, "effective", json_date(row->effective));
  if (ok && (row->has_effective || row->n_reductions > 0))
    ok = json_put(out, "disputed", json_boolean(is_disputed(row)));
  bool agreed = row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_CONCLUDED ||
                row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_TERMINATED;
  const CollegaStore__RootRow *root = view_root(view, row);
  const ProtobufCBinaryData *after = view_amended_by(view, row);
  if (ok && after) ok = json_put(out, "amended_by", json_hex(after->data, after->len));
  if (ok && agreed && root && root->terminate_wanted)
    ok = json_put(out, "ending", json_date(root->terminate_effective));
  if (ok && agreed && root && root->terminate_wanted && root->has_terminate_headcount)
    ok = json_put(out, "ending_headcount", json_integer(root->terminate_headcount));
  if (ok && agreed && root && root->terminate_dropped)
    ok = json_put(out, "ending_dropped", json_string(root->terminate_dropped));
  return ok;
}

/* What stands in for an offer of ours, where we published none. */
static bool capacity_json(const struct view *view, const CollegaStore__DealRow *row, json_t *out) {
  const CollegaStore__Capacity *capacity = view_capacity(view, row);
  if (!capacity) return true;
  json_t *entry = json_pack("{s:i, s:i}", "headcount", (int)capacity->headcount, "hours_per_week",
                            (int)capacity->hours_per_week);
  bool ok = entry &&
            json_put(entry, "id", json_hex(capacity->capacity.data, capacity->capacity.len)) &&
            json_put(entry, "from", json_date(capacity->from));
  if (ok && capacity->has_until) ok = json_put(entry, "until", json_date(capacity->until));
  if (ok) return json_put(out, "capacity", entry);
  json_decref(entry);
  return false;
}

static bool hold_json(const struct view *view, const CollegaStore__DealRow *row, json_t *out) {
  const CollegaStore__Hold *hold = view_hold(view, row);
  if (!hold) return true;
  json_t *entry = json_pack("{s:i, s:i, s:b}", "people", (int)hold->people, "hours_per_week",
                            (int)hold->hours_per_week, "agreed", (int)hold->agreed);
  bool ok = entry && json_put(entry, "from", json_date(hold->from));
  if (ok && hold->until != DATE_OPEN) ok = json_put(entry, "until", json_date(hold->until));
  if (ok && hold->n_ends > 0) {
    json_t *ends = json_array();
    for (size_t i = 0; ends && i < hold->n_ends; i++) {
      json_t *end = json_pack("{s:i}", "people", (int)hold->ends[i]->people);
      bool put = end && json_put(end, "until", json_date(hold->ends[i]->until));
      if (!put) json_decref(end);
      ends = json_add(ends, put ? end : NULL);
    }
    ok = json_put(entry, "ends", ends);
  }
  if (ok) return json_put(out, "hold", entry);
  json_decref(entry);
  return false;
}

static bool steps_json(const struct view *view, const CollegaStore__DealRow *row,
                       const Collega__Terms *terms, json_t *out) {
  struct deal_steps steps;
  deal_steps_read(view, row, terms, &steps);
  json_t *next = json_array();
  for (size_t i = 0; next && i < steps.count; ++i)
    next = json_add(next, json_string(steps.next[i]));
  bool put = json_put(out, "next", next);
  return put && json_put(out, "awaits", json_string(deal_awaited_text(steps.awaited)));
}

static bool erased_json(const struct view *view, const CollegaStore__DealRow *row, json_t *out) {
  json_t *names = NULL;
  for (unsigned i = 0; i < collega__terms__descriptor.n_fields; i++) {
    const char *name = collega__terms__descriptor.fields[i].name;
    if (!view_section_erased(view, row, name)) continue;
    if (!names) names = json_array();
    names = json_add(names, json_string(name));
    if (!names) return false;
  }
  return !names || json_put(out, "erased", names);
}

json_t *document_deal(const struct view *view, const CollegaStore__DealRow *row) {
  Collega__Terms *terms = NULL;
  struct id counterparty;
  const Collega__DealHeader *header = view_header(view, row);
  if (!header || view_terms(view, row, &terms, NULL) != COLLEGA_OK ||
      !id_from(&counterparty, row->counterparty.data, row->counterparty.len))
    return NULL;
  json_t *out = json_object(), *offers = json_array();
  bool ok =
      out && offers && json_put(out, "id", json_hex(row->deal.data, row->deal.len)) &&
      json_put(out, "state", json_string(deal_state_name(row, terms, date_of_time(view->now)))) &&
      json_put(out, "mine", json_boolean(row->mine)) &&
      json_put(out, "lends", json_boolean(row->lends)) &&
      json_put(out, "counterparty", json_party(view, &counterparty)) &&
      json_put(out, "terms", terms_json(terms));
  for (size_t i = 0; ok && i < row->n_offers; ++i)
    ok = json_array_append_new(offers, json_hex(row->offers[i].data, row->offers[i].len)) == 0;
  ok = ok && json_object_set(out, "offers", offers) == 0 &&
       json_put(out, "accept_by", json_time(row->accept_by)) &&
       json_put(out, "decider", json_hex(header->decider.data, header->decider.len)) &&
       json_put(out, "root", json_hex(row->root.data, row->root.len)) &&
       json_put(out, "waits_for_signature", json_boolean(row->has_act)) &&
       links_json(view, row, header, out) && reductions_json(row, terms, out) &&
       capacity_json(view, row, out) && hold_json(view, row, out) &&
       steps_json(view, row, terms, out) && erased_json(view, row, out);
  if (ok && row->why)
    ok = json_put(out, "why", json_string(row->why)) &&
         json_put(out, "why_text", json_string(view_words(view, row->why, NULL, 0)));
  json_decref(offers);
  if (ok) return out;
  json_decref(out);
  return NULL;
}

json_t *document_deals(const struct view *view, const struct deal_rows *rows) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < rows->count; ++i)
    list = json_add(list, document_deal(view, rows->row[i]));
  return json_named("deals", list);
}
