/* Decide: the shell around the decider's core. The core says what must become of the register; this
 * writes it, in the batch's one transaction: each entry is made into a Decision, signed, stored
 * once, and named in both parties' mailboxes, so that whoever asks again, and however, gets
 * identical bytes. */
#include <string.h>

#include "base/words.h"
#include "broker/commit/batch.h"
#include "broker/commit/mandates.h"
#include "broker/decide/decider.h"
#include "broker/decide/registers.h"
#include "broker/mail/mailbox.h"
#include "proto/limits.h"

struct deciding {
  struct batch *batch;
  struct request *request;
  struct decide_register reg;
  struct decide_effects effects;
  struct party_row rows[2]; /* of reg.parties */
  bool refused;
};

static ProtobufCBinaryData field_of(const void *data, size_t length) {
  return (ProtobufCBinaryData){length, (uint8_t *)(uintptr_t)data};
}

static enum collega_status refuse(struct deciding *deciding, Collega__RefusalCode code,
                                  enum rule rule, struct collega_error *error) {
  return refuse_rule(deciding->batch, deciding->request, code, rule, error);
}

/* ---- entries */

/* The other deals of the root that this step voids: a conclusion names them. */
static size_t voided_with(const struct deciding *deciding, const struct decide_effect *entry,
                          ProtobufCBinaryData out[DECIDE_EFFECTS]) {
  size_t count = 0;
  if (entry->verdict != COLLEGA__VERDICT__VERDICT_CONCLUDED) return 0;
  for (size_t i = 0; i < deciding->effects.count && count < REGISTER_DEALS; i++) {
    const struct decide_effect *other = &deciding->effects.effect[i];
    if (other->kind == DECIDE_EFFECT_ENTRY && other->verdict == COLLEGA__VERDICT__VERDICT_VOID)
      out[count++] = field_of(other->deal.byte, ID_BYTES);
  }
  return count;
}

/* The parts of its deal that one party ended, as the entry lists them. */
static size_t listed(const struct deciding *deciding, const struct decide_effect *entry,
                     Collega__Reduction parts[REDUCTIONS_MOST],
                     Collega__Reduction *list[REDUCTIONS_MOST]) {
  size_t first, count = decider_listed(&deciding->reg, entry, &first);
  for (size_t i = 0; i < count; i++) {
    const struct reduction *part = &deciding->reg.reductions[first + i].part;
    collega__reduction__init(&parts[i]);
    parts[i].headcount = part->headcount;
    parts[i].effective = part->effective;
    parts[i].by = field_of(part->by.byte, ID_BYTES);
    parts[i].basis = field_of(part->basis.byte, ID_BYTES);
    parts[i].time = part->time;
    list[i] = &parts[i];
  }
  return count;
}

static enum collega_status sign_decision(struct deciding *deciding,
                                         const struct decide_effect *entry, struct bytes *run,
                                         struct id *id, struct collega_error *error) {
  struct batch *batch = deciding->batch;
  const struct decide_register *reg = &deciding->reg;
  ProtobufCBinaryData voids[DECIDE_EFFECTS];
  Collega__Reduction parts[REDUCTIONS_MOST], *list[REDUCTIONS_MOST];
  Collega__Decision decision = COLLEGA__DECISION__INIT;
  decision.root = field_of(reg->root.byte, ID_BYTES);
  decision.deal = field_of(entry->deal.byte, ID_BYTES);
  decision.verdict = (Collega__Verdict)entry->verdict;
  decision.position = entry->position;
  decision.has_predecessor = entry->position > 1;
  decision.predecessor = field_of(reg->last_decision.byte, ID_BYTES);
  decision.why = (char *)(uintptr_t)rule_name(entry->why);
  decision.n_voids = voided_with(deciding, entry, voids);
  decision.voids = voids;
  decision.has_basis = !id_is_zero(&entry->basis);
  decision.basis = field_of(entry->basis.byte, ID_BYTES);
  decision.time = batch->now;
  decision.epoch_number = batch->state.epoch_number;
  decision.epoch = field_of(batch->state.epoch.byte, EPOCH_BYTES);
  decision.has_adopted = !id_is_zero(&entry->adopted);
  decision.adopted = field_of(entry->adopted.byte, ID_BYTES);
  decision.has_effective = entry->has_effective;
  decision.effective = entry->effective;
  decision.n_reductions = listed(deciding, entry, parts, list);
  decision.reductions = list;
  Collega__Body body = COLLEGA__BODY__INIT;
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_DECISION;
  body.decision = &decision;
  uint64_t seq;
  return batch_own_record(batch, &body, false, run, id, &seq, error);
}

