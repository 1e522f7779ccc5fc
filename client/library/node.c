/* Homes and handles. */
#include "client/library/node.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "client/library/shared_ledger.h"

void node_drop_events(struct collega_node *node) {
  for (; node->next < node->count; ++node->next)
    json_decref(node->events[node->next].document);
  node->next = node->count = 0;
}

static enum collega_status set_up(struct call *call, size_t size, size_t least, const char *name) {
  return size >= least ? COLLEGA_OK
                       : error_set(&call->error, COLLEGA_USAGE, RULE_argument_size, name, NULL);
}

/* ---- making a home */

int collega_home_create(const struct collega_home *home, char **json,
                        struct collega_failure *failure) {
  struct call call;
  struct id party;
  char recovery[RECOVERY_TEXT_BYTES], fingerprint[FINGERPRINT_BYTES];
  json_t *document = NULL;
  bool sized = home && home->size >= sizeof *home;
  enum collega_status status = call_begin_alone(&call, sized ? home->language : 0, json, failure);
  if (status == COLLEGA_OK) status = call_need(&call, home, "home");
  if (status == COLLEGA_OK) status = set_up(&call, home->size, sizeof *home, "home");
  if (status == COLLEGA_OK) status = call_need(&call, home->home, "home.home");
  if (status == COLLEGA_OK) status = call_need(&call, home->name, "home.name");
  if (status == COLLEGA_OK) status = call_need(&call, home->kvk, "home.kvk");
  /* The key that recovers everything is told here or nowhere. */
  if (status == COLLEGA_OK) status = call_need(&call, json, "json");
  if (status != COLLEGA_OK) return call_end_bare(&call, status);
  log_threshold(LOG_ERROR);
  struct node_init init = {.home = home->home,
                           .name = home->name,
                           .kvk = home->kvk,
                           .signatory = home->signatory,
                           .function = home->function};
  status = node_init(&init, clock_now(), &party, recovery, &call.error);
  if (status == COLLEGA_OK) {
    fingerprint_write(fingerprint, &party);
    document = document_new_home(&party, fingerprint, recovery);
  }
  return call_end(&call, status, document);
}

/* ---- handles */

/* The party to act for, among those that live here. */
static enum collega_status choose_party(struct call *call, struct collega_node *node,
                                        const char *typed) {
  node->party = *exchange_host(node->exchange);
  if (!typed) return COLLEGA_OK;
  call->view.exchange = node->exchange;
  enum collega_status status = ledger_read(node->ledger, &call->view.txn, &call->error);
  if (status == COLLEGA_OK) status = view_party(&call->view, typed, &node->party, &call->error);
  call_release(call);
  if (status != COLLEGA_OK) error_prefix(&call->error, "options.party");
  return status;
}

int collega_open(const struct collega_options *options, struct collega_node **out,
                 struct collega_failure *failure) {
  struct call call;
  struct collega_node *node = NULL;
  bool sized = options && options->size >= sizeof *options;
  if (out) *out = NULL;
  enum collega_status status =
      call_begin_alone(&call, sized ? options->language : 0, NULL, failure);
  if (status == COLLEGA_OK) status = call_need(&call, options, "options");
  if (status == COLLEGA_OK) status = set_up(&call, options->size, sizeof *options, "options");
  if (status == COLLEGA_OK) status = call_need(&call, options->home, "options.home");
  if (status == COLLEGA_OK) status = call_need(&call, out, "node");
  if (status != COLLEGA_OK) return call_end_bare(&call, status);
  log_threshold(LOG_ERROR);
  node = calloc(1, sizeof *node);
  if (!node) {
    status = error_set(&call.error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
    return call_end_bare(&call, status);
  }
  node->process = getpid();
  node->bell = -1;
  node->language = call.language;
  status = shared_ledger_take(options->home, &node->ledger, &call.error);
  if (status == COLLEGA_OK) status = exchange_open_on(node->ledger, &node->exchange, &call.error);
  if (status == COLLEGA_OK) status = choose_party(&call, node, options->party);
  if (status == COLLEGA_OK)
    *out = node;
  else
    collega_close(&node);
  return call_end_bare(&call, status);
}

void collega_close(struct collega_node **pointer) {
  if (!pointer || !*pointer) return;
  struct collega_node *node = *pointer;
  *pointer = NULL;
  if (node->process != getpid()) return; /* the parent's, all of it */
  node_drop_events(node);
  if (node->bell >= 0) close(node->bell);
  exchange_close(&node->exchange);
  shared_ledger_release(&node->ledger);
  memset(node, 0, sizeof *node); /* a handle used after this is seen as nobody's */
  free(node);
}

/* ---- the node itself */

int collega_join(struct collega_node *node, const char *token, struct collega_failure *failure) {
  struct call call;
  enum collega_status status = call_begin(&call, node, NULL, failure);
  if (status == COLLEGA_OK) status = call_need(&call, token, "token");
  call_release(&call);
  if (status == COLLEGA_OK) status = join_store_token(node->exchange, token, &call.error);
  return call_end_bare(&call, status);
}

int collega_node_status(struct collega_node *node, char **json, struct collega_failure *failure) {
  struct call call;
  struct node_facts facts;
  json_t *document = NULL;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK) status = node_facts_read(&call.view, &facts, &call.error);
  if (status == COLLEGA_OK) document = document_status(&call.view, &facts);
  return call_end(&call, status, document);
}
