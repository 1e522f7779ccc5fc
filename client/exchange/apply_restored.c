/* After a restore, of this home or of its broker: what was fetched becomes rows again, and what the
 * broker has lost of ours goes out again. */
#include "client/exchange/deal_rows.h"
#include "client/exchange/talk.h"

#include <stdlib.h>
#include <string.h>

#include "proto/guard.h"

/* ---- this home was restored: copies of what it had signed */

/* A capacity that was made to fit its proposal (`propose --to`) is in the terms. */
static enum collega_status restore_capacity(struct apply *apply, const struct deal_view *view) {
  CollegaStore__Capacity row = COLLEGA_STORE__CAPACITY__INIT;
  Collega__Terms *terms;
  struct bytes value;
  if (view->own->has_offer) return COLLEGA_OK;
  enum collega_status status = table_get(apply->txn, TABLE_CAPACITIES,
                                         field_bytes(&view->own->capacity), &value, apply->error);
  if (status != COLLEGA_NOT_FOUND) return status;
  status = deal_terms(view->row, apply->arena, &terms, apply->error);
  if (status != COLLEGA_OK) return status;
  row.capacity = view->own->capacity;
  row.party = view->row->party;
  row.headcount = terms->work->headcount;
  row.from = terms->work->from;
  row.has_until = terms->work->has_until;
  row.until = terms->work->until;
  row.hours_per_week = terms->work->hours_per_week;
  return row_put(apply->txn, TABLE_CAPACITIES, field_bytes(&row.capacity), &row.base, apply->error);
}

static enum collega_status fill_header(struct apply *apply, struct deal_view *view,
                                       const struct run_view *run, const Collega__Letter *letter) {
  struct bytes packed;
  enum collega_status status = exchange_pack(apply->arena, &run->run->base, &packed, apply->error);
  if (status != COLLEGA_OK) return status;
  view->row->has_header_run = true;
  field_set(&view->row->header_run, packed.data, packed.length);
  status = exchange_pack(apply->arena, &letter->terms->base, &packed, apply->error);
  view->row->has_terms = true;
  field_set(&view->row->terms, packed.data, packed.length);
  view->row->has_act = false;
  view->row->has_letter_entry = true;
  view->row->letter_entry = apply->event->number;
  return status == COLLEGA_OK ? apply_add_mandate(apply, view->row, &view->party,
                                                  view->header->has_mandate, &view->header->mandate)
                              : status;
}

static enum collega_status copy_header(struct apply *apply, const struct run_view *run,
                                       const Collega__Letter *letter) {
  CollegaStore__DealRow row;
  struct deal_view view;
  struct deal_event event;
  const struct record *record = &run->records[0];
  if (!letter || !letter->terms) return COLLEGA_OK;
  enum collega_status status =
      deal_view_read(apply->txn, &apply->party, &record->id, apply->arena, &view, apply->error);
  bool fresh = status == COLLEGA_NOT_FOUND;
  if (fresh) status = apply_new_row(apply, record->bytes, true, &row, &view);
  if (status != COLLEGA_OK || view.row->has_header_run) return status;
  status = fill_header(apply, &view, run, letter);
  if (status == COLLEGA_OK) status = restore_capacity(apply, &view);
  if (status != COLLEGA_OK) return status;
  if (fresh) return apply_add_deal(apply, &view, DEAL_EVENT_COPY);
  status = deal_row_put(apply->txn, view.row, apply->error);
  header_event(&view, DEAL_EVENT_COPY, apply->event->time, &event);
  event.act = COLLEGA_STORE__ACT_KIND__ACT_KIND_PROPOSE;
  return status == COLLEGA_OK ? apply_deal_step(apply, &view.root, &event) : status;
}

/* It binds again, and is asked of the decider again: whoever kept the copy need not be whoever
 * took the request. */
