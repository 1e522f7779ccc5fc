/* Preparing a Decide: the header of a deal and one act on it, each a run of one record, verified by
 * its signer's card; made into the question that the decider's core understands. What only the
 * committer can know - the number of the epoch that is named, whether the parties are members - is
 * left to it. */
#include <string.h>

#include "base/words.h"
#include "broker/commit/prepare.h"
#include "broker/decide/decider.h"

#define DECIDE_RUNS 2 /* field of message Decide */

static void refuse_shape(struct request *request) {
  error_set(&request->error, COLLEGA_INVALID, RULE_decide_shape, "runs", NULL);
  prepare_refuse(request, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_INVALID);
}

static bool same(const ProtobufCBinaryData *field, const struct id *id) {
  return field->len == ID_BYTES && !memcmp(field->data, id->byte, ID_BYTES);
}

static struct id id_of(const ProtobufCBinaryData *field) {
  struct id id;
  id_from(&id, field->data, field->len);
  return id;
}

/* What the recovery key has put aside signs nothing new, but what it signed may have been decided, or is to end. */
static bool verify_header(struct request *request, struct members *members,
                          const struct run_view *view) {
  struct collega_error why;
  const struct known_card *by = NULL;
  if (!view->records[0].body->deal ||
      members_verify_anchored(members, view, NULL, &by, &why) != COLLEGA_OK)
    return prepare_verify(request, members, view) == COLLEGA_OK;
  const struct known_party *party = members_find(members, &view->signer);
  request->decide_replaced = party && (by->number >= party->card_count ||
                                       !id_equal(&party->cards[by->number].record, &by->record));
  return true;
}

/* Every run holds one record that keeps the rules and is signed by its author. */
static bool read_runs(struct request *request, struct members *members) {
  const Collega__Decide *frame = request->frame->decide;
  for (size_t i = 0; i < frame->n_runs; i++) {
    struct run_view *view = &request->decide_runs[i];
    if (run_read(frame->runs[i], request->arena, view, &request->error)) {
      prepare_refuse(request, refusal_code_of(&request->error));
      return false;
    }
    if (view->count != 1) {
      refuse_shape(request);
      return false;
    }
    if (view->records[0].refused) {
      request->error = *view->records[0].refused;
      prepare_refuse(request, refusal_code_of(&request->error));
      return false;
    }
    if (i == 0 ? !verify_header(request, members, view)
               : prepare_verify(request, members, view) != COLLEGA_OK)
      return false;
  }
  request->decide_run_count = frame->n_runs;
  return true;
}

/* Header and parties. False: it is no header, or the party is none of its own. */
static bool take_header(struct request *request, struct decide_request *decide) {
  const struct record *record = &request->decide_runs[0].records[0];
  const Collega__DealHeader *header = record->body->deal;
  if (!header) return false;
  struct id lender = id_of(&header->edges[0]->lender),
            borrower = id_of(&header->edges[0]->borrower);
  decide->deal = record->id;
  decide->proposer = request->decide_runs[0].signer;
  decide->other = id_equal(&decide->proposer, &lender) ? borrower : lender;
  decide->root = id_of(&header->root);
  if (header->has_replaces) decide->replaces = id_of(&header->replaces);
  if (header->has_amends) decide->amends = id_of(&header->amends);
  if (header->has_predecessor) decide->predecessor = id_of(&header->predecessor);
  decide->accept_by = header->accept_by;
  request->decider = id_of(&header->decider);
  epoch_from(&request->decider_epoch, header->decider_epoch.data, header->decider_epoch.len);
  return id_equal(&decide->party, &decide->proposer) || id_equal(&decide->party, &decide->other);
}

/* A RELEASE asked by one party and signed by the other, both about this root. */
static bool release_is_full(const struct decide_request *decide, const struct run_view *asked,
                            const struct run_view *answered) {
  const Collega__Release *release = asked->records[0].body->release;
  const Collega__ReleaseAnswer *answer = answered->records[0].body->release_answer;
  if (!release || !answer) return false;
  bool both =
      (id_equal(&asked->signer, &decide->proposer) &&
       id_equal(&answered->signer, &decide->other)) ||
      (id_equal(&asked->signer, &decide->other) && id_equal(&answered->signer, &decide->proposer));
  return both && same(&release->root, &decide->root) && same(&answer->root, &decide->root) &&
         same(&answer->release, &asked->records[0].id) &&
         answer->reply == COLLEGA__RELEASE_REPLY__RELEASE_REPLY_SIGNED;
}

/* One decision that the party holds: this decider's own, about this root. */
static bool show_decision(struct request *request, struct members *members,
                          const ProtobufCBinaryData *blob, struct shown_decision *shown) {
  struct run_view view;
  if (run_read_bytes(bytes_of(blob->data, blob->len), request->arena, &view, &request->error))
    return false;
  const Collega__Decision *decision = view.records[0].body->decision;
  if (view.count != 1 || !decision || view.records[0].refused) return false;
  if (!id_equal(&view.signer, &request->decider) || !same(&decision->root, &request->decide->root))
    return false;
  if (members_verify_run(members, &view, &request->error)) return false;
  *shown = (struct shown_decision){.deal = id_of(&decision->deal),
                                   .decision = view.records[0].id,
                                   .verdict = (int)decision->verdict,
                                   .position = decision->position,
                                   .epoch = decision->epoch_number,
                                   .effective = decision->has_effective ? decision->effective : 0,
                                   .why = rule_from_name(decision->why)};
  if (decision->has_predecessor) shown->predecessor = id_of(&decision->predecessor);
  shown->reduction_count = reductions_read(decision, shown->reductions);
  return true;
}

