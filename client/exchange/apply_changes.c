/* TERMINATE, RELEASE and its answer: what entries about them change. The machine's wish to have one of
 * them signed becomes an act that waits on a deal's row; the daemon writes the record when it signs. */
#include "client/exchange/deal_rows.h"

#include <string.h>

#include "base/words.h"
#include "proto/guard.h"

/* Signed anew after each entry that came first; of those that came to nothing the oldest go. */
#define TERMINATES_KEPT (REDUCTIONS_MOST + 16)

static enum collega_status root_of(struct apply *apply, const struct id *root,
                                   CollegaStore__RootRow **row) {
  enum collega_status status = root_row(apply->txn, &apply->party, bytes_of(root->byte, ID_BYTES),
                                        apply->arena, row, apply->error);
  return status == COLLEGA_NOT_FOUND ? exchange_row_damaged(apply->error, "roots") : status;
}

/* ---- acts that wait */

bool act_outlives_deal(CollegaStore__ActKind kind) {
  return kind == COLLEGA_STORE__ACT_KIND__ACT_KIND_TERMINATE ||
         kind == COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE ||
         kind == COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE_ANSWER;
}

enum collega_status apply_change_wanted(struct apply *apply, const struct deal_view *view,
                                        const struct deal_effect *effect) {
  CollegaStore__DealAct act = COLLEGA_STORE__DEAL_ACT__INIT;
  struct bytes packed;
  act.kind =
      effect->kind == DEAL_EFFECT_SIGN_TERMINATE ? COLLEGA_STORE__ACT_KIND__ACT_KIND_TERMINATE
      : effect->kind == DEAL_EFFECT_SIGN_RELEASE ? COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE
                                                 : COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE_ANSWER;
  field_set_id(&act.deal, &view->deal);
  act.has_sign_release = effect->kind == DEAL_EFFECT_SIGN_RELEASE_ANSWER;
  act.sign_release = effect->signed_answer;
  enum collega_status status = exchange_pack(apply->arena, &act.base, &packed, apply->error);
  if (status != COLLEGA_OK) return status;
  view->row->has_act = true;
  field_set(&view->row->act, packed.data, packed.length);
  return deal_row_put(apply->txn, view->row, apply->error);
}

enum collega_status apply_draft_change(struct apply *apply, const CollegaStore__DealAct *act) {
  struct deal_view view;
  struct deal_event event = {.now = apply->event->time,
                             .terminate_effective = act->effective,
                             .terminate_headcount = act->headcount};
  CollegaStore__RootRow *root;
  if (!id_from(&event.deal, act->deal.data, act->deal.len))
    return exchange_row_damaged(apply->error, "act");
  enum collega_status status =
      deal_view_read(apply->txn, &apply->party, &event.deal, apply->arena, &view, apply->error);
  if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(apply->error, "deals");
  if (status == COLLEGA_OK) status = root_of(apply, &view.root, &root);
  if (status != COLLEGA_OK) return status;
  if (act->kind == COLLEGA_STORE__ACT_KIND__ACT_KIND_TERMINATE) {
    event.kind = DEAL_EVENT_TERMINATE;
    root->has_terminate_mandate = act->has_mandate;
    root->terminate_mandate = act->mandate;
    root->terminate_dropped = NULL;
    status = root_row_put(apply->txn, root, apply->error);
  } else if (act->kind == COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE) {
    event.kind = DEAL_EVENT_RELEASE;
  } else {
    event.kind = act->sign_release ? DEAL_EVENT_RELEASE_SIGN : DEAL_EVENT_RELEASE_KEEP;
  }
  return status == COLLEGA_OK ? apply_deal_step(apply, &view.root, &event) : status;
}

/* ---- what was signed here */

/* A letter that no deal lives or dies with. */
static enum collega_status send_letter(struct apply *apply, const ProtobufCBinaryData *envelope) {
  return envelope->len > 0 ? apply_send_envelope(apply, field_bytes(envelope)) : COLLEGA_OK;
}

