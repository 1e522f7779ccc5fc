/* Offers, through the public interface. */
#include <stdlib.h>
#include <string.h>

#include "client/library/node.h"
#include "client/library/offer_sheet.h"
#include "proto/json.h"

static enum collega_status know_flags(struct call *call, unsigned flags, unsigned known) {
  return flags & ~known ? call_unknown(call, "flags", (long)flags) : COLLEGA_OK;
}

static enum collega_status publish(struct call *call, const struct offer_inputs *inputs,
                                   unsigned flags, struct publication *out) {
  call_release(call);
  return publication_store(&call->view, inputs, flags & COLLEGA_ONCE, out, &call->error);
}

int collega_offers_publish(struct collega_node *node, const char *text, size_t length,
                           unsigned flags, char **json, struct collega_failure *failure) {
  struct call call;
  struct offer_inputs inputs;
  struct publication published;
  json_t *given = NULL, *document = NULL;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK) status = know_flags(&call, flags, COLLEGA_ONCE);
  if (status == COLLEGA_OK) status = call_parse(&call, text, length, OFFERS_FILE_BYTES, &given);
  if (status == COLLEGA_OK) status = offer_inputs_read(&call.view, given, &inputs, &call.error);
  if (status == COLLEGA_OK) status = publish(&call, &inputs, flags, &published);
  if (status == COLLEGA_OK) document = document_publication(&call.view, &published);
  json_decref(given);
  return call_end(&call, status, document);
}

/* The report of a table of which nothing was published is told beside the failure. */
static int end_refused(struct call *call, enum collega_status status, const struct sheet *sheet) {
  json_t *report = document_sheet(&call->view, sheet, NULL);
  if (call->json && report) *call->json = json_dumps(report, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
  json_decref(report);
  return call_end_bare(call, status);
}

int collega_offers_publish_csv(struct collega_node *node, const char *text, size_t length,
                               unsigned flags, char **json, struct collega_failure *failure) {
  struct call call;
  struct sheet sheet;
  struct offer_inputs inputs;
  struct publication published;
  json_t *document = NULL;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK) status = know_flags(&call, flags, COLLEGA_ONCE | COLLEGA_SKIP_BAD);
  if (status == COLLEGA_OK) status = call_need(&call, text, "text");
  if (status == COLLEGA_OK && length > OFFERS_FILE_BYTES)
    status = error_set(&call.error, COLLEGA_INVALID, RULE_file_too_large, NULL, "text", "67108864",
                       NULL);
  if (status == COLLEGA_OK)
    status = sheet_read(&call.view, bytes_of(text, length), &sheet, &call.error);
  if (status != COLLEGA_OK) return call_end_bare(&call, status);
  status = sheet_verdict(&sheet, flags & COLLEGA_SKIP_BAD, &call.error);
  if (status != COLLEGA_OK) return end_refused(&call, status, &sheet);
  status = sheet_inputs(&call.view, &sheet, &inputs, &call.error);
  if (status == COLLEGA_OK) status = publish(&call, &inputs, flags, &published);
  if (status == COLLEGA_OK) document = document_sheet(&call.view, &sheet, &published);
  return call_end(&call, status, document);
}

/* ---- one offer */

static enum collega_status find(struct call *call, const char *typed, struct short_id *out) {
  enum collega_status status = call_need(call, typed, "offer");
  return status == COLLEGA_OK ? view_offer_id(&call->view, typed, out, &call->error) : status;
}

/* As it is now. `written`: what the author should know of this new content is told with it; NULL: nothing is new. */
static int end_offer(struct call *call, enum collega_status status, const struct short_id *id,
                     const Collega__Offer *written) {
  CollegaStore__OfferRow *row = NULL;
  json_t *document = NULL;
  if (status == COLLEGA_OK) status = call_renew(call);
  if (status == COLLEGA_OK) status = view_offer(&call->view, id, &row, &call->error);
  if (status == COLLEGA_OK)
    document = document_offer(&call->view, row, view_wrote(&call->view, row));
  if (document && written && !offer_warnings_put(&call->view, written, document)) {
    json_decref(document);
    document = NULL;
  }
  return call_end(call, status, document);
}

