/* The broker was restored: what it has lost of ours goes out again.
 *
 * What it lost the start of its new epoch tells, which the board brings. Until that is read nothing is sent
 * (outgoing.c): a status would come before the content that it is about, and be left aside. Then goes what was lost, in
 * the order of the ledger, and behind that what had not been sent yet. */
#include "client/exchange/deal_rows.h"
#include "client/exchange/talk.h"

#include <stdlib.h>
#include <string.h>

#include "proto/guard.h"

/* ---- behind what goes out again */

static enum collega_status note_moved(struct apply *apply, const CollegaStore__OutboxItem *item,
                                      uint64_t from, struct arena *arena) {
  struct run_view view;
  enum collega_status status = run_read_bytes(field_bytes(&item->data), arena, &view, apply->error);
  for (size_t i = 0; status == COLLEGA_OK && i < view.count; i++) {
    struct own_record own;
    status = own_record_get(apply->txn, id_bytes(&view.records[i].id), &own, apply->error);
    if (status == COLLEGA_NOT_FOUND)
      status = COLLEGA_OK;
    else if (status == COLLEGA_OK && own.outbox == from) {
      own.outbox = item->number;
      status = own_record_put(apply->txn, &view.records[i].id, &own, apply->error);
    }
  }
  return status;
}

/* What has yet to be sent, in the order of the outbox, and how much of it has its place behind what was lost. That order
 * stays. As a rule all of it was written after what is lost. In a home that was restored something that follows on it
 * may have been fetched from the broker and be lost again: that goes behind it. */
struct unsent {
  struct number_list items;
  size_t placed;
  struct arena *arena;
};

static enum collega_status move_behind(struct apply *apply, uint64_t number, struct arena *arena) {
  CollegaStore__OutboxItem *item;
  arena_reset(arena);
  enum collega_status status = outbox_get(apply->txn, number, arena, &item, apply->error);
  if (status == COLLEGA_OK) status = outbox_forget(apply->txn, number, apply->error);
  if (status == COLLEGA_OK) status = outbox_put(apply->txn, item, apply->error);
  if (status == COLLEGA_OK && item->kind == COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_PUBLISH)
    status = note_moved(apply, item, number, arena);
  return status;
}

static enum collega_status unsent_open(struct apply *apply, struct unsent *unsent) {
  *unsent = (struct unsent){.arena = exchange_arena()};
  return unsent->arena ? apply_list_waiting(apply, &unsent->items)
                       : exchange_no_memory(apply->error);
}

static void unsent_close(struct unsent *unsent) {
  free(unsent->items.number);
  arena_destroy(&unsent->arena);
}

/* Moves the first `count` of them behind all that is in the outbox now, as far as they have no place yet. */
static enum collega_status unsent_place(struct apply *apply, struct unsent *unsent, size_t count) {
  enum collega_status status = COLLEGA_OK;
  for (; status == COLLEGA_OK && unsent->placed < count; unsent->placed++)
    status = move_behind(apply, unsent->items.number[unsent->placed], unsent->arena);
  return status;
}

/* This one, and all before it. */
static enum collega_status unsent_place_item(struct apply *apply, struct unsent *unsent,
                                             uint64_t number) {
  for (size_t i = unsent->placed; i < unsent->items.count; i++)
    if (unsent->items.number[i] == number) return unsent_place(apply, unsent, i + 1);
  return COLLEGA_OK; /* it has its place, or was refused */
}

/* ---- letters */

/* `unsent`: NULL where nothing else is sent again. */
static enum collega_status send_envelope(struct apply *apply, struct bytes envelope,
                                         const ProtobufCBinaryData *deal, struct unsent *unsent) {
  CollegaStore__OutboxItem item = COLLEGA_STORE__OUTBOX_ITEM__INIT, *waiting;
  const Collega__Envelope *read;
  struct id hash;
  envelope_hash(&hash, envelope);
  enum collega_status status = outbox_find(apply->txn, &hash, apply->arena, &waiting, apply->error);
  if (status == COLLEGA_OK) /* it has yet to go out at all */
    return unsent ? unsent_place_item(apply, unsent, waiting->number) : COLLEGA_OK;
  if (status != COLLEGA_NOT_FOUND) return status;
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
  struct number_list entries;
  bool failed, damaged;
};