/* The releases of an answer: question and answer, in either order. */
static bool shows_release(struct request *request, struct members *members,
                          const Collega__EpochAnswer *answer) {
  struct run_view views[4];
  size_t count = answer->n_releases < 4 ? answer->n_releases : 4;
  for (size_t i = 0; i < count; i++) {
    struct bytes packed = bytes_of(answer->releases[i].data, answer->releases[i].len);
    if (run_read_bytes(packed, request->arena, &views[i], &request->error) || views[i].count != 1 ||
        views[i].records[0].refused || members_verify_run(members, &views[i], &request->error))
      return false;
  }
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < count; j++)
      if (release_is_full(request->decide, &views[i], &views[j])) return true;
  return false;
}

static bool take_answer(struct request *request, struct members *members,
                        const Collega__EpochAnswer *answer) {
  struct decide_request *decide = request->decide;
  struct shown_decision *shown =
      arena_zero(request->arena, (answer->n_decisions + 1) * sizeof *shown);
  if (!shown || !same(&answer->root, &decide->root)) return false;
  epoch_from(&request->answer_epoch, answer->epoch.data, answer->epoch.len);
  for (size_t i = 0; i < answer->n_decisions; i++)
    if (!show_decision(request, members, &answer->decisions[i], &shown[i])) return false;
  decide->shown = shown;
  decide->shown_count = answer->n_decisions;
  if (answer->n_releases) {
    decide->shown_release = shows_release(request, members, answer);
    return decide->shown_release;
  }
  return true;
}

static bool names_deal(const struct decide_request *decide, const ProtobufCBinaryData *deal) {
  return same(deal, &decide->deal);
}

/* The act: who may do it, and what it says. */
static bool take_act(struct request *request, struct members *members) {
  struct decide_request *decide = request->decide;
  const struct run_view *act = &request->decide_runs[1];
  const Collega__Body *body = act->records[0].body;
  bool by_party = id_equal(&act->signer, &decide->party);
  bool by_other = by_party && id_equal(&decide->party, &decide->other);
  bool by_proposer = by_party && id_equal(&decide->party, &decide->proposer);
  size_t runs = request->decide_run_count;
  if (body->acceptance) {
    decide->kind = DECIDE_ACCEPT;
    return runs == 2 && by_other && names_deal(decide, &body->acceptance->deal);
  }
  if (body->decline) {
    decide->kind = DECIDE_DECLINE;
    return runs == 2 && by_other && names_deal(decide, &body->decline->deal);
  }
  if (body->withdraw) {
    decide->kind = DECIDE_WITHDRAW;
    return runs == 2 && by_proposer && names_deal(decide, &body->withdraw->deal);
  }
  if (body->ask) {
    decide->kind = DECIDE_ASK;
    return runs == 2 && by_party && names_deal(decide, &body->ask->deal);
  }
  if (body->terminate) {
    decide->kind = DECIDE_TERMINATE;
    decide->terminate_predecessor = id_of(&body->terminate->predecessor);
    decide->effective = body->terminate->effective;
    decide->headcount = body->terminate->has_headcount ? body->terminate->headcount : 0;
    return runs == 2 && by_party && names_deal(decide, &body->terminate->deal);
  }
  if (body->release) {
    decide->kind = DECIDE_RELEASE;
    return runs == 3 && release_is_full(decide, act, &request->decide_runs[2]);
  }
  decide->kind = DECIDE_ANSWER;
  return runs == 2 && by_party && body->epoch_answer &&
         take_answer(request, members, body->epoch_answer);
}

/* "I hold none" about a root that never reached the party: no header comes with it. It shows nothing, for
 * whoever holds a decision holds its header. */
static bool take_lone_answer(struct request *request) {
  const struct run_view *only = &request->decide_runs[0];
  const Collega__EpochAnswer *answer = only->records[0].body->epoch_answer;
  struct decide_request *decide = request->decide;
  if (!answer || answer->n_decisions || answer->n_releases ||
      !id_equal(&only->signer, &decide->party))
    return false;
  decide->kind = DECIDE_ANSWER;
  decide->root = id_of(&answer->root);
  epoch_from(&request->answer_epoch, answer->epoch.data, answer->epoch.len);
  request->decide_alone = true;
  return true;
}

void prepare_decide(struct request *request, struct members *members) {
  const Collega__Decide *frame = request->frame->decide;
  const Collega__Run *last = frame->runs[frame->n_runs - 1];
  if (last->n_bodies)
    record_id(&request->which, bytes_of(last->bodies[0].data, last->bodies[0].len));
  struct decide_request *decide = arena_zero(request->arena, sizeof *decide);
  request->decide_runs = arena_zero(request->arena, frame->n_runs * sizeof *request->decide_runs);
  struct bytes *content =
      prepare_field_contents(request->packed, TO_BROKER_DECIDE, 1, request->arena);
  request->decide_run_bytes =
      content ? prepare_field_contents(*content, DECIDE_RUNS, frame->n_runs, request->arena) : NULL;
  if (!decide || !request->decide_runs || !request->decide_run_bytes) {
    error_set(&request->error, COLLEGA_FULL, RULE_arena_full, NULL, NULL);
    prepare_refuse(request, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_FULL);
    return;
  }
  request->decide = decide;
  decide->basis = request->which;
  id_from(&decide->party, frame->party.data, frame->party.len);
  if (!read_runs(request, members)) return;
  if (request->decide_run_count == 1 && take_lone_answer(request)) return;
  if (request->decide_run_count < 2 || !take_header(request, decide)) {
    refuse_shape(request);
  } else if (!take_act(request, members)) {
    error_set(&request->error, COLLEGA_REFUSED, RULE_decide_party, NULL, NULL);
    prepare_refuse(request, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED);
  }
}
