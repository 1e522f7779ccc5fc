/* Deals, through the public interface. */
#include <stdlib.h>
#include <string.h>

#include "client/library/node.h"
#include "client/library/proposal_input.h"

#define PROPOSAL_BYTES (1024u * 1024u)

static enum collega_status find(struct call *call, const char *typed, struct id *out) {
  enum collega_status status = call_need(call, typed, "deal");
  return status == COLLEGA_OK ? view_deal_id(&call->view, typed, out, &call->error) : status;
}

/* As it is now. */
#define PEOPLE_MOST 10000 /* as the schema allows */

static int end_deal(struct call *call, enum collega_status status, const struct id *id) {
  CollegaStore__DealRow *row = NULL;
  json_t *document = NULL;
  if (status == COLLEGA_OK) status = call_renew(call);
  if (status == COLLEGA_OK) status = view_deal(&call->view, id, &row, &call->error);
  if (status == COLLEGA_OK) document = document_deal(&call->view, row);
  return call_end(call, status, document);
}

static enum collega_status read_proposal(struct call *call, const char *text, size_t length,
                                         enum proposal_use use, struct proposal_input *out) {
  json_t *given = NULL;
  enum collega_status status = call_parse(call, text, length, PROPOSAL_BYTES, &given);
  if (status == COLLEGA_OK)
    status = proposal_input_read(&call->view, given, use, out, &call->error);
  json_decref(given);
  return status;
}

/* ---- proposals */

int collega_deal_propose(struct collega_node *node, const char *text, size_t length, char **json,
                         struct collega_failure *failure) {
  struct call call;
  struct id deal;
  struct proposal_input input;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK) status = read_proposal(&call, text, length, PROPOSAL_NEW, &input);
  call_release(&call);
  if (status == COLLEGA_OK)
    status = deal_propose(node->exchange, &node->party, &input.proposal, call.view.now, &deal,
                          &call.error);
  return end_deal(&call, status, &deal);
}

int collega_deal_counter(struct collega_node *node, const char *deal, const char *text,
                         size_t length, char **json, struct collega_failure *failure) {
  struct call call;
  struct id id, counter;
  struct proposal_input input;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK) status = find(&call, deal, &id);
  if (status == COLLEGA_OK) status = read_proposal(&call, text, length, PROPOSAL_COUNTER, &input);
  call_release(&call);
  if (status == COLLEGA_OK)
    status = deal_counter(node->exchange, &node->party, &id, &input.proposal, call.view.now,
                          &counter, &call.error);
  return end_deal(&call, status, &counter);
}

int collega_deal_amend(struct collega_node *node, const char *deal, const char *text, size_t length,
                       char **json, struct collega_failure *failure) {
  struct call call;
  struct id id, amendment;
  struct proposal_input input;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK) status = find(&call, deal, &id);
  if (status == COLLEGA_OK) status = read_proposal(&call, text, length, PROPOSAL_AMEND, &input);
  call_release(&call);
  if (status == COLLEGA_OK)
    status = deal_amend(node->exchange, &node->party, &id, &input.proposal, call.view.now,
                        &amendment, &call.error);
  return end_deal(&call, status, &amendment);
}

/* ---- answers and ends */

static enum collega_status find_mandate(struct call *call, const char *typed, struct id *out,
                                        const struct id **chosen) {
  *chosen = NULL;
  if (!typed) return COLLEGA_OK;
  enum collega_status status = view_mandate_id(&call->view, typed, out, &call->error);
  if (status != COLLEGA_OK) error_prefix(&call->error, "mandate");
  *chosen = out;
  return status;
}

int collega_deal_accept(struct collega_node *node, const char *deal, const char *mandate,
                        char **json, struct collega_failure *failure) {
  struct call call;
  struct id id, named;
  const struct id *chosen = NULL;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK) status = find(&call, deal, &id);
  if (status == COLLEGA_OK) status = find_mandate(&call, mandate, &named, &chosen);
  call_release(&call);
  if (status == COLLEGA_OK)
    status = deal_accept(node->exchange, &node->party, &id, chosen, call.view.now, &call.error);
  return end_deal(&call, status, &id);
}

/* An act that needs nothing but the deal. */
static int act(struct collega_node *node, const char *deal,
               enum collega_status (*do_it)(struct exchange *, const struct id *, const struct id *,
                                            collega_time, struct collega_error *),
               char **json, struct collega_failure *failure) {
  struct call call;
  struct id id;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK) status = find(&call, deal, &id);
  call_release(&call);
  if (status == COLLEGA_OK)
    status = do_it(node->exchange, &node->party, &id, call.view.now, &call.error);
  return end_deal(&call, status, &id);
}

int collega_deal_decline(struct collega_node *node, const char *deal, char **json,
                         struct collega_failure *failure) {
  return act(node, deal, deal_decline, json, failure);
}

