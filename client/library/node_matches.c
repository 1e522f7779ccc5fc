/* Matches and talk, through the public interface. */
#include "client/library/node.h"
#include "client/library/proposal_input.h"

#define TERMS_BYTES (1024u * 1024u)

static enum collega_status find_matches(struct call *call) {
  call_release(call);
  enum collega_status status = view_match_here(call->node->ledger, call->view.now, &call->error);
  return status == COLLEGA_OK ? call_renew(call) : status;
}

int collega_matches_list(struct collega_node *node, const char *offer, char **json,
                         struct collega_failure *failure) {
  struct call call;
  struct short_id id;
  struct match_rows rows;
  json_t *document = NULL;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK && offer) {
    status = view_offer_id(&call.view, offer, &id, &call.error);
    if (status != COLLEGA_OK) error_prefix(&call.error, "offer");
  }
  if (status == COLLEGA_OK) status = find_matches(&call);
  if (status == COLLEGA_OK)
    status = view_matches(&call.view, offer ? &id : NULL, &rows, &call.error);
  if (status == COLLEGA_OK) document = document_matches(&call.view, &rows);
  return call_end(&call, status, document);
}

static enum collega_status find(struct call *call, const char *typed, struct id *out) {
  enum collega_status status = call_need(call, typed, "match");
  return status == COLLEGA_OK ? view_match_id(&call->view, typed, out, &call->error) : status;
}

int collega_match_show(struct collega_node *node, const char *match, char **json,
                       struct collega_failure *failure) {
  struct call call;
  struct id id;
  CollegaStore__MatchRow *row = NULL;
  json_t *document = NULL;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK) status = call_need(&call, match, "match");
  if (status == COLLEGA_OK) status = find_matches(&call);
  if (status == COLLEGA_OK) status = find(&call, match, &id);
  if (status == COLLEGA_OK) status = view_match(&call.view, &id, &row, &call.error);
  if (status == COLLEGA_OK) document = document_match(&call.view, row);
  return call_end(&call, status, document);
}

/* ---- talk */

static int end_talk(struct call *call, enum collega_status status, const struct id *thread) {
  json_t *document = NULL;
  if (status == COLLEGA_OK) status = call_renew(call);
  if (status == COLLEGA_OK) status = document_talk(&call->view, thread, &document, &call->error);
  return call_end(call, status, document);
}

int collega_match_interest(struct collega_node *node, const char *match, const char *message,
                           char **json, struct collega_failure *failure) {
  struct call call;
  struct id id, envelope;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK) status = find(&call, match, &id);
  call_release(&call);
  if (status == COLLEGA_OK)
    status = match_interest(node->exchange, &node->party, &id, message, call.view.now, &envelope,
                            &call.error);
  return end_talk(&call, status, &id);
}

int collega_match_decline(struct collega_node *node, const char *match, char **json,
                          struct collega_failure *failure) {
  struct call call;
  struct id id, envelope;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK) status = find(&call, match, &id);
  call_release(&call);
  if (status == COLLEGA_OK)
    status =
        match_decline(node->exchange, &node->party, &id, call.view.now, &envelope, &call.error);
  return end_talk(&call, status, &id);
}

static enum collega_status find_talk(struct call *call, const char *typed, struct id *out) {
  enum collega_status status = call_need(call, typed, "about");
  return status == COLLEGA_OK ? view_thread_id(&call->view, typed, out, &call->error) : status;
}

int collega_talk_show(struct collega_node *node, const char *about, char **json,
                      struct collega_failure *failure) {
  struct call call;
  struct id thread;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK) status = find_talk(&call, about, &thread);
  return end_talk(&call, status, &thread);
}

int collega_talk_send(struct collega_node *node, const char *about, const char *message,
                      const char *terms, size_t terms_length, char **json,
                      struct collega_failure *failure) {
  struct call call;
  struct id thread, envelope;
  const Collega__Terms *draft = NULL;
  json_t *given = NULL;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK && !message && !terms)
    status = error_set(&call.error, COLLEGA_USAGE, RULE_talk_nothing, NULL, NULL);
  if (status == COLLEGA_OK) status = find_talk(&call, about, &thread);
  if (status == COLLEGA_OK && terms) {
    status = call_parse(&call, terms, terms_length, TERMS_BYTES, &given);
    if (status == COLLEGA_OK)
      status = terms_input_read(given, call.view.arena, &draft, &call.error);
    if (status != COLLEGA_OK) error_prefix(&call.error, "terms");
  }
  call_release(&call);
  if (status == COLLEGA_OK)
    status = talk_send(node->exchange, &node->party, &thread, message, draft, call.view.now,
                       &envelope, &call.error);
  json_decref(given);
  return end_talk(&call, status, &thread);
}
