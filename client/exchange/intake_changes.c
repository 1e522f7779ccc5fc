/* What letters say besides proposals and acceptances, judged before it is stored: the end of an
 * agreement, release, interest and talk. */
#include "client/exchange/deal_rows.h"
#include "client/exchange/intake.h"

#include "proto/guard.h"

static enum collega_status refuse(struct intake *intake, enum rule rule, const char *field) {
  return error_set(intake->error, COLLEGA_REFUSED, rule, field, NULL);
}

/* A deal between these two that is known here, of this root (NULL: any). */
static enum collega_status known_deal(struct intake *intake, const struct id *party,
                                      const struct id *sender, const ProtobufCBinaryData *deal,
                                      const ProtobufCBinaryData *root, struct deal_view *view) {
  struct id id;
  if (!id_from(&id, deal->data, deal->len)) return refuse(intake, RULE_deal_unknown, "deal");
  enum collega_status status =
      deal_view_read(intake->txn, party, &id, intake->arena, view, intake->error);
  if (status == COLLEGA_NOT_FOUND) return refuse(intake, RULE_deal_unknown, "deal");
  if (status != COLLEGA_OK) return status;
  if (!id_equal(&view->counterparty, sender)) return refuse(intake, RULE_proposal_parties, "deal");
  return root && !field_is(root, &view->root) ? refuse(intake, RULE_proposal_root, "root")
                                              : COLLEGA_OK;
}

static enum collega_status judge_release(struct intake *intake, const struct id *party,
                                         const struct id *sender, const Collega__Release *release) {
  struct deal_view view;
  enum collega_status status =
      known_deal(intake, party, sender, &release->deal, &release->root, &view);
  if (status != COLLEGA_OK) return status;
  struct deal_event event = {.kind = DEAL_EVENT_RELEASE_IN, .deal = view.deal, .now = intake->now};
  return intake_try_event(intake, party, &view.root, &view.decider, &event);
}

/* To the question that we asked, by the one whom we asked. */
static enum collega_status judge_answer(struct intake *intake, const struct id *party,
                                        const struct id *sender,
                                        const Collega__ReleaseAnswer *answer) {
  CollegaStore__RootRow *root;
  struct deal_view view;
  struct run_view asked;
  enum collega_status status =
      root_row(intake->txn, party, field_bytes(&answer->root), intake->arena, &root, intake->error);
  if (status == COLLEGA_NOT_FOUND) return refuse(intake, RULE_release_not_asked, "root");
  if (status != COLLEGA_OK) return status;
  if (!root->has_release_asked) return refuse(intake, RULE_release_not_asked, "release");
  status = run_read_bytes(field_bytes(&root->release_asked), intake->arena, &asked, intake->error);
  if (status != COLLEGA_OK) return status;
  if (!field_is(&answer->release, &asked.records[0].id))
    return refuse(intake, RULE_release_not_asked, "release");
  status = known_deal(intake, party, sender, &asked.records[0].body->release->deal, &answer->root,
                      &view);
  if (status != COLLEGA_OK) return status;
  struct deal_event event = {.kind = DEAL_EVENT_RELEASE_ANSWER_IN,
                             .now = intake->now,
                             .signed_answer =
                                 answer->reply == COLLEGA__RELEASE_REPLY__RELEASE_REPLY_SIGNED};
  return intake_try_event(intake, party, &view.root, &view.decider, &event);
}

enum collega_status intake_change_record(struct intake *intake, const struct id *party,
                                         const struct id *sender, const struct run_view *view) {
  const Collega__Body *body = view->records[0].body;
  struct deal_view deal;
  /* A termination is the decider's to judge; it is kept for the proof. */
  if (body->terminate)
    return known_deal(intake, party, sender, &body->terminate->deal, NULL, &deal);
  if (body->release) return judge_release(intake, party, sender, body->release);
  return judge_answer(intake, party, sender, body->release_answer);
}

/* ---- interest and talk */

/* About an offer of this party, under the id that follows from both offers. */
static enum collega_status judge_interest(struct intake *intake, const struct id *party,
                                          const struct id *sender,
                                          const Collega__Interest *interest) {
  CollegaStore__OfferRow *row;
  struct id thread;
  if (!interest->yours->has_offer) return refuse(intake, RULE_proposal_offer, "yours");
  enum collega_status status = offer_row(intake->txn, field_bytes(&interest->yours->offer),
                                         intake->arena, &row, intake->error);
  if (status == COLLEGA_NOT_FOUND) return refuse(intake, RULE_proposal_offer, "yours");
  if (status != COLLEGA_OK) return status;
  if (!field_is(&row->author, party)) return refuse(intake, RULE_proposal_offer, "yours");
  match_id(&thread, field_bytes(&interest->yours->offer),
           interest->mine->has_offer ? field_bytes(&interest->mine->offer)
                                     : bytes_of(sender->byte, ID_BYTES));
  if (!field_is(&interest->thread, &thread)) return refuse(intake, RULE_proposal_root, "thread");
  if (!interest->mine->has_offer) return COLLEGA_OK;
  status = offer_row(intake->txn, field_bytes(&interest->mine->offer), intake->arena, &row,
                     intake->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK; /* still on its way from the board */
  if (status == COLLEGA_OK && !field_is(&row->author, sender))
    return refuse(intake, RULE_proposal_offer, "mine");
  return status;
}

/* In a talk that was begun between these two. */
static enum collega_status judge_thread(struct intake *intake, const struct id *party,
                                        const struct id *sender, const ProtobufCBinaryData *field,
                                        bool may_begin) {
  struct id thread, counterparty;
  if (!id_from(&thread, field->data, field->len))
    return refuse(intake, RULE_talk_unknown, "thread");
  enum collega_status status =
      talk_counterparty(intake->txn, party, &thread, intake->arena, &counterparty, intake->error);
  if (status == COLLEGA_NOT_FOUND)
    return may_begin ? COLLEGA_OK : refuse(intake, RULE_talk_unknown, "thread");
  if (status != COLLEGA_OK) return status;
  return id_equal(&counterparty, sender) ? COLLEGA_OK : refuse(intake, RULE_talk_unknown, "thread");
}

enum collega_status intake_talk_record(struct intake *intake, const struct id *party,
                                       const struct id *sender, const struct run_view *view) {
  const Collega__Body *body = view->records[0].body;
  if (body->talk) return judge_thread(intake, party, sender, &body->talk->thread, false);
  enum collega_status status = judge_interest(intake, party, sender, body->interest);
  return status == COLLEGA_OK ? judge_thread(intake, party, sender, &body->interest->thread, true)
                              : status;
}