static enum collega_status copy_acceptance(struct apply *apply, const struct run_view *run,
                                           struct bytes packed, bool letter) {
  const Collega__Acceptance *acceptance = run->records[0].body->acceptance;
  struct deal_view view;
  struct deal_event event = {.kind = DEAL_EVENT_COPY,
                             .act = COLLEGA_STORE__ACT_KIND__ACT_KIND_ACCEPT,
                             .now = apply->event->time};
  if (!id_from(&event.deal, acceptance->deal.data, acceptance->deal.len))
    return exchange_row_damaged(apply->error, "fetched");
  enum collega_status status =
      deal_view_read(apply->txn, &apply->party, &event.deal, apply->arena, &view, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK || view.row->mine) return status;
  bool received = view.row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RECEIVED;
  status = apply_keep_acceptance(apply, run);
  if (status == COLLEGA_OK && received) status = apply_deal_step(apply, &view.root, &event);
  if (status == COLLEGA_OK)
    status =
        deal_view_read(apply->txn, &apply->party, &event.deal, apply->arena, &view, apply->error);
  if (status == COLLEGA_OK)
    status = apply_add_mandate(apply, view.row, &view.party, acceptance->has_mandate,
                               &acceptance->mandate);
  if (status != COLLEGA_OK) return status;
  view.row->has_act = view.row->has_act && !received;
  if (letter) {
    view.row->has_letter_entry = true;
    view.row->letter_entry = apply->event->number;
  }
  status = deal_row_put(apply->txn, view.row, apply->error);
  if (status != COLLEGA_OK || !received) return status;
  return apply_send_request(apply, &view, packed, &run->records[0].id);
}

/* What was asked of the decider need not be asked again. */
static enum collega_status copy_request(struct apply *apply, const Collega__Body *body) {
  CollegaStore__DealRow *row;
  const ProtobufCBinaryData *deal = body->decline ? &body->decline->deal : &body->withdraw->deal;
  enum collega_status status =
      deal_row(apply->txn, &apply->party, field_bytes(deal), apply->arena, &row, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK) return status;
  if (body->decline) row->has_decline_sent = row->decline_sent = true;
  if (body->withdraw) row->has_withdraw_sent = row->withdraw_sent = true;
  row->has_act = false;
  return deal_row_put(apply->txn, row, apply->error);
}

/* An offer for named employers went to each of them by a letter of its own. */
static enum collega_status copy_offer(struct apply *apply, const struct record *record) {
  CollegaStore__OfferRow *row;
  const ProtobufCBinaryData *id =
      record->body->offer ? &record->body->offer->id : &record->body->status->id;
  enum collega_status status = apply_public(apply, record, NULL, true, bytes_of(NULL, 0));
  if (status == COLLEGA_OK)
    status = offer_row(apply->txn, field_bytes(id), apply->arena, &row, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK || !row->mine || !row->by_mail) return status;
  uint64_t *entries = arena_take(apply->arena, (row->n_letter_entries + 1) * sizeof *entries);
  if (!entries) return exchange_no_memory(apply->error);
  if (row->n_letter_entries)
    memcpy(entries, row->letter_entries, row->n_letter_entries * sizeof *entries);
  entries[row->n_letter_entries++] = apply->event->number;
  row->letter_entries = entries;
  return offer_row_put(apply->txn, row, apply->error);
}

static enum collega_status copy_run(struct apply *apply, const struct run_view *run,
                                    const Collega__Letter *letter, const struct said *said) {
  const Collega__Body *body = run->records[0].body;
  struct bytes packed;
  enum collega_status status = exchange_pack(apply->arena, &run->run->base, &packed, apply->error);
  if (status != COLLEGA_OK || run->count != 1) return status;
  if (body->deal) return copy_header(apply, run, letter);
  if (body->acceptance) return copy_acceptance(apply, run, packed, letter != NULL);
  if (body->decline || body->withdraw) return copy_request(apply, body);
  if (body->terminate || body->release || body->release_answer)
    return apply_change_copy(apply, run, letter != NULL);
  if (body->offer || body->status) return copy_offer(apply, &run->records[0]);
  if (body->interest || body->talk) return apply_talk_in(apply, body, said);
  return COLLEGA_OK;
}