int collega_deal_withdraw(struct collega_node *node, const char *deal, char **json,
                          struct collega_failure *failure) {
  return act(node, deal, deal_withdraw, json, failure);
}

/* `headcount` NULL: all. */
static int terminate(struct collega_node *node, const char *deal, const uint32_t *headcount,
                     const char *last_day, const char *mandate, char **json,
                     struct collega_failure *failure) {
  struct call call;
  struct id id, named, last;
  const struct id *chosen = NULL;
  collega_date effective = 0;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK) status = find(&call, deal, &id);
  if (status == COLLEGA_OK) status = call_need(&call, last_day, "last_day");
  if (status == COLLEGA_OK && !date_read(last_day, &effective))
    status = error_set(&call.error, COLLEGA_INVALID, RULE_option_date, "last_day", last_day, NULL);
  if (status == COLLEGA_OK && headcount && (*headcount < 1 || *headcount > PEOPLE_MOST))
    status = error_set(&call.error, COLLEGA_INVALID, RULE_range, "headcount", "1", "10000", NULL);
  if (status == COLLEGA_OK) status = find_mandate(&call, mandate, &named, &chosen);
  call_release(&call);
  if (status == COLLEGA_OK)
    status = deal_terminate(node->exchange, &node->party, &id, effective,
                            headcount ? *headcount : 0, chosen, call.view.now, &last, &call.error);
  return end_deal(&call, status, &id);
}

int collega_deal_terminate(struct collega_node *node, const char *deal, const char *last_day,
                           const char *mandate, char **json, struct collega_failure *failure) {
  return terminate(node, deal, NULL, last_day, mandate, json, failure);
}

int collega_deal_terminate_part(struct collega_node *node, const char *deal, uint32_t headcount,
                                const char *last_day, const char *mandate, char **json,
                                struct collega_failure *failure) {
  return terminate(node, deal, &headcount, last_day, mandate, json, failure);
}

static bool release_of(enum collega_release what, enum deal_release *out) {
  switch (what) {
  case COLLEGA_RELEASE_ASK:
    *out = DEAL_RELEASE_ASK;
    return true;
  case COLLEGA_RELEASE_SIGN:
    *out = DEAL_RELEASE_SIGN;
    return true;
  case COLLEGA_RELEASE_KEEP:
    *out = DEAL_RELEASE_KEEP;
    return true;
  }
  return false;
}

int collega_deal_release(struct collega_node *node, const char *deal, enum collega_release what,
                         char **json, struct collega_failure *failure) {
  struct call call;
  struct id id;
  enum deal_release wanted = DEAL_RELEASE_ASK;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK && !release_of(what, &wanted))
    status = call_unknown(&call, "what", (long)what);
  if (status == COLLEGA_OK) status = find(&call, deal, &id);
  call_release(&call);
  if (status == COLLEGA_OK)
    status = deal_release(node->exchange, &node->party, &id, wanted, call.view.now, &call.error);
  return end_deal(&call, status, &id);
}

/* ---- looking */

int collega_deal_show(struct collega_node *node, const char *deal, char **json,
                      struct collega_failure *failure) {
  struct call call;
  struct id id;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK) status = find(&call, deal, &id);
  return end_deal(&call, status, &id);
}

int collega_deals_list(struct collega_node *node, char **json, struct collega_failure *failure) {
  struct call call;
  struct deal_rows rows;
  json_t *document = NULL;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK) status = view_deals(&call.view, &rows, &call.error);
  if (status == COLLEGA_OK) document = document_deals(&call.view, &rows);
  return call_end(&call, status, document);
}

int collega_deal_prove(struct collega_node *node, const char *deal, const char *hide, void **file,
                       size_t *length, struct collega_failure *failure) {
  struct call call;
  struct id id;
  struct bytes proof = {NULL, 0};
  unsigned mask = 0;
  if (file) *file = NULL;
  if (length) *length = 0;
  enum collega_status status = call_begin(&call, node, NULL, failure);
  if (status == COLLEGA_OK) status = call_need(&call, file, "file");
  if (status == COLLEGA_OK) status = call_need(&call, length, "length");
  if (status == COLLEGA_OK) status = find(&call, deal, &id);
  if (status == COLLEGA_OK && hide) {
    status = terms_mask(hide, &mask, &call.error);
    if (status != COLLEGA_OK) error_prefix(&call.error, "hide");
  }
  call_release(&call);
  if (status == COLLEGA_OK)
    status = deal_prove(node->exchange, &node->party, &id, mask, call.view.now, call.view.arena,
                        &proof, &call.error);
  if (status == COLLEGA_OK) {
    *file = malloc(proof.length ? proof.length : 1);
    if (!*file) status = error_set(&call.error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  }
  if (status == COLLEGA_OK) {
    memcpy(*file, proof.data, proof.length);
    *length = proof.length;
  }
  return call_end_bare(&call, status);
}
