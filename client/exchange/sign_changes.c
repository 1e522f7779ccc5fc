/* TERMINATE, RELEASE and the answer to one. What is asked for stands in the ledger; the record itself
 * is written here, at the moment of signing: a termination names the last decision that is held then,
 * and an amendment may have come first. */
#include "client/exchange/signing.h"

#include "base/log.h"
#include "base/words.h"
#include "proto/guard.h"

static enum collega_status sign_now(struct signing *signing, CollegaStore__ActKind kind,
                                    Collega__Body *body, bool named,
                                    const ProtobufCBinaryData *mandate) {
  struct bytes packed, envelope;
  struct id id;
  Collega__Run *run;
  enum collega_status status = body_finish(body, signing->arena, &packed, &id, signing->error);
  if (status == COLLEGA_OK)
    status = run_sign(signing->identity, &packed, 1, signing->arena, &run, signing->error);
  if (status == COLLEGA_OK) status = signing_seal(signing, run, named, mandate, NULL, &envelope);
  return status == COLLEGA_OK ? signing_append(signing, kind, run, envelope) : status;
}

static enum collega_status own_body(struct signing *signing, Collega__BodyType type,
                                    Collega__Body **body) {
  enum collega_status status = exchange_own_body(
      signing->exchange, signing->txn, &signing->view.party, signing->arena, body, signing->error);
  if (status == COLLEGA_OK) (*body)->type = type;
  return status;
}

static enum collega_status drop(struct signing *signing, const CollegaStore__DealAct *act,
                                enum rule rule) {
  struct collega_error why;
  error_set(&why, COLLEGA_REFUSED, rule, NULL, NULL);
  return signing_drop(signing, act->kind, &why);
}

/* A part can only end while more people are left than that. */
static enum collega_status part_fits(struct signing *signing, const struct negotiation *negotiation,
                                     enum rule *against) {
  Collega__Terms *terms;
  *against = RULE_NONE;
  if (negotiation->terminate_headcount == 0) return COLLEGA_OK;
  enum collega_status status =
      deal_terms(signing->view.row, signing->arena, &terms, signing->error);
  if (status != COLLEGA_OK) return status;
  uint32_t left = deal_people(signing->view.row, terms->work->headcount, DATE_OPEN);
  if (negotiation->terminate_headcount >= left) *against = RULE_terminate_headcount;
  if (negotiation_reductions(negotiation) >= REDUCTIONS_MOST) *against = RULE_reductions_most;
  return COLLEGA_OK;
}

/* Still wanted, and for this deal? The machine asks again when the last entry becomes another one. */
static enum collega_status sign_terminate(struct signing *signing, const CollegaStore__DealAct *act,
                                          const struct negotiation *negotiation,
                                          const CollegaStore__RootRow *root) {
  Collega__Terminate content = COLLEGA__TERMINATE__INIT;
  Collega__Body *body = NULL;
  bool blocked = negotiation->release == RELEASE_ASKED || negotiation->release == RELEASE_SIGNED ||
                 negotiation->release == RELEASE_DONE;
  if (!negotiation->terminate_wanted || blocked || negotiation->position == 0 ||
      !id_equal(&negotiation->last_deal, &signing->view.deal) ||
      signing->view.row->state != COLLEGA_STORE__DEAL_STATE__DEAL_STATE_CONCLUDED)
    return drop(signing, act, blocked ? RULE_release_under_way : RULE_no_agreement);
  struct collega_error why;
  enum rule against;
  enum collega_status status = part_fits(signing, negotiation, &against);
  if (status != COLLEGA_OK) return status;
  if (against != RULE_NONE) return drop(signing, act, against);
  status = signing_mandate(signing, root->has_terminate_mandate, &root->terminate_mandate, &why);
  if (status == COLLEGA_REFUSED) { /* it stays wanted: asked again, it may name another mandate */
    log_warning("termination_waits", "rule=%s", rule_name(why.rule));
    return COLLEGA_OK;
  }
  if (status == COLLEGA_OK)
    status = own_body(signing, COLLEGA__BODY_TYPE__BODY_TYPE_TERMINATE, &body);
  if (status != COLLEGA_OK) return status;
  field_set_id(&content.deal, &signing->view.deal);
  field_set_id(&content.predecessor, &negotiation->last_decision);
  content.effective = negotiation->terminate_effective;
  content.has_headcount = negotiation->terminate_headcount > 0;
  content.headcount = negotiation->terminate_headcount;
  content.has_mandate = root->has_terminate_mandate;
  content.mandate = root->terminate_mandate;
  content.time = signing->now;
  body->terminate = &content;
  return sign_now(signing, act->kind, body, content.has_mandate, &content.mandate);
}

static enum collega_status sign_release(struct signing *signing, const CollegaStore__DealAct *act,
                                        const struct negotiation *negotiation) {
  Collega__Release content = COLLEGA__RELEASE__INIT;
  Collega__Body *body = NULL;
  if (negotiation->release != RELEASE_ASKED) return drop(signing, act, RULE_release_not_asked);
  enum collega_status status = own_body(signing, COLLEGA__BODY_TYPE__BODY_TYPE_RELEASE, &body);
  if (status != COLLEGA_OK) return status;
  field_set_id(&content.deal, &signing->view.deal);
  field_set_id(&content.root, &signing->view.root);
  content.time = signing->now;
  body->release = &content;
  return sign_now(signing, act->kind, body, false, NULL);
}

static enum collega_status sign_answer(struct signing *signing, const CollegaStore__DealAct *act,
                                       const CollegaStore__RootRow *root) {
  Collega__ReleaseAnswer content = COLLEGA__RELEASE_ANSWER__INIT;
  Collega__Body *body = NULL;
  struct run_view asked;
  if (!root->has_release) return drop(signing, act, RULE_release_not_asked);
  enum collega_status status =
      run_read_bytes(field_bytes(&root->release), signing->arena, &asked, signing->error);
  if (status == COLLEGA_OK)
    status = own_body(signing, COLLEGA__BODY_TYPE__BODY_TYPE_RELEASE_ANSWER, &body);
  if (status != COLLEGA_OK) return status;
  field_set_id(&content.release, &asked.records[0].id);
  field_set_id(&content.root, &signing->view.root);
  content.reply = act->sign_release ? COLLEGA__RELEASE_REPLY__RELEASE_REPLY_SIGNED
                                    : COLLEGA__RELEASE_REPLY__RELEASE_REPLY_KEEP;
  content.time = signing->now;
  body->release_answer = &content;
  return sign_now(signing, act->kind, body, false, NULL);
}

enum collega_status sign_change(struct signing *signing, const CollegaStore__DealAct *act) {
  struct negotiation negotiation;
  CollegaStore__RootRow *root;
  enum collega_status status =
      negotiation_load(signing->txn, &signing->view.party, &signing->view.root, signing->arena,
                       &negotiation, &root, signing->error);
  if (status != COLLEGA_OK) return status;
  if (!root) return exchange_row_damaged(signing->error, "roots");
  if (act->kind == COLLEGA_STORE__ACT_KIND__ACT_KIND_TERMINATE)
    return sign_terminate(signing, act, &negotiation, root);
  return act->kind == COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE
             ? sign_release(signing, act, &negotiation)
             : sign_answer(signing, act, root);
}