enum collega_status apply_fetched(struct apply *apply) {
  ProtobufCMessage *message;
  struct run_view run;
  enum collega_status status = apply_payload(apply, &collega_store__mail_in__descriptor, &message);
  if (status != COLLEGA_OK) return status;
  const CollegaStore__MailIn *mail = (const CollegaStore__MailIn *)message;
  struct said said = {.mine = true, .time = apply->event->time};
  if (!mail->has_letter) {
    status = run_read_bytes(field_bytes(&mail->envelope), apply->arena, &run, apply->error);
    return status == COLLEGA_OK ? copy_run(apply, &run, NULL, &said) : status;
  }
  status = mail_sealed(mail, said.time, apply->arena, &said.time, &said.to, apply->error);
  if (status != COLLEGA_OK) return status;
  const Collega__Letter *letter = (const Collega__Letter *)row_unpack(
      &collega__letter__descriptor, field_bytes(&mail->letter), apply->arena);
  if (!letter) return exchange_row_damaged(apply->error, "fetched");
  for (size_t i = 0; status == COLLEGA_OK && i < letter->n_runs; i++) {
    status = run_read(letter->runs[i], apply->arena, &run, apply->error);
    if (status == COLLEGA_OK) status = copy_run(apply, &run, letter, &said);
  }
  return status;
}

/* Nothing to fetch where no broker is joined yet. */
enum collega_status apply_restored(struct apply *apply) {
  CollegaStore__BrokerRow *row = NULL;
  enum collega_status status = exchange_broker(apply->txn, apply->arena, &row, apply->error);
  if (status != COLLEGA_OK || !row) return status;
  row->has_restored = row->restored = true;
  return broker_row_put(apply->txn, row, apply->error);
}

enum collega_status apply_adopted(struct apply *apply) {
  ProtobufCMessage *message;
  CollegaStore__BrokerRow *row = NULL;
  enum collega_status status = apply_payload(apply, &collega__head__descriptor, &message);
  if (status == COLLEGA_OK) status = exchange_broker(apply->txn, apply->arena, &row, apply->error);
  if (status != COLLEGA_OK) return status;
  if (!row) return exchange_row_damaged(apply->error, "brokers");
  const Collega__Head *head = (const Collega__Head *)message;
  row->has_told_epoch = row->has_told_number = row->has_told_hash = true;
  row->told_epoch = head->epoch;
  row->told_number = head->number;
  row->told_hash = head->hash;
  row->has_restored = false;
  return broker_row_put(apply->txn, row, apply->error);
}

/* ---- the decider was restored, and asks */

enum collega_status apply_question(struct apply *apply) {
  ProtobufCMessage *message;
  CollegaStore__BrokerRow *broker = NULL;
  struct id root;
  struct deal_event event = {.kind = DEAL_EVENT_QUESTION, .now = apply->event->time};
  enum collega_status status = apply_payload(apply, &collega__question__descriptor, &message);
  if (status == COLLEGA_OK)
    status = exchange_broker(apply->txn, apply->arena, &broker, apply->error);
  if (status != COLLEGA_OK) return status;
  const Collega__Question *question = (const Collega__Question *)message;
  if (!broker || !id_from(&root, question->root.data, question->root.len))
    return exchange_row_damaged(apply->error, "question");
  event.epoch_number = broker->epoch_number;
  return apply_deal_step(apply, &root, &event);
}

/* ---- the broker was restored: what it has lost goes out again */