static bool list_entry(struct letter_list *list, uint64_t entry) {
  list->failed = !number_add(&list->entries, entry);
  return !list->failed;
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

/* Offers for named employers go by mail, and so does word to those who were named and are no longer. */
static bool visit_offer(void *context, struct bytes key, struct bytes value) {
  struct letter_list *list = context;
  (void)key;
  const CollegaStore__OfferRow *row = (const CollegaStore__OfferRow *)listed_row(
      list, &collega_store__offer_row__descriptor, value);
  if (!row || !row->mine) return !list->damaged;
  bool more = true;
  for (size_t i = 0; more && i < row->n_gone_entries; i++)
    more = list_entry(list, row->gone_entries[i]);
  if (!more || !row->by_mail) return more;
  more = list_entry(list, row->entry) &&
         (!row->has_status_entry || list_entry(list, row->status_entry));
  for (size_t i = 0; more && i < row->n_letter_entries; i++)
    more = list_entry(list, row->letter_entries[i]);
  return more;
}

/* Is it the copy of a letter that withdrew an offer? From those who were no longer named it may have done so before this
 * home, which was restored, heard of the offer at all. */
static enum collega_status withdraws(struct apply *apply, struct bytes payload, struct arena *arena,
                                     bool *out) {
  const CollegaStore__MailIn *mail;
  const Collega__Letter *letter;
  *out = false;
  enum collega_status status = fetched_letter(payload, arena, &mail, &letter, apply->error);
  for (size_t i = 0; status == COLLEGA_OK && letter && i < letter->n_runs && !*out; i++) {
    struct run_view run;
    status = run_read(letter->runs[i], arena, &run, apply->error);
    if (status != COLLEGA_OK || run.count != 1) continue;
    const Collega__OfferStatus *change = run.records[0].body->status;
    *out = change && change->state == COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN;
  }
  return status;
}

/* Only a home that was restored has fetched anything; then all its entries are looked through. */
static enum collega_status list_fetched(struct apply *apply, struct letter_list *list) {
  CollegaStore__BrokerRow *broker;
  enum collega_status status = exchange_broker(apply->txn, list->arena, &broker, apply->error);
  if (status != COLLEGA_OK || !broker || (!broker->restored && !broker->has_told_number))
    return status;
  for (uint64_t number = 1; status == COLLEGA_OK && number < apply->event->number; number++) {
    struct ledger_event event;
    bool withdrawal = false;
    arena_reset(list->arena);
    status = ledger_entry(apply->txn, number, list->arena, &event, apply->error);
    if (status != COLLEGA_OK || !event.payload.data ||
        event.kind != COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FETCHED)
      continue;
    status = withdraws(apply, event.payload, list->arena, &withdrawal);
    if (status == COLLEGA_OK && withdrawal && !list_entry(list, number))
      status = exchange_no_memory(apply->error);
  }
  return status;
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
  return status == COLLEGA_OK ? list_fetched(apply, list) : status;
}

static enum collega_status send_own(struct apply *apply, const CollegaStore__OwnRecords *own,
                                    struct unsent *unsent) {
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; own && status == COLLEGA_OK && i < own->n_envelopes; i++)
    status = send_envelope(apply, field_bytes(&own->envelopes[i]), NULL, unsent);
  return status;
}

/* The letters that an entry sent; none: they were erased, or came from the other side. */
static enum collega_status send_letters_of(struct apply *apply, uint64_t number,
                                           struct unsent *unsent) {
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
    return send_own(apply, (const CollegaStore__OwnRecords *)row, unsent);
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
  return envelope.length > 0 ? send_envelope(apply, envelope, NULL, unsent) : COLLEGA_OK;
}

static int by_number(const void *one, const void *other) {
  uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
  return a < b ? -1 : a > b;
}

/* The broker knows an envelope that it kept by its number, and the recipient what it has: what was not
 * lost changes nothing. In the order in which they were written: an answer follows its question.
 * Whether one is taken this time says nothing about the deal, so these items name none. */