/* Into one party's mailbox, outside its quota, and among its rulings. */
static enum collega_status deliver(struct deciding *deciding, size_t party,
                                   const struct id *decision, uint64_t *seq,
                                   struct collega_error *error) {
  struct batch *batch = deciding->batch;
  const struct id *to = &deciding->reg.parties[party];
  struct box box;
  enum collega_status status = box_read(batch->txn, to, &box, error);
  if (status) return status;
  struct mail_row mail = {.kind = MAIL_DECISION,
                          .seq = ++box.last_seq,
                          .time = batch->now,
                          .root = deciding->reg.root,
                          .decision = *decision};
  struct ruling_row ruling = {++box.last_ruling, deciding->reg.root, *decision};
  *seq = mail.seq;
  status = mail_row_put(batch->txn, to, &mail, error);
  if (!status) status = ruling_put(batch->txn, to, &ruling, error);
  if (!status) status = box_write(batch->txn, to, &box, error);
  if (!status) status = news_mail(batch, to, &deciding->rows[party].host, mail.seq, error);
  return status;
}

static enum collega_status write_entry(struct deciding *deciding, const struct decide_effect *entry,
                                       struct collega_error *error) {
  struct decision_row row = {.parties = {deciding->reg.parties[0], deciding->reg.parties[1]}};
  struct id id;
  enum collega_status status = sign_decision(deciding, entry, &row.run, &id, error);
  for (size_t i = 0; !status && i < 2; i++)
    status = deliver(deciding, i, &id, &row.seqs[i], error);
  if (!status) status = decision_put(deciding->batch->txn, &deciding->reg.root, &id, &row, error);
  if (!status) decider_written(&deciding->reg, entry, &id, deciding->batch->state.epoch_number);
  return status;
}

/* ---- the other effects */

/* The stored decision once more, as the item of the mailbox that it is. */
static enum collega_status repeat(struct deciding *deciding, const struct decide_effect *effect,
                                  struct collega_error *error) {
  struct batch *batch = deciding->batch;
  struct decision_row row;
  bool found = false;
  enum collega_status status =
      decision_read(batch->txn, &deciding->reg.root, &effect->decision, &row, &found, error);
  if (status) return status;
  if (!found)
    return error_set(error, COLLEGA_DAMAGED, RULE_disk_corrupt, NULL, "decisions", "row", NULL);
  size_t party = id_equal(&row.parties[0], &effect->party) ? 0 : 1;
  Collega__MailItem item = COLLEGA__MAIL_ITEM__INIT, *items[1] = {&item};
  item.seq = row.seqs[party];
  item.has_decision = 1;
  item.decision = field_of(row.run.data, row.run.length);
  Collega__Mail mail = COLLEGA__MAIL__INIT;
  mail.party = field_of(effect->party.byte, ID_BYTES);
  mail.epoch = field_of(batch->state.epoch.byte, EPOCH_BYTES);
  mail.n_items = 1;
  mail.items = items;
  Collega__FromBroker frame = COLLEGA__FROM_BROKER__INIT;
  frame.mail = &mail;
  if (id_equal(&effect->party, &deciding->request->decide->party))
    return answer_frame(batch, deciding->request->session, NULL, &frame, 1, error);
  party = id_equal(&deciding->reg.parties[0], &effect->party) ? 0 : 1;
  return answer_frame(batch, 0, &deciding->rows[party].host, &frame, 1, error);
}

static enum collega_status ask(struct deciding *deciding, const struct decide_effect *effect,
                               struct collega_error *error) {
  struct batch *batch = deciding->batch;
  Collega__Question question = COLLEGA__QUESTION__INIT;
  question.root = field_of(deciding->reg.root.byte, ID_BYTES);
  question.epoch = field_of(batch->state.epoch.byte, EPOCH_BYTES);
  question.party = field_of(effect->party.byte, ID_BYTES);
  Collega__FromBroker frame = COLLEGA__FROM_BROKER__INIT;
  frame.question = &question;
  if (id_equal(&effect->party, &deciding->request->decide->party))
    return answer_frame(batch, deciding->request->session, NULL, &frame, 0, error);
  size_t party = id_equal(&deciding->reg.parties[0], &effect->party) ? 0 : 1;
  return answer_frame(batch, 0, &deciding->rows[party].host, &frame, 0, error);
}