static enum collega_status send_request(struct apply *apply, const struct deal_view *view,
                                        const ProtobufCBinaryData *runs, size_t count,
                                        const struct id *key) {
  if (!view->row->has_header_run) return COLLEGA_OK; /* nobody else has seen it */
  return apply_send_runs(apply, view, runs, count, key);
}

/* Did a decision that is held follow from this record? */
static enum collega_status was_decided(struct apply *apply, const CollegaStore__RootRow *root,
                                       const ProtobufCBinaryData *record, bool *decided) {
  *decided = false;
  for (size_t i = 0; i < root->n_deals && !*decided; i++) {
    CollegaStore__DealRow *row;
    enum collega_status status = deal_row(apply->txn, &apply->party, field_bytes(&root->deals[i]),
                                          apply->arena, &row, apply->error);
    if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(apply->error, "roots");
    if (status != COLLEGA_OK) return status;
    for (size_t j = 0; j < row->n_reductions; j++)
      if (bytes_equal(field_bytes(&row->reductions[j]->basis), field_bytes(record)))
        *decided = true;
  }
  return COLLEGA_OK;
}

/* The oldest that proves nothing: which of the kept runs goes, when there are too many. */
static enum collega_status to_forget(struct apply *apply, const CollegaStore__RootRow *root,
                                     size_t *index) {
  for (*index = 0; *index < root->n_terminates; (*index)++) {
    struct run_view run;
    bool decided;
    enum collega_status status =
        run_read_bytes(field_bytes(&root->terminates[*index]), apply->arena, &run, apply->error);
    if (status != COLLEGA_OK) return status;
    ProtobufCBinaryData record = {ID_BYTES, (uint8_t *)(uintptr_t)run.records[0].id.byte};
    status = was_decided(apply, root, &record, &decided);
    if (status != COLLEGA_OK || !decided) return status;
  }
  return COLLEGA_OK;
}

static enum collega_status keep_terminate(struct apply *apply, CollegaStore__RootRow *root,
                                          const ProtobufCBinaryData *run) {
  for (size_t i = 0; i < root->n_terminates; i++)
    if (bytes_equal(field_bytes(&root->terminates[i]), field_bytes(run)))
      return root_row_put(apply->txn, root, apply->error);
  ProtobufCBinaryData *runs = arena_take(apply->arena, (root->n_terminates + 1) * sizeof *runs);
  if (!runs) return exchange_no_memory(apply->error);
  size_t skip = root->n_terminates, count = 0;
  if (root->n_terminates >= TERMINATES_KEPT) {
    enum collega_status status = to_forget(apply, root, &skip);
    if (status != COLLEGA_OK) return status;
  }
  for (size_t i = 0; i < root->n_terminates; i++)
    if (i != skip) runs[count++] = root->terminates[i];
  runs[count++] = *run;
  root->n_terminates = count;
  root->terminates = runs;
  return root_row_put(apply->txn, root, apply->error);
}

/* The record that the decider will know the request by: the last one. */
static enum collega_status lodge(struct apply *apply, const struct deal_view *view,
                                 const ProtobufCBinaryData *asked,
                                 const ProtobufCBinaryData *answer) {
  ProtobufCBinaryData runs[2] = {*asked, *answer};
  struct run_view read;
  enum collega_status status =
      run_read_bytes(field_bytes(answer), apply->arena, &read, apply->error);
  return status == COLLEGA_OK ? send_request(apply, view, runs, 2, &read.records[0].id) : status;
}