static enum collega_status send_envelope(struct apply *apply, struct bytes envelope,
                                         const ProtobufCBinaryData *deal) {
  CollegaStore__OutboxItem item = COLLEGA_STORE__OUTBOX_ITEM__INIT, *waiting;
  const Collega__Envelope *read;
  struct id hash;
  envelope_hash(&hash, envelope);
  enum collega_status status = outbox_find(apply->txn, &hash, apply->arena, &waiting, apply->error);
  if (status != COLLEGA_NOT_FOUND) return status; /* it has yet to go out at all */
  status = apply_envelope_item(apply, envelope, &item, &read);
  if (status != COLLEGA_OK || item.not_after <= apply->event->time) return status;
  item.has_deal = deal != NULL;
  if (deal) item.deal = *deal;
  item.time = apply->event->time;
  item.party = read->from; /* a Welcome is nobody's in particular */
  return outbox_put(apply->txn, &item, apply->error);
}

/* Chain entries that hold letters of ours. */
struct letter_list {
  struct arena *arena;
  uint64_t *entry;
  size_t count, capacity;
  bool failed, damaged;
};

static bool list_entry(struct letter_list *list, uint64_t entry) {
  if (list->count == list->capacity) {
    size_t capacity = list->capacity ? 2 * list->capacity : 64;
    uint64_t *grown = realloc(list->entry, capacity * sizeof *grown);
    list->failed = !grown;
    if (!grown) return false;
    list->entry = grown;
    list->capacity = capacity;
  }
  list->entry[list->count++] = entry;
  return true;
}

static ProtobufCMessage *listed_row(struct letter_list *list,
                                    const ProtobufCMessageDescriptor *type, struct bytes value) {
  arena_reset(list->arena);
  ProtobufCMessage *row = row_unpack(type, value, list->arena);
  list->damaged = !row;
  return row;
}

static bool visit_deal(void *context, struct bytes key, struct bytes value) {
  struct letter_list *list = context;
  (void)key;
  const CollegaStore__DealRow *row =
      (const CollegaStore__DealRow *)listed_row(list, &collega_store__deal_row__descriptor, value);
  if (!row || !row->has_letter_entry || row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_VOID ||
      row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RELEASED ||
      row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_TERMINATED)
    return !list->damaged;
  return list_entry(list, row->letter_entry);
}

/* RELEASE, its answer, TERMINATE: the other side may have none of them, whatever the decider says. */
static bool visit_root(void *context, struct bytes key, struct bytes value) {
  struct letter_list *list = context;
  (void)key;
  const CollegaStore__RootRow *row =
      (const CollegaStore__RootRow *)listed_row(list, &collega_store__root_row__descriptor, value);
  bool more = row != NULL;
  for (size_t i = 0; more && i < row->n_letter_entries; i++)
    more = list_entry(list, row->letter_entries[i]);
  return more;
}

static bool visit_talk(void *context, struct bytes key, struct bytes value) {
  if (key.length != THREAD_KEY_BYTES || get_be64(key.data + 2 * ID_BYTES) == 0 || value.length != 8)
    return true;
  return list_entry(context, get_be64(value.data));
}

/* Offers for named employers go by mail. */
static bool visit_offer(void *context, struct bytes key, struct bytes value) {
  struct letter_list *list = context;
  (void)key;
  const CollegaStore__OfferRow *row = (const CollegaStore__OfferRow *)listed_row(
      list, &collega_store__offer_row__descriptor, value);
  if (!row || !row->mine || !row->by_mail) return !list->damaged;
  bool more = list_entry(list, row->entry) &&
              (!row->has_status_entry || list_entry(list, row->status_entry));
  for (size_t i = 0; more && i < row->n_letter_entries; i++)
    more = list_entry(list, row->letter_entries[i]);
  return more;
}