static enum collega_status carry_out(struct deciding *deciding, const struct decide_effect *effect,
                                     struct collega_error *error) {
  switch (effect->kind) {
  case DECIDE_EFFECT_ENTRY:
    return write_entry(deciding, effect, error);
  case DECIDE_EFFECT_REPEAT:
    return repeat(deciding, effect, error);
  case DECIDE_EFFECT_QUESTION:
    return ask(deciding, effect, error);
  case DECIDE_EFFECT_REFUSE:
    deciding->refused = true;
    return refuse(deciding, effect->code, effect->why, error);
  }
  return COLLEGA_OK;
}

/* ---- before and after the core */

/* What the party signed, for a home that is restored and does not know any more. */
static enum collega_status keep_copies(struct deciding *deciding, struct collega_error *error) {
  struct batch *batch = deciding->batch;
  const struct request *request = deciding->request;
  const struct id *party = &request->decide->party;
  struct box box;
  enum collega_status status = box_read(batch->txn, party, &box, error);
  for (size_t i = 0; !status && i < request->decide_run_count; i++) {
    if (!id_equal(&request->decide_runs[i].signer, party)) continue;
    if (request->decide_runs[i].records[0].body->deal)
      continue; /* its proposal went out as mail, with a copy */
    struct copy_row copy = {.kind = COPY_RUN,
                            .number = ++box.last_copy,
                            .time = batch->now,
                            .run = request->decide_run_bytes[i]};
    status = copy_put(batch->txn, party, &copy, error);
  }
  return status ? status : box_write(batch->txn, party, &box, error);
}

static enum collega_status gate_parties(struct deciding *deciding, struct party_row *proposer,
                                        struct party_row *other, bool *passed,
                                        struct collega_error *error) {
  struct batch *batch = deciding->batch;
  const struct decide_request *decide = deciding->request->decide;
  bool first = false, second = false;
  enum collega_status status =
      party_row_read(batch->txn, &decide->proposer, proposer, &first, error);
  if (!status) status = party_row_read(batch->txn, &decide->other, other, &second, error);
  if (status) return status;
  *passed = first && second;
  /* Whoever was revoked concludes nothing new; what is under way still ends. */
  if (decide->kind == DECIDE_ACCEPT && *passed) *passed = !proposer->revoked && !other->revoked;
  if (*passed) return COLLEGA_OK;
  return refuse(deciding, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_UNKNOWN, RULE_decide_member, error);
}

/* Would this step write an agreement, its change or its end, on the request itself? */
static bool concludes(const struct deciding *deciding) {
  for (size_t i = 0; i < deciding->effects.count; i++) {
    const struct decide_effect *effect = &deciding->effects.effect[i];
    if (effect->kind == DECIDE_EFFECT_ENTRY && effect->verdict != COLLEGA__VERDICT__VERDICT_VOID &&
        id_equal(&effect->basis, &deciding->request->decide->basis))
      return true;
  }
  return false;
}

/* A mandate that is named must be in force when the decider decides: only that moment is certain to
 * everybody. One that is not in the log (any more, after a restore) may still come: that passes. */
static enum collega_status gate_mandate(struct deciding *deciding, const struct id *party,
                                        bool named, const ProtobufCBinaryData *field, bool *passed,
                                        struct collega_error *error) {
  struct collega_error why;
  struct id mandate;
  if (!*passed || !named || !id_from(&mandate, field->data, field->len)) return COLLEGA_OK;
  enum collega_status status = mandate_judge(deciding->batch, party, &mandate, &why, error);
  if (status || why.status == COLLEGA_OK) return status;
  *passed = false;
  Collega__RefusalCode code = why.rule == RULE_mandate_unknown
                                  ? COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_MEMBER
                                  : COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED;
  return answer_refusal(deciding->batch, deciding->request->session, &deciding->request->which,
                        code, &why, error);
}