enum collega_status release_pair(const CollegaStore__RootRow *root, struct arena *arena,
                                 const ProtobufCBinaryData **asked, bool *both,
                                 struct collega_error *error) {
  struct run_view answer;
  *both = false;
  if (!root->has_release_answer) return COLLEGA_OK;
  enum collega_status status =
      run_read_bytes(field_bytes(&root->release_answer), arena, &answer, error);
  if (status != COLLEGA_OK) return status;
  const Collega__ReleaseAnswer *content = answer.records[0].body->release_answer;
  if (!content || content->reply != COLLEGA__RELEASE_REPLY__RELEASE_REPLY_SIGNED) return COLLEGA_OK;
  bool ours = root->has_party && field_is(&root->party, &answer.signer);
  *both = ours ? root->has_release : root->has_release_asked;
  *asked = ours ? &root->release : &root->release_asked;
  return COLLEGA_OK;
}

enum collega_status apply_lodge_release(struct apply *apply, const struct id *root_id) {
  CollegaStore__RootRow *root;
  const ProtobufCBinaryData *asked = NULL;
  struct deal_view view;
  struct id deal;
  bool both = false;
  enum collega_status status = root_of(apply, root_id, &root);
  if (status == COLLEGA_OK) status = release_pair(root, apply->arena, &asked, &both, apply->error);
  if (status != COLLEGA_OK || !both) return status; /* not signed yet */
  /* Any deal of the root whose header went out. */
  for (size_t i = 0; i < root->n_deals; i++) {
    if (!id_from(&deal, root->deals[i].data, root->deals[i].len))
      return exchange_row_damaged(apply->error, "roots");
    status = deal_view_read(apply->txn, &apply->party, &deal, apply->arena, &view, apply->error);
    if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(apply->error, "roots");
    if (status != COLLEGA_OK) return status;
    if (view.row->has_header_run) return lodge(apply, &view, asked, &root->release_answer);
  }
  return COLLEGA_OK;
}

/* Where our letter about the root stands: a broker that is restored may have lost it. */
static enum collega_status keep_letter(struct apply *apply, CollegaStore__RootRow *root) {
  uint64_t *entries = arena_take(apply->arena, (root->n_letter_entries + 1) * sizeof *entries);
  if (!entries) return exchange_no_memory(apply->error);
  size_t skip = root->n_letter_entries >= TERMINATES_KEPT ? 1 : 0;
  size_t count = root->n_letter_entries - skip;
  if (count) memcpy(entries, root->letter_entries + skip, count * sizeof *entries);
  entries[count++] = apply->event->number;
  root->n_letter_entries = count;
  root->letter_entries = entries;
  return COLLEGA_OK;
}

enum collega_status apply_signed_change(struct apply *apply, struct deal_view *view,
                                        const CollegaStore__SignedAct *act,
                                        const struct record *record) {
  CollegaStore__RootRow *root;
  enum collega_status status = root_of(apply, &view->root, &root);
  view->row->has_act = false;
  if (status == COLLEGA_OK) status = deal_row_put(apply->txn, view->row, apply->error);
  if (status == COLLEGA_OK) status = send_letter(apply, &act->envelope);
  if (status == COLLEGA_OK && act->has_envelope) status = keep_letter(apply, root);
  if (status != COLLEGA_OK) return status;
  if (act->kind == COLLEGA_STORE__ACT_KIND__ACT_KIND_TERMINATE) {
    status = keep_terminate(apply, root, &act->run);
    return status == COLLEGA_OK ? send_request(apply, view, &act->run, 1, &record->id) : status;
  }
  if (act->kind == COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE) {
    root->has_release_asked = true;
    root->release_asked = act->run;
    return root_row_put(apply->txn, root, apply->error);
  }
  root->has_release_answer = true;
  root->release_answer = act->run;
  status = root_row_put(apply->txn, root, apply->error);
  return status == COLLEGA_OK ? apply_lodge_release(apply, &view->root) : status;
}

/* ---- what the other side signed */