static enum collega_status list_letters(struct apply *apply, struct letter_list *list) {
  static const struct {
    enum ledger_table table;
    table_visit visit;
  } PLACES[] = {{TABLE_OFFERS, visit_offer},
                {TABLE_THREADS, visit_talk},
                {TABLE_DEALS, visit_deal},
                {TABLE_ROOTS, visit_root}};
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; status == COLLEGA_OK && i < sizeof PLACES / sizeof *PLACES; i++) {
    status = table_each(apply->txn, PLACES[i].table, bytes_of(NULL, 0), NULL, PLACES[i].visit, list,
                        apply->error);
    if (status == COLLEGA_OK && list->failed) status = exchange_no_memory(apply->error);
    if (status == COLLEGA_OK && list->damaged) status = exchange_row_damaged(apply->error, "rows");
  }
  return status;
}

static enum collega_status send_own(struct apply *apply, const CollegaStore__OwnRecords *own) {
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; own && status == COLLEGA_OK && i < own->n_envelopes; i++)
    status = send_envelope(apply, field_bytes(&own->envelopes[i]), NULL);
  return status;
}

/* The letters that an entry sent; none: they were erased, or came from the other side. */
static enum collega_status send_letters_of(struct apply *apply, uint64_t number) {
  struct ledger_event event;
  const ProtobufCMessageDescriptor *type = NULL;
  struct bytes envelope = {NULL, 0};
  enum collega_status status = ledger_entry(apply->txn, number, apply->arena, &event, apply->error);
  if (status != COLLEGA_OK || !event.payload.data) return status;
  if (event.kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_SIGNED)
    type = &collega_store__signed_act__descriptor;
  else if (event.kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FETCHED)
    type = &collega_store__mail_in__descriptor;
  else if (event.kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_SEALED)
    type = &collega_store__sealed__descriptor;
  else if (event.kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MATCH_ACT)
    type = &collega_store__match_act__descriptor;
  else if (event.kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_OWN_RECORDS)
    type = &collega_store__own_records__descriptor;
  if (!type) return COLLEGA_OK;
  ProtobufCMessage *row = row_unpack(type, event.payload, apply->arena);
  if (!row) return exchange_row_damaged(apply->error, "letter");
  if (event.kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_OWN_RECORDS)
    return send_own(apply, (const CollegaStore__OwnRecords *)row);
  if (event.kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_SIGNED &&
      ((CollegaStore__SignedAct *)row)->has_envelope)
    envelope = field_bytes(&((CollegaStore__SignedAct *)row)->envelope);
  else if (event.kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MATCH_ACT &&
           ((CollegaStore__MatchAct *)row)->has_envelope)
    envelope = field_bytes(&((CollegaStore__MatchAct *)row)->envelope);
  else if (event.kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FETCHED &&
           ((CollegaStore__MailIn *)row)->has_letter)
    envelope = field_bytes(&((CollegaStore__MailIn *)row)->envelope);
  else if (event.kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_SEALED)
    envelope = field_bytes(&((CollegaStore__Sealed *)row)->envelope);
  return envelope.length > 0 ? send_envelope(apply, envelope, NULL) : COLLEGA_OK;
}

static int by_number(const void *one, const void *other) {
  uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
  return a < b ? -1 : a > b;
}

/* The broker knows an envelope that it kept by its number, and the recipient what it has: what was not
 * lost changes nothing. In the order in which they were written: an answer follows its question.
 * Whether one is taken this time says nothing about the deal, so these items name none. */
enum collega_status apply_letters_again(struct apply *apply) {
  struct letter_list list = {.arena = exchange_arena()};
  if (!list.arena) return exchange_no_memory(apply->error);
  enum collega_status status = list_letters(apply, &list);
  if (list.count > 1) qsort(list.entry, list.count, sizeof *list.entry, by_number);
  for (size_t i = 0; status == COLLEGA_OK && i < list.count; i++)
    if (i == 0 || list.entry[i] != list.entry[i - 1])
      status = send_letters_of(apply, list.entry[i]);
  free(list.entry);
  arena_destroy(&list.arena);
  return status;
}