/* May what concludes be concluded: by cards and mandates that are in force? */
static enum collega_status gate_signatures(struct deciding *deciding, bool *passed,
                                           struct collega_error *error) {
  const struct request *request = deciding->request;
  enum collega_status status = COLLEGA_OK;
  *passed = true;
  if (request->decide_alone || !concludes(deciding)) return COLLEGA_OK;
  if (request->decide_replaced && request->decide->kind == DECIDE_ACCEPT) {
    *passed = false;
    return refuse(deciding, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED,
                  RULE_their_card_replaced, error);
  }
  const struct run_view *proposed = &request->decide_runs[0], *act = &request->decide_runs[1];
  const Collega__DealHeader *header = proposed->records[0].body->deal;
  const Collega__Acceptance *acceptance = act->records[0].body->acceptance;
  const Collega__Terminate *terminate = act->records[0].body->terminate;
  if (acceptance) {
    status = gate_mandate(deciding, &proposed->signer, header->has_mandate, &header->mandate,
                          passed, error);
    if (!status)
      status = gate_mandate(deciding, &act->signer, acceptance->has_mandate, &acceptance->mandate,
                            passed, error);
  } else if (terminate) {
    status = gate_mandate(deciding, &act->signer, terminate->has_mandate, &terminate->mandate,
                          passed, error);
  }
  return status;
}

static enum collega_status run_core(struct deciding *deciding, struct collega_error *error) {
  struct batch *batch = deciding->batch;
  struct request *request = deciding->request;
  struct decide_request *decide = request->decide;
  struct party_row proposer, other;
  bool passed = false;
  enum collega_status status = register_read(batch->txn, &decide->root, &deciding->reg, error);
  if (status) return status;
  if (request->decide_alone) { /* without a register nobody was asked: the core refuses it */
    bool known = !id_is_zero(&deciding->reg.root);
    decide->proposer = known ? deciding->reg.parties[0] : decide->party;
    decide->other = known ? deciding->reg.parties[1] : decide->party;
  }
  status = gate_parties(deciding, &proposer, &other, &passed, error);
  if (status || !passed) return status;
  if (!request->decide_alone)
    status = epoch_find(batch->txn, &request->decider_epoch, &decide->header_epoch, NULL, error);
  if (!status && decide->kind == DECIDE_ANSWER)
    status = epoch_find(batch->txn, &request->answer_epoch, &decide->answer_epoch, NULL, error);
  if (status) return status;
  bool fresh = id_is_zero(&deciding->reg.root);
  decider_step(&deciding->reg, decide, batch->state.epoch_number, batch->now, &deciding->effects);
  status = gate_signatures(deciding, &passed, error);
  if (status || !passed) return status;
  bool straight = id_equal(&deciding->reg.parties[0], &decide->proposer);
  deciding->rows[0] = straight ? proposer : other;
  deciding->rows[1] = straight ? other : proposer;
  for (size_t i = 0; !status && i < deciding->effects.count; i++)
    status = carry_out(deciding, &deciding->effects.effect[i], error);
  if (status || (deciding->refused && fresh)) return status;
  status =
      register_write(batch->txn, &deciding->reg, error); /* a refused request may have renewed it */
  batch->decided = true;
  if (status || deciding->refused) return status;
  status = keep_copies(deciding, error);
  return status ? status
                : answer_stored(batch, request->session, &decide->basis, &batch->state.epoch, 0,
                                error);
}

enum collega_status take_decide(struct batch *batch, struct request *request,
                                struct collega_error *error) {
  const Collega__Head *head = request->frame->decide->head;
  struct deciding *deciding = arena_zero(batch->commit->scratch, sizeof *deciding);
  if (!deciding) return batch_exhausted(error);
  deciding->batch = batch;
  deciding->request = request;
  bool passed = false, fits = false;
  enum collega_status status = gate_head(batch, request, head, &fits, error);
  if (!status) status = gate_member(batch, request, &request->decide->party, NULL, &passed, error);
  if (!status && fits) status = head_store(batch, request, head, error);
  if (status || !passed) return status;
  if (!fits) return refuse_head(batch, request, error);
  if (!request->decide_alone && !id_equal(&request->decider, &batch->state.broker))
    return refuse_rule(batch, request, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_UNKNOWN,
                       RULE_decide_other, error);
  return run_core(deciding, error);
}