static enum collega_status take_release(struct apply *apply, const struct deal_view *view,
                                        CollegaStore__RootRow *root, struct bytes run) {
  struct deal_event event = {
      .kind = DEAL_EVENT_RELEASE_IN, .deal = view->deal, .now = apply->event->time};
  if (!root->has_release) {
    root->has_release = true;
    field_set(&root->release, run.data, run.length);
    enum collega_status status = root_row_put(apply->txn, root, apply->error);
    if (status != COLLEGA_OK) return status;
  }
  return apply_deal_step(apply, &view->root, &event);
}

static enum collega_status take_answer(struct apply *apply, const struct record *record,
                                       struct bytes run) {
  const Collega__ReleaseAnswer *answer = record->body->release_answer;
  CollegaStore__RootRow *root;
  struct deal_event event = {.kind = DEAL_EVENT_RELEASE_ANSWER_IN,
                             .now = apply->event->time,
                             .signed_answer =
                                 answer->reply == COLLEGA__RELEASE_REPLY__RELEASE_REPLY_SIGNED};
  struct id id;
  if (!id_from(&id, answer->root.data, answer->root.len))
    return exchange_row_damaged(apply->error, "mail");
  enum collega_status status = root_of(apply, &id, &root);
  if (status != COLLEGA_OK) return status;
  if (!root->has_release_answer) { /* both asked at once: our own answer does as well */
    root->has_release_answer = true;
    field_set(&root->release_answer, run.data, run.length);
    status = root_row_put(apply->txn, root, apply->error);
  }
  return status == COLLEGA_OK ? apply_deal_step(apply, &id, &event) : status;
}

enum collega_status apply_change_in(struct apply *apply, const struct run_view *run) {
  const struct record *record = &run->records[0];
  struct deal_view view;
  CollegaStore__RootRow *root;
  struct bytes packed;
  struct id deal;
  enum collega_status status = exchange_pack(apply->arena, &run->run->base, &packed, apply->error);
  if (status != COLLEGA_OK) return status;
  if (record->body->release_answer) return take_answer(apply, record, packed);
  const ProtobufCBinaryData *named =
      record->body->terminate ? &record->body->terminate->deal : &record->body->release->deal;
  if (!id_from(&deal, named->data, named->len)) return exchange_row_damaged(apply->error, "mail");
  status = deal_view_read(apply->txn, &apply->party, &deal, apply->arena, &view, apply->error);
  if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(apply->error, "deals");
  if (status == COLLEGA_OK) status = root_of(apply, &view.root, &root);
  if (status != COLLEGA_OK) return status;
  if (record->body->release) return take_release(apply, &view, root, packed);
  ProtobufCBinaryData kept;
  field_set(&kept, packed.data, packed.length);
  return keep_terminate(apply, root, &kept);
}

/* ---- too short a notice */

/* The notice that its signer owed: a lender may have agreed to another one for calling back. */
static uint32_t notice_owed(const Collega__Terms *terms, bool lender) {
  const Collega__TermsEnding *ending = terms->ending;
  if (!ending) return 0;
  if (lender && ending->has_recall_days) return ending->recall_days;
  return ending->has_notice_days ? ending->notice_days : 0;
}

enum collega_status apply_reductions(struct apply *apply, struct deal_view *view,
                                     const struct deal_effect *effect) {
  Collega__Terms *terms;
  CollegaStore__DealRow *row = view->row;
  enum collega_status status = deal_terms(row, apply->arena, &terms, apply->error);
  if (status != COLLEGA_OK) return status;
  size_t count = effect->reduction_count;
  CollegaStore__ReductionRow *rows = arena_take(apply->arena, count * sizeof *rows);
  row->reductions = arena_take(apply->arena, count * sizeof(CollegaStore__ReductionRow *));
  if (!rows || !row->reductions) return exchange_no_memory(apply->error);
  row->n_reductions = 0;
  for (size_t i = 0; i < count; i++) {
    const struct reduction *part = &effect->reductions[i];
    bool ours = id_equal(&part->by, &apply->party);
    bool lender = ours == (row->lends != 0);
    uint32_t left = deal_people(row, terms->work->headcount, DATE_OPEN);
    collega_date owed = date_of_time(part->time) + (collega_date)notice_owed(terms, lender);
    collega_store__reduction_row__init(&rows[i]);
    rows[i].headcount = part->headcount;
    rows[i].effective = part->effective;
    field_set_id(&rows[i].basis, &part->basis);
    rows[i].ours = ours;
    /* The decider does not see how many there are; a node of ours asks for no more than that. */
    rows[i].disputed = part->effective < owed || part->headcount >= left;
    row->reductions[row->n_reductions++] = &rows[i];
  }
  return deal_row_put(apply->txn, row, apply->error);
}