enum collega_status apply_sealed(struct apply *apply) {
  ProtobufCMessage *message;
  CollegaStore__DealRow *row;
  enum collega_status status = apply_payload(apply, &collega_store__sealed__descriptor, &message);
  if (status != COLLEGA_OK) return status;
  const CollegaStore__Sealed *sealed = (const CollegaStore__Sealed *)message;
  const ProtobufCBinaryData *deal = sealed->has_deal ? &sealed->deal : NULL;
  status = sealed->has_envelope_hash ? apply_send_erased(apply, &sealed->envelope_hash, deal)
                                     : send_envelope(apply, field_bytes(&sealed->envelope), deal);
  if (status != COLLEGA_OK || !sealed->has_deal) return status;
  status = deal_row(apply->txn, &apply->party, field_bytes(&sealed->deal), apply->arena, &row,
                    apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK) return status;
  row->has_letter_entry = true;
  row->letter_entry = apply->event->number;
  return deal_row_put(apply->txn, row, apply->error);
}

/* ---- records that the broker receipted, and lost */

/* What of each epoch the broker kept. A broker that is restored twice from one backup goes on twice from
 * the same epoch: of the first time nothing is left, though it did give receipts. */
struct kept_epoch {
  struct epoch epoch;
  bool known;    /* its start was told here */
  bool followed; /* the newest epoch goes back to it */
  bool has_previous;
  struct epoch previous;
  uint64_t last_of_previous, last; /* kept of the one before; kept of this one */
};
struct lineage {
  struct kept_epoch *epochs;
  size_t count;
};

static struct kept_epoch *find_epoch(const struct lineage *lineage, const struct epoch *epoch) {
  for (size_t i = 0; i < lineage->count; i++)
    if (memcmp(lineage->epochs[i].epoch.byte, epoch->byte, EPOCH_BYTES) == 0)
      return &lineage->epochs[i];
  return NULL;
}

static bool add_start(struct lineage *lineage, const Collega__EpochStart *start) {
  struct kept_epoch *kept = &lineage->epochs[lineage->count];
  struct epoch epoch;
  if (!epoch_from(&epoch, start->epoch.data, start->epoch.len)) return false;
  if (find_epoch(lineage, &epoch)) return true;
  *kept = (struct kept_epoch){.epoch = epoch,
                              .known = true,
                              .has_previous = start->has_previous,
                              .last_of_previous = start->last_kept,
                              .last = UINT64_MAX};
  lineage->count++;
  return !start->has_previous ||
         epoch_from(&kept->previous, start->previous.data, start->previous.len);
}

/* From the newest start back; epochs of which nothing was told are taken to be kept. */
static void walk_back(struct lineage *lineage) {
  struct kept_epoch *at = &lineage->epochs[0];
  for (size_t i = 0; at && i < lineage->count; i++) {
    at->followed = true;
    if (!at->has_previous) return;
    struct kept_epoch *before = find_epoch(lineage, &at->previous);
    if (!before) { /* a start that never came here: only what was kept of it is known */
      before = &lineage->epochs[lineage->count++];
      *before = (struct kept_epoch){.epoch = at->previous, .followed = true};
      before->last = at->last_of_previous;
      return;
    }
    before->last = at->last_of_previous;
    at = before;
  }
}

/* *older: a newer start was told before; this one is read again, and tells nothing. */
static enum collega_status read_lineage(struct apply *apply, const struct bytes *broker,
                                        const Collega__EpochStart *newest, struct lineage *lineage,
                                        bool *older) {
  ProtobufCMessage *message;
  enum collega_status status =
      row_get(apply->txn, TABLE_PARTIES, *broker, &collega_store__party__descriptor, apply->arena,
              &message, apply->error);
  if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(apply->error, "parties");
  if (status != COLLEGA_OK) return status;
  const CollegaStore__Party *party = (const CollegaStore__Party *)message;
  lineage->epochs = arena_take(apply->arena, (party->n_records + 2) * sizeof *lineage->epochs);
  if (!lineage->epochs) return exchange_no_memory(apply->error);
  if (!add_start(lineage, newest)) return exchange_row_damaged(apply->error, "epochs");
  for (size_t i = 0; i < party->n_records; i++) {
    struct run_view view;
    status =
        run_read_bytes(field_bytes(&party->records[i]->run), apply->arena, &view, apply->error);
    if (status != COLLEGA_OK) return status;
    const Collega__EpochStart *start = view.records[0].body->epoch_start;
    if (start && !add_start(lineage, start)) return exchange_row_damaged(apply->error, "epochs");
    *older = *older || (start && start->number > newest->number);
  }
  walk_back(lineage);
  return COLLEGA_OK;
}