int collega_offer_revise(struct collega_node *node, const char *offer, const char *text,
                         size_t length, char **json, struct collega_failure *failure) {
  struct call call;
  struct short_id id;
  struct offer_input input;
  struct occupation_guide *guide = NULL;
  json_t *given = NULL;
  uint32_t revision = 0;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK) status = find(&call, offer, &id);
  if (status == COLLEGA_OK) status = view_own_offer(&call.view, &id, &call.error);
  if (status == COLLEGA_OK) status = call_parse(&call, text, length, OFFER_FILE_BYTES, &given);
  if (status == COLLEGA_OK)
    status = offer_input_take(&call.view, &guide, given, &input, &call.error);
  occupation_guide_close(&guide);
  if (status == COLLEGA_OK) status = offer_input_place(&call.view, &input, &call.error);
  call_release(&call);
  if (status == COLLEGA_OK)
    status = offer_revise(node->exchange, &node->party, &id, &input, call.view.now, &revision,
                          &call.error);
  json_decref(given);
  return end_offer(&call, status, &id, status == COLLEGA_OK ? input.offer : NULL);
}

static bool state_of(enum collega_offer_change change, Collega__OfferState *out) {
  switch (change) {
  case COLLEGA_OFFER_PAUSE:
    *out = COLLEGA__OFFER_STATE__OFFER_STATE_PAUSED;
    return true;
  case COLLEGA_OFFER_RESUME:
    *out = COLLEGA__OFFER_STATE__OFFER_STATE_OPEN;
    return true;
  case COLLEGA_OFFER_FILLED:
    *out = COLLEGA__OFFER_STATE__OFFER_STATE_FILLED;
    return true;
  case COLLEGA_OFFER_WITHDRAW:
    *out = COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN;
    return true;
  }
  return false;
}

int collega_offer_change(struct collega_node *node, const char *offer,
                         enum collega_offer_change change, char **json,
                         struct collega_failure *failure) {
  struct call call;
  struct short_id id;
  Collega__OfferState state = COLLEGA__OFFER_STATE__OFFER_STATE_OPEN;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK && !state_of(change, &state))
    status = call_unknown(&call, "change", (long)change);
  if (status == COLLEGA_OK) status = find(&call, offer, &id);
  if (status == COLLEGA_OK) status = view_own_offer(&call.view, &id, &call.error);
  call_release(&call);
  if (status == COLLEGA_OK)
    status = offer_set_state(node->exchange, &node->party, &id, state, call.view.now, &call.error);
  return end_offer(&call, status, &id, NULL);
}

int collega_offer_show(struct collega_node *node, const char *offer, char **json,
                       struct collega_failure *failure) {
  struct call call;
  struct short_id id;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK) status = find(&call, offer, &id);
  return end_offer(&call, status, &id, NULL);
}

/* ---- lists */

static bool which_of(enum collega_offers which, enum view_offers *out) {
  switch (which) {
  case COLLEGA_OFFERS_OPEN:
    *out = VIEW_OFFERS_OPEN;
    return true;
  case COLLEGA_OFFERS_MINE:
    *out = VIEW_OFFERS_MINE;
    return true;
  case COLLEGA_OFFERS_ALL:
    *out = VIEW_OFFERS_ALL;
    return true;
  }
  return false;
}

static void keep_reference(const struct view *view, struct offer_rows *rows,
                           const char *reference) {
  size_t kept = 0;
  for (size_t i = 0; i < rows->count; ++i) {
    const CollegaStore__OfferRow *row = rows->row[i];
    const Collega__OfferPrivate *hidden =
        view_wrote(view, row) && row->has_private_ && row->private_.len
            ? (const Collega__OfferPrivate *)row_unpack(
                  &collega__offer_private__descriptor,
                  bytes_of(row->private_.data, row->private_.len), view->arena)
            : NULL;
    if (hidden && hidden->reference && strcmp(hidden->reference, reference) == 0)
      rows->row[kept++] = rows->row[i];
  }
  rows->count = kept;
}

int collega_offers_list(struct collega_node *node, enum collega_offers which, const char *reference,
                        char **json, struct collega_failure *failure) {
  struct call call;
  struct offer_rows rows;
  enum view_offers wanted = VIEW_OFFERS_OPEN;
  json_t *document = NULL;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK && !which_of(which, &wanted))
    status = call_unknown(&call, "which", (long)which);
  if (status == COLLEGA_OK) status = view_offers(&call.view, wanted, &rows, &call.error);
  if (status == COLLEGA_OK && reference) keep_reference(&call.view, &rows, reference);
  if (status == COLLEGA_OK) document = document_offers(&call.view, &rows);
  return call_end(&call, status, document);
}