enum collega_status apply_terminate_dropped(struct apply *apply, const struct deal_view *view,
                                            const char *why) {
  struct deal_event event = {.kind = DEAL_EVENT_TERMINATE_DROP, .now = apply->event->time};
  CollegaStore__RootRow *root;
  enum collega_status status = root_of(apply, &view->root, &root);
  if (status != COLLEGA_OK || !root->has_terminate_headcount || !root->terminate_wanted ||
      (strcmp(why, rule_name(RULE_terminate_headcount)) != 0 &&
       strcmp(why, rule_name(RULE_reductions_most)) != 0))
    return status;
  root->terminate_dropped = (char *)(uintptr_t)why;
  status = root_row_put(apply->txn, root, apply->error);
  return status == COLLEGA_OK ? apply_deal_step(apply, &view->root, &event) : status;
}

static enum collega_status signed_by_lender(struct apply *apply, const CollegaStore__RootRow *root,
                                            const Collega__Decision *decision,
                                            const struct deal_view *view, bool *lender) {
  *lender = false;
  for (size_t i = 0; i < root->n_terminates; i++) {
    struct run_view run;
    enum collega_status status =
        run_read_bytes(field_bytes(&root->terminates[i]), apply->arena, &run, apply->error);
    if (status != COLLEGA_OK) return status;
    if (decision->has_basis && field_is(&decision->basis, &run.records[0].id))
      *lender = field_is(&view->edge->lender, &run.signer);
  }
  return COLLEGA_OK;
}

/* The notice runs from the decider's stamp. Too short a one takes effect as it was signed. */
static enum collega_status note_end(struct apply *apply, const Collega__Decision *decision,
                                    const CollegaStore__RootRow *root, struct deal_view *view) {
  Collega__Terms *terms;
  bool lender = false;
  enum collega_status status = deal_terms(view->row, apply->arena, &terms, apply->error);
  if (status == COLLEGA_OK) status = signed_by_lender(apply, root, decision, view, &lender);
  if (status != COLLEGA_OK) return status;
  collega_date owed = date_of_time(decision->time) + (collega_date)notice_owed(terms, lender);
  view->row->has_disputed = view->row->disputed = decision->effective < owed;
  view->row->has_effective = true;
  view->row->effective = decision->effective;
  return deal_row_put(apply->txn, view->row, apply->error);
}

enum collega_status apply_termination(struct apply *apply, const struct id *root_id,
                                      const Collega__Decision *decision) {
  CollegaStore__RootRow *root;
  struct deal_view view;
  struct id last;
  if (decision->verdict != COLLEGA__VERDICT__VERDICT_TERMINATED) return COLLEGA_OK;
  enum collega_status status = root_of(apply, root_id, &root);
  if (status != COLLEGA_OK || !root->has_last_deal ||
      !id_from(&last, root->last_deal.data, root->last_deal.len))
    return status;
  status = deal_view_read(apply->txn, &apply->party, &last, apply->arena, &view, apply->error);
  if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(apply->error, "roots");
  if (status != COLLEGA_OK || view.row->state != COLLEGA_STORE__DEAL_STATE__DEAL_STATE_TERMINATED)
    return status;
  return note_end(apply, decision, root, &view);
}