static bool is_kept(const struct lineage *lineage, const struct epoch *epoch, uint64_t seq) {
  const struct kept_epoch *kept = find_epoch(lineage, epoch);
  return !kept || (kept->followed && seq <= kept->last);
}

struct lost_record {
  uint64_t entry;
  struct id id;
};
struct lost_list {
  struct lineage lineage;
  struct lost_record *record;
  size_t count, capacity;
  bool failed;
};

static bool visit_lost(void *context, struct bytes key, struct bytes value) {
  struct lost_list *list = context;
  struct own_record own;
  if (!own_record_read(value, &own) || own.state != RECORD_RECEIPTED ||
      is_kept(&list->lineage, &own.epoch, own.seq))
    return true;
  if (list->count == list->capacity) {
    size_t capacity = list->capacity ? 2 * list->capacity : 256;
    struct lost_record *grown = realloc(list->record, capacity * sizeof *grown);
    list->failed = !grown;
    if (!grown) return false;
    list->record = grown;
    list->capacity = capacity;
  }
  list->record[list->count].entry = own.entry;
  if (id_from(&list->record[list->count].id, key.data, key.length)) list->count++;
  return true;
}

static int by_entry(const void *one, const void *other) {
  const struct lost_record *a = one, *b = other;
  if (a->entry != b->entry) return a->entry < b->entry ? -1 : 1;
  return memcmp(a->id.byte, b->id.byte, ID_BYTES);
}

static bool is_lost(const struct lost_record *lost, size_t count, const struct id *id) {
  struct lost_record wanted = {lost[0].entry, *id};
  return bsearch(&wanted, lost, count, sizeof *lost, by_entry) != NULL;
}

static enum collega_status note_waiting(struct apply *apply, const struct id *id, uint64_t outbox) {
  struct own_record own;
  enum collega_status status =
      own_record_get(apply->txn, bytes_of(id->byte, ID_BYTES), &own, apply->error);
  own.state = RECORD_WAITING;
  own.outbox = outbox;
  own.seq = 0;
  memset(&own.epoch, 0, sizeof own.epoch);
  return status == COLLEGA_OK ? own_record_put(apply->txn, id, &own, apply->error) : status;
}

/* A former content is of no use where a later one stands on the board: that one may have expired since,
 * and this one must not be seen in its place. Where the later ones went by mail, this one, or what ended
 * it, is the last that the board knew. */
static enum collega_status is_superseded(struct apply *apply, const struct record *record,
                                         bool *superseded) {
  CollegaStore__OfferRow *row;
  const Collega__OfferRevision *offer = record->body->offer;
  *superseded = false;
  if (!offer) return COLLEGA_OK;
  enum collega_status status =
      offer_row(apply->txn, field_bytes(&offer->id), apply->arena, &row, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status == COLLEGA_OK) *superseded = !row->by_mail && offer->revision < row->revision;
  return status;
}

