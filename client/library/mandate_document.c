/* Mandates of the party, as JSON. */
#include "client/exchange/mandates.h"
#include "client/library/document.h"

json_t *document_mandate(const struct view *view, const struct known_mandate *mandate) {
  enum mandate_state state;
  if (mandate_state(view->txn, mandate, view->now, &state, NULL) != COLLEGA_OK) return NULL;
  json_t *out = json_object();
  bool ok = out && json_put(out, "id", json_hex(mandate->record.byte, ID_BYTES)) &&
            json_put(out, "signatory", json_string(mandate->person)) &&
            json_put(out, "function", json_string(mandate->function)) &&
            json_put(out, "jointly", json_boolean(mandate->jointly)) &&
            json_put(out, "state", json_string(mandate_state_name(state))) &&
            json_put(out, "valid_from", json_time(mandate->valid_from)) &&
            json_put(out, "receipted", json_boolean(!id_is_zero(&mandate->anchor.origin)));
  if (ok && mandate->headcount_limit)
    ok = json_put(out, "max_headcount", json_integer(mandate->headcount_limit));
  if (ok && mandate->valid_until)
    ok = json_put(out, "valid_until", json_time(mandate->valid_until));
  if (ok && mandate->ended) ok = json_put(out, "ended", json_time(mandate->ended));
  if (ok && mandate->ground) ok = json_put(out, "ground", json_string(mandate->ground));
  if (ok) return out;
  json_decref(out);
  return NULL;
}

json_t *document_mandates(const struct view *view) {
  const struct known_party *self =
      members_find(exchange_members(view->exchange, view->txn), &view->party);
  json_t *list = json_array();
  for (size_t i = 0; list && self && i < self->mandate_count; ++i)
    list = json_add(list, document_mandate(view, &self->mandates[i]));
  return json_named("mandates", list);
}