/* ---- copies of what this party had signed, fetched after a restore */

/* A termination that the decider took before its copy came here: by whom it was signed is known now. */
static enum collega_status note_end_again(struct apply *apply, const struct id *root_id) {
  CollegaStore__RootRow *root;
  CollegaStore__DealRow *last;
  enum collega_status status = root_of(apply, root_id, &root);
  if (status != COLLEGA_OK || !root->has_last_deal) return status;
  status = deal_row(apply->txn, &apply->party, field_bytes(&root->last_deal), apply->arena, &last,
                    apply->error);
  if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(apply->error, "roots");
  for (size_t i = 0; status == COLLEGA_OK && i < last->n_decisions; i++) {
    struct run_view run;
    status = run_read_bytes(field_bytes(&last->decisions[i]), apply->arena, &run, apply->error);
    if (status == COLLEGA_OK && run.records[0].body->decision)
      status = apply_termination(apply, root_id, run.records[0].body->decision);
  }
  return status;
}

/* It was signed before this home was restored: a draft of it need not be signed again. */
static enum collega_status drop_acts(struct apply *apply, const CollegaStore__RootRow *root,
                                     CollegaStore__ActKind kind) {
  for (size_t i = 0; i < root->n_deals; i++) {
    CollegaStore__DealRow *row;
    enum collega_status status = deal_row(apply->txn, &apply->party, field_bytes(&root->deals[i]),
                                          apply->arena, &row, apply->error);
    if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(apply->error, "roots");
    if (status != COLLEGA_OK) return status;
    const CollegaStore__DealAct *act =
        row->has_act
            ? (const CollegaStore__DealAct *)row_unpack(&collega_store__deal_act__descriptor,
                                                        field_bytes(&row->act), apply->arena)
            : NULL;
    if (!act || act->kind != kind) continue;
    row->has_act = false;
    status = deal_row_put(apply->txn, row, apply->error);
    if (status != COLLEGA_OK) return status;
  }
  return COLLEGA_OK;
}

/* The position of a decision that is held; 0: not held. And whether one that we asked for ended a part after it. */
struct carried {
  const ProtobufCBinaryData *predecessor;
  uint32_t position, newest; /* newest: of a part that we ended */
};

static enum collega_status look_carried(struct apply *apply, const CollegaStore__DealRow *row,
                                        struct carried *carried) {
  for (size_t i = 0; i < row->n_decisions; i++) {
    struct run_view run;
    enum collega_status status =
        run_read_bytes(field_bytes(&row->decisions[i]), apply->arena, &run, apply->error);
    if (status != COLLEGA_OK) return status;
    const Collega__Decision *decision = run.records[0].body->decision;
    if (!decision) continue;
    if (field_is(carried->predecessor, &run.records[0].id)) carried->position = decision->position;
    if (decision->verdict != COLLEGA__VERDICT__VERDICT_REDUCED || decision->n_reductions == 0)
      continue;
    const Collega__Reduction *own = decision->reductions[decision->n_reductions - 1];
    if (field_is(&own->by, &apply->party) && decision->position > carried->newest)
      carried->newest = decision->position;
  }
  return COLLEGA_OK;
}

/* Whether what a copy asks for was done: a part ends once for each time that it was asked for, and only one is asked
 * for at a time. So any that we ended after the entry which the copy names is the one that it asks for. */
static enum collega_status carried_out(struct apply *apply, const CollegaStore__RootRow *root,
                                       const Collega__Terminate *terminate, bool *out) {
  struct carried carried = {.predecessor = &terminate->predecessor};
  *out = false;
  if (!terminate->has_headcount) return COLLEGA_OK; /* the whole ends once */
  for (size_t i = 0; i < root->n_deals; i++) {
    CollegaStore__DealRow *row;
    enum collega_status status = deal_row(apply->txn, &apply->party, field_bytes(&root->deals[i]),
                                          apply->arena, &row, apply->error);
    if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(apply->error, "roots");
    if (status == COLLEGA_OK) status = look_carried(apply, row, &carried);
    if (status != COLLEGA_OK) return status;
  }
  *out = carried.newest > carried.position;
  return COLLEGA_OK;
}