enum collega_status apply_letters_again(struct apply *apply) {
  struct unsent unsent;
  struct letter_list list = {.arena = exchange_arena()};
  if (!list.arena) return exchange_no_memory(apply->error);
  enum collega_status status = unsent_open(apply, &unsent);
  if (status == COLLEGA_OK) status = list_letters(apply, &list);
  const struct number_list *entries = &list.entries;
  if (entries->count > 1)
    qsort(entries->number, entries->count, sizeof *entries->number, by_number);
  for (size_t i = 0; status == COLLEGA_OK && i < entries->count; i++)
    if (i == 0 || entries->number[i] != entries->number[i - 1])
      status = send_letters_of(apply, entries->number[i], &unsent);
  if (status == COLLEGA_OK && entries->count > 0)
    status = unsent_place(apply, &unsent, unsent.items.count);
  unsent_close(&unsent);
  free(entries->number);
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
  status = sealed->has_envelope_hash
               ? apply_send_erased(apply, &sealed->envelope_hash, deal)
               : send_envelope(apply, field_bytes(&sealed->envelope), deal, NULL);
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

/* From the newest start back. */
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

/* The board brings the start of every epoch of which anything was kept before that of the newest one. One that
 * gave a receipt and whose start never came here was lost before that could be read. */
static bool is_kept(const struct lineage *lineage, const struct epoch *epoch, uint64_t seq) {
  const struct kept_epoch *kept = find_epoch(lineage, epoch);
  return kept && kept->followed && seq <= kept->last;
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
    enum collega_status looked = apply_superseded(apply, record, &superseded);
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

/* earliest[i]: the least entry of those runs that are at place i or behind it; UINT64_MAX: letters and questions only. */
static enum collega_status find_earliest(struct apply *apply, const struct unsent *unsent,
                                         uint64_t *earliest) {
  enum collega_status status = COLLEGA_OK;
  for (size_t i = unsent->items.count; status == COLLEGA_OK && i-- > 0;) {
    CollegaStore__OutboxItem *item;
    struct own_record own;
    earliest[i] = i + 1 < unsent->items.count ? earliest[i + 1] : UINT64_MAX;
    arena_reset(unsent->arena);
    status = outbox_get(apply->txn, unsent->items.number[i], unsent->arena, &item, apply->error);
    if (status != COLLEGA_OK || item->kind != COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_PUBLISH)
      continue;
    status = own_record_get(apply->txn, field_bytes(&item->key), &own, apply->error);
    if (status == COLLEGA_OK && own.entry < earliest[i]) earliest[i] = own.entry;
    if (status == COLLEGA_NOT_FOUND) status = COLLEGA_OK;
  }
  return status;
}

static enum collega_status send_lost(struct apply *apply, const struct lost_list *list,
                                     struct unsent *unsent, const uint64_t *earliest) {
  enum collega_status status = COLLEGA_OK;
  for (size_t from = 0, until; status == COLLEGA_OK && from < list->count; from = until) {
    size_t before = unsent->placed;
    for (until = from + 1; until < list->count; until++)
      if (list->record[until].entry != list->record[from].entry) break;
    while (before < unsent->items.count && earliest[before] < list->record[from].entry)
      before++;
    status = unsent_place(apply, unsent, before);
    if (status == COLLEGA_OK) status = publish_again(apply, &list->record[from], until - from);
  }
  return status == COLLEGA_OK ? unsent_place(apply, unsent, unsent->items.count) : status;
}

/* What waits may be sent from now on. */
static enum collega_status note_start(struct apply *apply, const Collega__EpochStart *start) {
  CollegaStore__BrokerRow *row = NULL;
  enum collega_status status = exchange_broker(apply->txn, apply->arena, &row, apply->error);
  if (status != COLLEGA_OK || !row || !row->has_awaits_start ||
      !bytes_equal(field_bytes(&row->epoch), field_bytes(&start->epoch)))
    return status;
  row->has_awaits_start = row->awaits_start = false;
  return broker_row_put(apply->txn, row, apply->error);
}

enum collega_status apply_epoch_start(struct apply *apply, const Collega__EpochStart *start,
                                      const ProtobufCBinaryData *broker) {
  struct lost_list list = {.failed = false};
  struct unsent unsent;
  struct bytes id = field_bytes(broker);
  bool older = false;
  enum collega_status status = note_start(apply, start);
  if (status != COLLEGA_OK || !start->has_previous) return status;
  status = read_lineage(apply, &id, start, &list.lineage, &older);
  if (status != COLLEGA_OK || older) return status;
  status = unsent_open(apply, &unsent);
  if (status == COLLEGA_OK)
    status = table_each(apply->txn, TABLE_RECORDS, bytes_of(NULL, 0), NULL, visit_lost, &list,
                        apply->error);
  if (status == COLLEGA_OK && list.failed) status = exchange_no_memory(apply->error);
  if (list.count > 1) qsort(list.record, list.count, sizeof *list.record, by_entry);
  uint64_t *earliest = malloc((unsent.items.count + 1) * sizeof *earliest);
  if (!earliest) status = exchange_no_memory(apply->error);
  if (status == COLLEGA_OK && list.count > 0) {
    status = find_earliest(apply, &unsent, earliest);
    if (status == COLLEGA_OK) status = send_lost(apply, &list, &unsent, earliest);
  }
  free(earliest);
  unsent_close(&unsent);
  free(list.record);
  return status;
}
