/* Publishing, and the answer that tells of it. */
#include "client/library/publication.h"

#include "client/library/document.h"

enum collega_status publication_store(const struct view *view, const struct offer_inputs *inputs,
                                      bool once, struct publication *out,
                                      struct collega_error *error) {
  out->inputs = *inputs;
  out->ids = arena_zero(view->arena, inputs->count * sizeof *out->ids);
  out->already = arena_zero(view->arena, inputs->count * sizeof *out->already);
  if (!out->ids || !out->already)
    return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  if (once)
    return offer_publish_once(view->exchange, &view->party, inputs->input, inputs->count, view->now,
                              out->ids, out->already, error);
  return offer_publish(view->exchange, &view->party, inputs->input, inputs->count, view->now,
                       out->ids, error);
}

size_t publication_already(const struct publication *publication) {
  size_t count = 0;
  for (size_t i = 0; i < publication->inputs.count; ++i)
    count += publication->already[i];
  return count;
}

bool offer_warnings_put(const struct view *view, const Collega__Offer *offer, json_t *item) {
  if (!offer_points_at_one(offer)) return true;
  const enum rule rule = RULE_warn_points_at_one;
  json_t *list = json_array();
  list = json_add(list, json_pack("{s:s, s:s}", "rule", rule_name(rule), "text",
                                  view_words(view, rule_name(rule), NULL, 0)));
  return json_put(item, "warnings", list);
}

bool publication_put(const struct view *view, const struct publication *publication, size_t i,
                     json_t *item) {
  if (!json_put(item, "id", json_hex(publication->ids[i].byte, SHORT_ID_BYTES))) return false;
  if (publication->already[i]) return json_put(item, "already", json_true());
  return offer_warnings_put(view, publication->inputs.input[i].offer, item);
}

json_t *document_publication(const struct view *view, const struct publication *publication) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < publication->inputs.count; ++i) {
    json_t *item = json_object();
    if (item && !publication_put(view, publication, i, item)) {
      json_decref(item);
      item = NULL;
    }
    list = json_add(list, item);
  }
  return json_named("offers", list);
}