static enum collega_status copy_terminate(struct apply *apply, const Collega__Terminate *terminate,
                                          struct bytes packed, bool letter) {
  struct deal_view view;
  CollegaStore__RootRow *root;
  struct deal_event event = {.kind = DEAL_EVENT_COPY,
                             .act = COLLEGA_STORE__ACT_KIND__ACT_KIND_TERMINATE,
                             .now = apply->event->time,
                             .terminate_effective = terminate->effective,
                             .terminate_headcount =
                                 terminate->has_headcount ? terminate->headcount : 0};
  ProtobufCBinaryData kept;
  if (!id_from(&event.deal, terminate->deal.data, terminate->deal.len) ||
      !id_from(&event.predecessor, terminate->predecessor.data, terminate->predecessor.len))
    return exchange_row_damaged(apply->error, "fetched");
  enum collega_status status =
      deal_view_read(apply->txn, &apply->party, &event.deal, apply->arena, &view, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status == COLLEGA_OK) status = root_of(apply, &view.root, &root);
  if (status != COLLEGA_OK) return status;
  if (letter) status = keep_letter(apply, root);
  root->has_terminate_mandate = terminate->has_mandate;
  root->terminate_mandate = terminate->mandate;
  field_set(&kept, packed.data, packed.length);
  if (status == COLLEGA_OK) status = keep_terminate(apply, root, &kept);
  if (status == COLLEGA_OK) status = carried_out(apply, root, terminate, &event.carried_out);
  if (status == COLLEGA_OK && !event.carried_out) status = drop_acts(apply, root, event.act);
  if (status == COLLEGA_OK) status = apply_deal_step(apply, &view.root, &event);
  return status == COLLEGA_OK ? note_end_again(apply, &view.root) : status;
}

static enum collega_status copy_release(struct apply *apply, const Collega__Body *body,
                                        struct bytes packed, bool letter) {
  struct id id;
  CollegaStore__RootRow *root;
  const ProtobufCBinaryData *field =
      body->release ? &body->release->root : &body->release_answer->root;
  struct deal_event event = {.kind = DEAL_EVENT_COPY, .now = apply->event->time};
  event.act = body->release ? COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE
                            : COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE_ANSWER;
  event.signed_answer = body->release_answer &&
                        body->release_answer->reply == COLLEGA__RELEASE_REPLY__RELEASE_REPLY_SIGNED;
  if (!id_from(&id, field->data, field->len)) return exchange_row_damaged(apply->error, "fetched");
  enum collega_status status = root_of(apply, &id, &root);
  if (status == COLLEGA_OK && letter) status = keep_letter(apply, root);
  if (status != COLLEGA_OK) return status;
  if (body->release) {
    root->has_release_asked = true;
    field_set(&root->release_asked, packed.data, packed.length);
  } else {
    root->has_release_answer = true;
    field_set(&root->release_answer, packed.data, packed.length);
  }
  status = root_row_put(apply->txn, root, apply->error);
  if (status == COLLEGA_OK) status = drop_acts(apply, root, event.act);
  return status == COLLEGA_OK ? apply_deal_step(apply, &id, &event) : status;
}

enum collega_status apply_change_copy(struct apply *apply, const struct run_view *run,
                                      bool letter) {
  const Collega__Body *body = run->records[0].body;
  struct bytes packed;
  enum collega_status status = exchange_pack(apply->arena, &run->run->base, &packed, apply->error);
  if (status != COLLEGA_OK) return status;
  return body->terminate ? copy_terminate(apply, body->terminate, packed, letter)
                         : copy_release(apply, body, packed, letter);
}