/* The lost leaves of a run, as one run again. */
static enum collega_status publish_run(struct apply *apply, const struct run_view *view,
                                       const struct lost_record *lost, size_t count) {
  CollegaStore__OutboxItem item = COLLEGA_STORE__OUTBOX_ITEM__INIT;
  Collega__Run *run;
  struct bytes packed;
  size_t picked = 0;
  uint32_t *leaves = arena_take(apply->arena, view->count * sizeof *leaves);
  if (!leaves) return exchange_no_memory(apply->error);
  item.has_not_after = true;
  for (size_t i = 0; i < view->count; i++) {
    const struct record *record = &view->records[i];
    bool superseded = false;
    if (!is_lost(lost, count, &record->id)) continue;
    enum collega_status looked = is_superseded(apply, record, &superseded);
    if (looked != COLLEGA_OK) return looked;
    if (superseded) continue;
    if (picked == 0) field_set_id(&item.key, &record->id);
    leaves[picked++] = (uint32_t)i;
    item.has_not_after = item.has_not_after && record->body->has_not_after;
    if (record->body->not_after > item.not_after) item.not_after = record->body->not_after;
  }
  if (picked == 0) return COLLEGA_OK;
  enum collega_status status = run_cut(view, leaves, picked, apply->arena, &run, apply->error);
  if (status == COLLEGA_OK) status = exchange_pack(apply->arena, &run->base, &packed, apply->error);
  if (status != COLLEGA_OK) return status;
  item.kind = COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_PUBLISH;
  field_set(&item.data, packed.data, packed.length);
  item.open = (uint32_t)picked;
  item.time = apply->event->time;
  field_set_id(&item.party, &view->signer);
  status = outbox_put(apply->txn, &item, apply->error);
  for (size_t i = 0; status == COLLEGA_OK && i < picked; i++)
    status = note_waiting(apply, &view->records[leaves[i]].id, item.number);
  return status;
}

/* Those that one entry holds: ours in one run, or among others on the board. */
static enum collega_status publish_again(struct apply *apply, const struct lost_record *lost,
                                         size_t count) {
  struct ledger_event event;
  struct run_view view;
  enum collega_status status =
      ledger_entry(apply->txn, lost[0].entry, apply->arena, &event, apply->error);
  if (status != COLLEGA_OK || !event.payload.data) return status; /* erased meanwhile */
  if (event.kind != COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_BOARD) {
    const CollegaStore__OwnRecords *own = (const CollegaStore__OwnRecords *)row_unpack(
        &collega_store__own_records__descriptor, event.payload, apply->arena);
    if (!own) return exchange_row_damaged(apply->error, "own records");
    status = run_read_bytes(field_bytes(&own->run), apply->arena, &view, apply->error);
    return status == COLLEGA_OK ? publish_run(apply, &view, lost, count) : status;
  }
  const Collega__Board *board =
      (const Collega__Board *)row_unpack(&collega__board__descriptor, event.payload, apply->arena);
  if (!board) return exchange_row_damaged(apply->error, "board");
  for (size_t i = 0; status == COLLEGA_OK && i < board->n_runs; i++) {
    status = run_read(board->runs[i]->run, apply->arena, &view, apply->error);
    if (status == COLLEGA_OK) status = publish_run(apply, &view, lost, count);
  }
  return status;
}

enum collega_status apply_epoch_start(struct apply *apply, const Collega__EpochStart *start,
                                      const ProtobufCBinaryData *broker) {
  struct lost_list list = {.failed = false};
  struct bytes id = field_bytes(broker);
  bool older = false;
  if (!start->has_previous) return COLLEGA_OK;
  enum collega_status status = read_lineage(apply, &id, start, &list.lineage, &older);
  if (status != COLLEGA_OK || older) return status;
  status = table_each(apply->txn, TABLE_RECORDS, bytes_of(NULL, 0), NULL, visit_lost, &list,
                      apply->error);
  if (status == COLLEGA_OK && list.failed) status = exchange_no_memory(apply->error);
  if (list.count > 1) qsort(list.record, list.count, sizeof *list.record, by_entry);
  for (size_t from = 0, until; status == COLLEGA_OK && from < list.count; from = until) {
    for (until = from + 1; until < list.count; until++)
      if (list.record[until].entry != list.record[from].entry) break;
    status = publish_again(apply, &list.record[from], until - from);
  }
  free(list.record);
  return status;
}
