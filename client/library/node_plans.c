/* Plans, through the public interface. */
#include "client/library/node.h"
#include "client/library/planning.h"
#include "client/library/proposal_input.h"
#include "proto/json.h"

#define PROPOSAL_BYTES (1024u * 1024u)

static enum collega_status no_memory(struct call *call) {
  return error_set(&call->error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

/* Adds the sentences: what is told to people is part of the document, and not of what is kept. Takes the plan over. */
static int end_plan(struct call *call, enum collega_status status, json_t *plan,
                    struct collega_plan **out) {
  if (status == COLLEGA_OK && !json_put(plan, "sentences", plan_sentences(&call->view, plan)))
    status = no_memory(call);
  if (status == COLLEGA_OK && out) {
    *out = plan_values_take(json_incref(plan), call->view.language);
    if (!*out) status = no_memory(call);
  }
  int code = call_end(call, status, plan);
  if (code != COLLEGA_CODE_OK && out) collega_plan_destroy(out);
  return code;
}

static enum collega_status read_request(struct call *call, enum collega_plans what,
                                        const char *offer, unsigned seconds,
                                        struct planning_request *out) {
  static const enum planning_kind kinds[] = {[COLLEGA_PLAN_OFFER] = PLANNING_OFFER,
                                             [COLLEGA_PLAN_BOARD] = PLANNING_BOARD,
                                             [COLLEGA_PLAN_RINGS] = PLANNING_RINGS};
  if ((unsigned)what >= sizeof kinds / sizeof *kinds) return call_unknown(call, "what", (long)what);
  if ((what == COLLEGA_PLAN_OFFER) != (offer != NULL))
    return error_set(&call->error, COLLEGA_USAGE, RULE_plan_offer_or_board, "offer", NULL);
  if (seconds > PLAN_SECONDS_MOST)
    return error_set(&call->error, COLLEGA_USAGE, RULE_range, "seconds", "0", "600", NULL);
  *out = (struct planning_request){.kind = kinds[what],
                                   .seconds = seconds ? (int)seconds : PLAN_SECONDS};
  if (!offer) return COLLEGA_OK;
  enum collega_status status = view_offer_id(&call->view, offer, &out->offer, &call->error);
  if (status != COLLEGA_OK) error_prefix(&call->error, "offer");
  return status;
}

int collega_plan_make(struct collega_node *node, enum collega_plans what, const char *offer,
                      unsigned seconds, struct collega_plan **out, char **json,
                      struct collega_failure *failure) {
  struct call call;
  struct planning_request request;
  struct planning planning = {0};
  json_t *plan = NULL;
  if (out) *out = NULL;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK) status = read_request(&call, what, offer, seconds, &request);
  if (status == COLLEGA_OK) {
    status = planning_make(&call.view, &request, &planning, &call.error);
    if (status == COLLEGA_OK) plan = document_plan(&call.view, &planning);
    if (status == COLLEGA_OK && !plan) status = no_memory(&call);
    planning_free(&planning);
  }
  if (status == COLLEGA_OK) status = plan_file_write(&call.view, plan, &call.error);
  return end_plan(&call, status, plan, out);
}

static enum collega_status read_plan(struct call *call, const char *typed, json_t **out) {
  enum collega_status status = call_need(call, typed, "plan");
  return status == COLLEGA_OK ? plan_file_read(&call->view, typed, out, &call->error) : status;
}

int collega_plan_show(struct collega_node *node, const char *plan, char **json,
                      struct collega_failure *failure) {
  struct call call;
  json_t *found = NULL;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK) status = read_plan(&call, plan, &found);
  return end_plan(&call, status, found, NULL);
}

static enum collega_status read_wanted(struct call *call, const char *text, size_t length,
                                       struct proposal_input *out) {
  json_t *given = NULL;
  *out = (struct proposal_input){0};
  if (!text && !length) return COLLEGA_OK;
  enum collega_status status = call_parse(call, text, length, PROPOSAL_BYTES, &given);
  if (status == COLLEGA_OK)
    status = proposal_input_read(&call->view, given, PROPOSAL_PLAN, out, &call->error);
  json_decref(given);
  return status;
}

int collega_plan_propose(struct collega_node *node, const char *plan, const char *text,
                         size_t length, char **json, struct collega_failure *failure) {
  struct call call;
  struct proposal_input wanted;
  json_t *found = NULL, *document = NULL;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK) status = read_plan(&call, plan, &found);
  if (status == COLLEGA_OK) status = read_wanted(&call, text, length, &wanted);
  call_release(&call);
  if (status == COLLEGA_OK)
    status = plan_propose(&call.view, found, &node->party, &wanted.proposal, NULL, NULL, &document,
                          &call.error);
  json_decref(found);
  return call_end(&call, status, document);
}

/* The plan as values is plan_values.c's. */
int collega_plan_open(struct collega_node *node, const char *plan, struct collega_plan **out,
                      struct collega_failure *failure) {
  struct call call;
  json_t *found = NULL;
  if (out) *out = NULL;
  enum collega_status status = call_begin(&call, node, NULL, failure);
  if (status == COLLEGA_OK) status = call_need(&call, out, "out");
  if (status == COLLEGA_OK) status = read_plan(&call, plan, &found);
  return end_plan(&call, status, found, out);
}
