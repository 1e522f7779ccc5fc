/* Offers and members: what we published, and what the board brought. */
#include "client/exchange/inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "proto/guard.h"
#include "proto/tree.h"
#include "proto/wire.h"

/* ---- one record */

/* Mine: also in the list of own offers. */
static enum collega_status list_mine(struct apply *apply, const CollegaStore__OfferRow *row) {
  uint8_t key[ID_BYTES + SHORT_ID_BYTES];
  if (!row->mine) return COLLEGA_OK;
  if (row->author.len != ID_BYTES || row->offer.len != SHORT_ID_BYTES)
    return exchange_row_damaged(apply->error, "offers");
  memcpy(key, row->author.data, ID_BYTES);
  memcpy(key + ID_BYTES, row->offer.data, SHORT_ID_BYTES);
  return table_put(apply->txn, TABLE_MINE, bytes_of(key, sizeof key), bytes_of("", 0),
                   apply->error);
}

/* The broker takes nothing more of a party that was revoked, and its neighbours see nothing more of it. */
static enum collega_status refuse_of_revoked(struct apply *apply, CollegaStore__OfferRow *row) {
  CollegaStore__OwnParty *own;
  enum collega_status status =
      own_row(apply->txn, field_bytes(&row->author), apply->arena, &own, apply->error);
  if (status != COLLEGA_OK || !own->revoked)
    return status == COLLEGA_NOT_FOUND ? COLLEGA_OK : status;
  row->refused = (char *)(uintptr_t)rule_name(RULE_offer_of_revoked);
  row->refused_words = NULL;
  return COLLEGA_OK;
}

/* A letter of ours withdrew a former content of the row's offer from somebody; the row is the caller's to put. */
static enum collega_status add_gone(struct apply *apply, CollegaStore__OfferRow *row,
                                    uint64_t entry) {
  uint64_t *entries = arena_take(apply->arena, (row->n_gone_entries + 1) * sizeof *entries);
  if (!entries) return exchange_no_memory(apply->error);
  if (row->n_gone_entries)
    memcpy(entries, row->gone_entries, row->n_gone_entries * sizeof *entries);
  entries[row->n_gone_entries++] = entry;
  row->gone_entries = entries;
  return COLLEGA_OK;
}

/* The letter that took the former content from those who are named no longer: a restored broker may have lost it, and
 * not the former content. */
static enum collega_status keep_withdrawal(struct apply *apply, CollegaStore__OfferRow *row) {
  if (!row->mine || !row->has_status_entry ||
      row->state != COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN)
    return COLLEGA_OK;
  return add_gone(apply, row, row->status_entry);
}

static enum collega_status take_offer(struct apply *apply, const struct record *record,
                                      const struct receipt_position *position, bool by_mail,
                                      struct bytes private_part) {
  const Collega__OfferRevision *revision = record->body->offer;
  CollegaStore__OfferRow fresh = COLLEGA_STORE__OFFER_ROW__INIT, *row;
  enum collega_status status =
      offer_row(apply->txn, field_bytes(&revision->id), apply->arena, &row, apply->error);
  if (status == COLLEGA_NOT_FOUND) {
    row = &fresh;
    row->offer = revision->id;
    row->author = record->body->author;
    row->state = COLLEGA__OFFER_STATE__OFFER_STATE_OPEN;
    bool own = false;
    status = COLLEGA_OK;
    if (!apply->theirs)
      status =
          exchange_party_is_own(apply->txn, field_bytes(&record->body->author), &own, apply->error);
    row->mine = own;
  } else if (status == COLLEGA_OK && row->mine && row->refused && !row->position &&
             revision->revision == row->revision) {
    /* The same revision signed anew, under another number: it takes the place of the refused one. */
  } else if (status == COLLEGA_OK &&
             (!bytes_equal(field_bytes(&row->author), field_bytes(&record->body->author)) ||
              revision->revision <= row->revision)) {
    /* Somebody else's id, or nothing newer: what stands stays. The same revision again gives its
     * position. */
    if (!field_is(&row->content, &record->id) || row->position || !position) return COLLEGA_OK;
    row->position = position_new(apply->arena, position);
    return row->position ? offer_row_put(apply->txn, row, apply->error)
                         : exchange_no_memory(apply->error);
  }
  if (status == COLLEGA_OK) status = keep_withdrawal(apply, row);
  if (status != COLLEGA_OK) return status;
  row->revision = revision->revision;
  field_set_id(&row->content, &record->id);
  row->has_body = true;
  field_set(&row->body, record->bytes.data, record->bytes.length);
  row->has_body_at = row->has_body_length = apply->body_length > 0 && !row->mine;
  row->body_at = row->has_body_at ? apply->body_at : 0;
  row->body_length = row->has_body_at ? apply->body_length : 0;
  row->entry = apply->event->number;
  row->n_letter_entries = 0;
  row->position = position ? position_new(apply->arena, position) : NULL;
  if (position && !row->position) return exchange_no_memory(apply->error);
  row->refused = row->refused_words = NULL;
  if (row->mine) {
    status = refuse_of_revoked(apply, row);
    if (status != COLLEGA_OK) return status;
  }
  row->has_by_mail = row->by_mail = by_mail;
  if (private_part.data) {
    row->has_private_ = true;
    field_set(&row->private_, private_part.data, private_part.length);
  }
  status = offer_row_put(apply->txn, row, apply->error);
  return status == COLLEGA_OK ? list_mine(apply, row) : status;
}

static enum collega_status take_status(struct apply *apply, const struct record *record) {
  const Collega__OfferStatus *change = record->body->status;
  CollegaStore__OfferRow *row;
  enum collega_status status =
      offer_row(apply->txn, field_bytes(&change->id), apply->arena, &row, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK) return status;
  if (!bytes_equal(field_bytes(&row->author), field_bytes(&record->body->author)) ||
      change->number <= row->status_number)
    return COLLEGA_OK;
  /* About a content that is not here: it passed a filter that its content did not pass. */
  if (!bytes_equal(field_bytes(&row->content), field_bytes(&change->content)) &&
      change->state != COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN)
    return COLLEGA_OK;
  row->status_number = change->number;
  row->state = (uint32_t)change->state;
  row->has_filled_by_itself = row->filled_by_itself =
      apply->by_itself && change->state == COLLEGA__OFFER_STATE__OFFER_STATE_FILLED;
  row->has_status_entry = row->mine && row->by_mail;
  row->status_entry = row->has_status_entry ? apply->event->number : 0;
  return offer_row_put(apply->txn, row, apply->error);
}

enum collega_status apply_public(struct apply *apply, const struct record *record,
                                 const struct receipt_position *position, bool by_mail,
                                 struct bytes private_part) {
  if (record->body->offer) return take_offer(apply, record, position, by_mail, private_part);
  if (record->body->status) return take_status(apply, record);
  return COLLEGA_OK;
}

/* ---- members */

/* The receipt of the one leaf `index` of those that `receipt` covers, packed; empty: it does not
 * fit. */
static struct bytes receipt_of_one(const Collega__ReceiptRun *receipt, const struct run_view *view,
                                   size_t index, struct arena *arena) {
  struct bytes none = {NULL, 0};
  size_t size = receipt->tree_size, rest_count = 0;
  struct id *leaves = arena_take(arena, view->count * sizeof *leaves);
  struct id *rest = arena_take(arena, (receipt->n_rest + 1) * sizeof *rest);
  struct id *rest_out = arena_take(arena, size * sizeof *rest_out);
  ProtobufCBinaryData *fields = arena_take(arena, size * sizeof *fields);
  struct receipt_position position = {.time = receipt->time};
  if (!leaves || !rest || !rest_out || !fields ||
      !id_from(&position.origin, receipt->origin.data, receipt->origin.len) ||
      !epoch_from(&position.epoch, receipt->epoch.data, receipt->epoch.len))
    return none;
  for (size_t i = 0; i < view->count; i++) {
    position.seq = receipt->first_seq + (receipt->n_leaves ? receipt->leaves[i] : (uint32_t)i);
    receipt_leaf(&leaves[i], &position, &view->records[i].id);
  }
  for (size_t i = 0; i < receipt->n_rest; i++)
    if (!id_from(&rest[i], receipt->rest[i].data, receipt->rest[i].len)) return none;
  uint32_t picked = receipt->n_leaves ? receipt->leaves[index] : (uint32_t)index;
  if (!tree_cut(size, receipt->n_leaves ? receipt->leaves : NULL, leaves, view->count, rest,
                receipt->n_rest, &picked, 1, rest_out, &rest_count))
    return none;
  Collega__ReceiptRun cut = *receipt;
  cut.n_leaves = size == 1 ? 0 : 1;
  cut.leaves = size == 1 ? NULL : &picked;
  cut.n_rest = rest_count;
  cut.rest = rest_count ? fields : NULL;
  for (size_t i = 0; i < rest_count; i++)
    field_set_id(&fields[i], &rest_out[i]);
  return message_pack(&cut.base, arena);
}

/* The stored record gets its receipt, if it has none yet. */
static enum collega_status put_receipt(struct apply *apply, const struct id *subject,
                                       struct bytes body, struct bytes receipt) {
  ProtobufCMessage *message;
  struct bytes key = bytes_of(subject->byte, ID_BYTES);
  enum collega_status status =
      row_get(apply->txn, TABLE_PARTIES, key, &collega_store__party__descriptor, apply->arena,
              &message, apply->error);
  if (status != COLLEGA_OK) return status;
  CollegaStore__Party *party = (CollegaStore__Party *)message;
  for (size_t i = 0; i < party->n_records; i++) {
    CollegaStore__MemberRecord *record = party->records[i];
    const Collega__Run *run = (const Collega__Run *)row_unpack(
        &collega__run__descriptor, field_bytes(&record->run), apply->arena);
    if (!run || run->n_bodies != 1 || !bytes_equal(field_bytes(&run->bodies[0]), body)) continue;
    if (record->has_receipt) return COLLEGA_OK;
    record->has_receipt = true;
    field_set(&record->receipt, receipt.data, receipt.length);
    return row_put(apply->txn, TABLE_PARTIES, key, &party->base, apply->error);
  }
  return COLLEGA_OK;
}

/* A party that lives here may publish and send from now on. The board may be the first to bring its
 * certificate: to a home that was restored. */
static enum collega_status note_certified(struct apply *apply, const struct id *party) {
  CollegaStore__OwnParty *own;
  enum collega_status status =
      own_row(apply->txn, id_bytes(party), apply->arena, &own, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK || own->certified) return status;
  own->has_certified = own->certified = true;
  return own_row_put(apply->txn, own, apply->error);
}

enum collega_status apply_member(struct apply *apply, const struct run_view *view, size_t index,
                                 const Collega__ReceiptRun *receipt) {
  const struct record *record = &view->records[index];
  struct id subject;
  Collega__Run *run;
  uint32_t place = (uint32_t)index;
  struct receipt_position position, *at = NULL;
  if (!member_subject(record->body, &subject)) return exchange_row_damaged(apply->error, "members");
  enum collega_status status = run_cut(view, &place, 1, apply->arena, &run, apply->error);
  if (status != COLLEGA_OK) return status;
  if (receipt) {
    at = &position;
    position.seq = receipt->first_seq + (receipt->n_leaves ? receipt->leaves[index] : place);
    position.time = receipt->time;
    if (!id_from(&position.origin, receipt->origin.data, receipt->origin.len) ||
        !epoch_from(&position.epoch, receipt->epoch.data, receipt->epoch.len))
      return exchange_row_damaged(apply->error, "members");
  }
  apply->exchange->members_stale = true;
  if (record->body->cert) status = note_certified(apply, &subject);
  if (status != COLLEGA_OK) return status;
  status = ledger_member_put(apply->txn, &subject, run, at, apply->error);
  if (status != COLLEGA_OK || !receipt) return status;
  struct bytes packed = receipt_of_one(receipt, view, index, apply->arena);
  if (!packed.data)
    return arena_exhausted(apply->arena) ? exchange_no_memory(apply->error)
                                         : exchange_row_damaged(apply->error, "members");
  return put_receipt(apply, &subject, record->bytes, packed);
}

/* ---- what we publish */

static enum collega_status note_own(struct apply *apply, const struct record *record,
                                    uint64_t outbox) {
  struct own_record own = {
      .entry = apply->event->number, .outbox = outbox, .state = RECORD_WAITING};
  const ProtobufCBinaryData *offer = record->body->offer    ? &record->body->offer->id
                                     : record->body->status ? &record->body->status->id
                                                            : NULL;
  own.has_offer = offer && short_id_from(&own.offer, offer->data, offer->len);
  return own_record_put(apply->txn, &record->id, &own, apply->error);
}

enum collega_status apply_send_envelope(struct apply *apply, struct bytes envelope) {
  CollegaStore__OutboxItem item = COLLEGA_STORE__OUTBOX_ITEM__INIT;
  enum collega_status status = apply_envelope_item(apply, envelope, &item, NULL);
  return status == COLLEGA_OK ? apply_send(apply, &item, NULL) : status;
}

/* It was sent, and erased since: only its number in the outbox is given out again, and its answer, which
 * stands later in the chain, takes it away. */
enum collega_status apply_send_erased(struct apply *apply, const ProtobufCBinaryData *hash,
                                      const ProtobufCBinaryData *deal) {
  CollegaStore__OutboxItem item = COLLEGA_STORE__OUTBOX_ITEM__INIT;
  item.kind = COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_SEND;
  item.key = *hash;
  item.open = 1;
  item.has_deal = deal != NULL;
  if (deal) item.deal = *deal;
  return apply_send(apply, &item, NULL);
}

/* When the run as a whole is of no use any more: the latest not-after of its records; false:
 * never. */
static bool run_not_after(const struct run_view *view, collega_time *out) {
  *out = 0;
  for (size_t i = 0; i < view->count; i++) {
    if (!view->records[i].body->has_not_after) return false;
    if (view->records[i].body->not_after > *out) *out = view->records[i].body->not_after;
  }
  return true;
}

enum collega_status apply_own_records(struct apply *apply) {
  ProtobufCMessage *message;
  enum collega_status status =
      apply_payload(apply, &collega_store__own_records__descriptor, &message);
  if (status != COLLEGA_OK) return status;
  const CollegaStore__OwnRecords *own = (const CollegaStore__OwnRecords *)message;
  bool mail_only = own->has_mail_only && own->mail_only;
  apply->by_itself = own->has_by_itself && own->by_itself;
  struct run_view view;
  uint64_t outbox = 0;
  status = run_read_bytes(field_bytes(&own->run), apply->arena, &view, apply->error);
  if (status == COLLEGA_OK && !mail_only) {
    CollegaStore__OutboxItem item = COLLEGA_STORE__OUTBOX_ITEM__INIT;
    item.kind = COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_PUBLISH;
    item.data = own->run;
    field_set_id(&item.key, &view.records[0].id);
    item.open = (uint32_t)view.count;
    item.has_not_after = run_not_after(&view, &item.not_after);
    status = apply_send(apply, &item, &outbox);
  }
  for (size_t i = 0; status == COLLEGA_OK && i < own->n_envelopes; i++)
    status = apply_send_envelope(apply, field_bytes(&own->envelopes[i]));
  for (size_t i = 0; status == COLLEGA_OK && i < view.count; i++) {
    struct bytes private_part = {NULL, 0};
    if (i < own->n_privates && own->privates[i].len > 0)
      private_part = field_bytes(&own->privates[i]);
    if (!mail_only) status = note_own(apply, &view.records[i], outbox);
    if (status != COLLEGA_OK) break;
    status = body_is_members_class(view.records[i].body)
                 ? apply_member(apply, &view, i, NULL)
                 : apply_public(apply, &view.records[i], NULL, mail_only, private_part);
  }
  return status;
}

/* ---- the board */

struct offers_of {
  struct arena *arena; /* of one row */
  const ProtobufCBinaryData *author;
  struct short_id *offer;
  size_t count, capacity;
  bool no_memory;
};

static bool visit_offer_of(void *context, struct bytes key, struct bytes value) {
  struct offers_of *found = context;
  arena_reset(found->arena);
  const CollegaStore__OfferRow *row = (const CollegaStore__OfferRow *)row_unpack(
      &collega_store__offer_row__descriptor, value, found->arena);
  if (!row || !bytes_equal(field_bytes(&row->author), field_bytes(found->author))) return true;
  if (found->count == found->capacity) {
    size_t capacity = found->capacity ? 2 * found->capacity : 64;
    struct short_id *grown = realloc(found->offer, capacity * sizeof *grown);
    found->no_memory = !grown;
    if (!grown) return false;
    found->offer = grown;
    found->capacity = capacity;
  }
  return !short_id_from(&found->offer[found->count], key.data, key.length) || ++found->count;
}

/* Somebody else's goes. Of a party that lives here the row stays, for itself alone: it is refused, as the broker
 * refuses it, so that none of its neighbours sees or matches it. */
static enum collega_status drop_offer(struct apply *apply, const struct short_id *offer, bool own,
                                      struct arena *arena) {
  CollegaStore__OfferRow *row;
  struct bytes key = bytes_of(offer->byte, SHORT_ID_BYTES);
  if (!own) return table_delete(apply->txn, TABLE_OFFERS, key, apply->error);
  arena_reset(arena);
  enum collega_status status = offer_row(apply->txn, key, arena, &row, apply->error);
  if (status != COLLEGA_OK) return status;
  row->refused = (char *)(uintptr_t)rule_name(RULE_offer_of_revoked);
  row->refused_words = NULL;
  return offer_row_put(apply->txn, row, apply->error);
}

/* Nobody stands behind the offers of a member that was revoked. Deals about them end by themselves. */
static enum collega_status drop_offers_of(struct apply *apply, const ProtobufCBinaryData *author,
                                          bool own) {
  struct offers_of found = {.arena = exchange_arena(), .author = author};
  if (!found.arena) return exchange_no_memory(apply->error);
  enum collega_status status = table_each(apply->txn, TABLE_OFFERS, bytes_of(NULL, 0), NULL,
                                          visit_offer_of, &found, apply->error);
  if (status == COLLEGA_OK && found.no_memory) status = exchange_no_memory(apply->error);
  for (size_t i = 0; status == COLLEGA_OK && i < found.count; i++)
    status = drop_offer(apply, &found.offer[i], own, found.arena);
  free(found.offer);
  arena_destroy(&found.arena);
  return status;
}

static enum collega_status take_revocation(struct apply *apply,
                                           const Collega__Revocation *revocation) {
  CollegaStore__OwnParty *own;
  enum collega_status status =
      own_row(apply->txn, field_bytes(&revocation->party), apply->arena, &own, apply->error);
  bool ours = status == COLLEGA_OK;
  if (ours) {
    own->has_revoked = own->revoked = true;
    status = own_row_put(apply->txn, own, apply->error);
  }
  return status == COLLEGA_OK || status == COLLEGA_NOT_FOUND
             ? drop_offers_of(apply, &revocation->party, ours)
             : status;
}

/* A record of ours is receipted where the board has it. One that only the board knew (this home was restored): should
 * the broker lose it one day, this entry is where it stands. */
static enum collega_status note_ours(struct apply *apply, const struct record *record,
                                     const struct receipt_position *position) {
  struct own_record own;
  enum collega_status status =
      own_record_get(apply->txn, id_bytes(&record->id), &own, apply->error);
  if (status == COLLEGA_NOT_FOUND) status = note_own(apply, record, 0);
  return status == COLLEGA_OK ? apply_receipted(apply, &record->id, position) : status;
}

static enum collega_status take_board_record(struct apply *apply, const struct run_view *view,
                                             size_t index, const Collega__ReceiptRun *receipt,
                                             const struct receipt_position *position) {
  const struct record *record = &view->records[index];
  enum collega_status status = COLLEGA_OK;
  if (record->body->epoch_start &&
      bytes_equal(field_bytes(&record->body->author), field_bytes(&receipt->origin)))
    status = apply_epoch_start(apply, record->body->epoch_start, &receipt->origin);
  if (status == COLLEGA_OK) {
    status = body_is_members_class(record->body)
                 ? apply_member(apply, view, index, receipt)
                 : apply_public(apply, record, position, false, bytes_of(NULL, 0));
  }
  if (status == COLLEGA_OK && record->body->revocation)
    status = take_revocation(apply, record->body->revocation);
  return status;
}

/* The bodies of a board's entry where they stand in its payload, in the order in which they are read. */
struct bodies {
  struct bytes payload, runs,
      bodies; /* all of it; what is left of its runs, and of the run's fields */
};

#define FIELD_BOARD_RUNS    5u
#define FIELD_BOARD_RUN_RUN 1u
#define FIELD_RUN_BODIES    7u

/* Moves `from` on behind its next field of that number, which becomes *content. */
static bool field_next(struct bytes *from, uint32_t wanted, struct bytes *content) {
  uint32_t number;
  while (wire_next(from, &number, content))
    if (number == wanted) return true;
  return false;
}

static bool bodies_next_run(struct bodies *walk) {
  struct bytes run;
  return field_next(&walk->runs, FIELD_BOARD_RUNS, &run) &&
         field_next(&run, FIELD_BOARD_RUN_RUN, &walk->bodies);
}

/* False: the payload is not what was read. */
static bool bodies_next(struct bodies *walk, struct apply *apply, struct bytes expected) {
  struct bytes body;
  if (!field_next(&walk->bodies, FIELD_RUN_BODIES, &body) || body.length != expected.length)
    return false;
  apply->body_at = (uint64_t)(body.data - walk->payload.data);
  apply->body_length = (uint32_t)body.length;
  return true;
}

/* `rows` holds what one record needs, and is emptied for the next. */
static enum collega_status take_board_run(struct apply *apply, const struct run_view *view,
                                          const Collega__ReceiptRun *receipt, struct bodies *bodies,
                                          struct arena *rows) {
  struct receipt_position position = {.time = receipt->time};
  struct arena *content = apply->arena;
  bool ours = false; /* all records of a run are by its signer */
  if (!id_from(&position.origin, receipt->origin.data, receipt->origin.len) ||
      !epoch_from(&position.epoch, receipt->epoch.data, receipt->epoch.len))
    return exchange_row_damaged(apply->error, "board");
  enum collega_status status =
      exchange_party_is_own(apply->txn, id_bytes(&view->signer), &ours, apply->error);
  if (status == COLLEGA_OK && !bodies_next_run(bodies))
    return exchange_row_damaged(apply->error, "board");
  apply->arena = rows;
  apply->theirs = !ours;
  for (size_t i = 0; status == COLLEGA_OK && i < view->count; i++) {
    if (!bodies_next(bodies, apply, view->records[i].bytes))
      status = exchange_row_damaged(apply->error, "board");
    if (status != COLLEGA_OK || view->records[i].refused != NULL)
      continue; /* of a rule the broker does not know yet */
    arena_reset(rows);
    position.seq = receipt->first_seq + (receipt->n_leaves ? receipt->leaves[i] : (uint32_t)i);
    if (ours) status = note_ours(apply, &view->records[i], &position);
    if (status == COLLEGA_OK) status = take_board_record(apply, view, i, receipt, &position);
  }
  apply->arena = content;
  apply->theirs = false;
  apply->body_length = 0;
  return status;
}

/* The broker says that the offer no longer fits the filter, or is gone. Our own stay: their
 * state is ours. So does a later revision that fits again, which may stand before the tombstone
 * in one frame. */
static enum collega_status take_tombstone(struct apply *apply,
                                          const Collega__Tombstone *tombstone) {
  CollegaStore__OfferRow *row;
  enum collega_status status =
      offer_row(apply->txn, field_bytes(&tombstone->offer), apply->arena, &row, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK || row->mine || row->by_mail) return status;
  if (row->position && row->position->seq > tombstone->seq) return COLLEGA_OK;
  return table_delete(apply->txn, TABLE_OFFERS, field_bytes(&row->offer), apply->error);
}

static enum collega_status move_log_cursor(struct apply *apply, const ProtobufCBinaryData *origin,
                                           const ProtobufCBinaryData *epoch, uint64_t seq) {
  CollegaStore__BrokerRow *broker;
  enum collega_status status = exchange_broker(apply->txn, apply->arena, &broker, apply->error);
  if (status != COLLEGA_OK) return status;
  if (!broker || !bytes_equal(field_bytes(&broker->broker), field_bytes(origin)))
    return exchange_row_damaged(apply->error, "brokers");
  broker->has_log_epoch = broker->has_log_seq = true;
  broker->log_epoch = *epoch;
  broker->log_seq = seq;
  return broker_row_put(apply->txn, broker, apply->error);
}

static enum collega_status read_board(struct apply *apply, const Collega__Board **board) {
  ProtobufCMessage *message = NULL;
  enum collega_status status = COLLEGA_OK;
  if (apply->read) {
    *board = apply->read->board;
    return COLLEGA_OK;
  }
  status = apply_payload(apply, &collega__board__descriptor, &message);
  *board = (const Collega__Board *)message;
  return status;
}

static enum collega_status take_board(struct apply *apply, const Collega__Board *board,
                                      struct arena *rows) {
  const struct bytes payload = apply->event->payload;
  struct bodies bodies = {payload, payload, {NULL, 0}};
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; status == COLLEGA_OK && i < board->n_runs; i++) {
    const Collega__BoardRun *run = board->runs[i];
    struct run_view read;
    if (!apply->read) status = run_read(run->run, apply->arena, &read, apply->error);
    if (status == COLLEGA_OK)
      status = take_board_run(apply, apply->read ? &apply->read->view[i] : &read, run->receipt,
                              &bodies, rows);
  }
  for (size_t i = 0; status == COLLEGA_OK && i < board->n_tombstones; i++)
    status = take_tombstone(apply, board->tombstones[i]);
  return status;
}

enum collega_status apply_board(struct apply *apply) {
  const Collega__Board *board = NULL;
  struct arena *rows = exchange_arena();
  if (!rows) return exchange_no_memory(apply->error);
  enum collega_status status = read_board(apply, &board);
  if (status == COLLEGA_OK) status = take_board(apply, board, rows);
  arena_destroy(&rows);
  return status == COLLEGA_OK
             ? move_log_cursor(apply, &board->origin, &board->epoch, board->through)
             : status;
}

/* ---- starting anew */

struct foreign_offers {
  struct bytes origin;
  struct arena *arena;
  struct short_id *id;
  size_t count, capacity;
  bool failed;
};

static bool visit_foreign(void *context, struct bytes key, struct bytes value) {
  struct foreign_offers *list = context;
  const CollegaStore__OfferRow *row = (const CollegaStore__OfferRow *)row_unpack(
      &collega_store__offer_row__descriptor, value, list->arena);
  if (!row) {
    list->failed = true;
  } else if (!row->mine && !row->by_mail && row->position &&
             bytes_equal(field_bytes(&row->position->origin), list->origin)) {
    if (list->count == list->capacity) {
      size_t capacity = list->capacity ? 2 * list->capacity : 256;
      struct short_id *grown = realloc(list->id, capacity * sizeof *grown);
      if (!grown)
        list->failed = true;
      else {
        list->id = grown;
        list->capacity = capacity;
      }
    }
    if (!list->failed && short_id_from(&list->id[list->count], key.data, key.length)) list->count++;
  }
  arena_reset(list->arena);
  return !list->failed;
}

static enum collega_status drop_foreign(struct apply *apply, struct bytes origin) {
  struct foreign_offers list = {.origin = origin, .arena = exchange_arena()};
  if (!list.arena) return exchange_no_memory(apply->error);
  enum collega_status status = table_each(apply->txn, TABLE_OFFERS, bytes_of(NULL, 0), NULL,
                                          visit_foreign, &list, apply->error);
  if (status == COLLEGA_OK && list.failed) status = exchange_no_memory(apply->error);
  for (size_t i = 0; status == COLLEGA_OK && i < list.count; i++)
    status = table_delete(apply->txn, TABLE_OFFERS, bytes_of(list.id[i].byte, SHORT_ID_BYTES),
                          apply->error);
  free(list.id);
  arena_destroy(&list.arena);
  return status;
}

enum collega_status apply_reset(struct apply *apply) {
  ProtobufCMessage *message;
  enum collega_status status = apply_payload(apply, &collega__reset__descriptor, &message);
  if (status != COLLEGA_OK) return status;
  const Collega__Reset *reset = (const Collega__Reset *)message;
  status = drop_foreign(apply, field_bytes(&reset->origin));
  return status == COLLEGA_OK ? move_log_cursor(apply, &reset->origin, &reset->epoch, 0) : status;
}

/* A changed filter starts anew: what the former one brought goes, and the cursor with it. */
enum collega_status apply_filter(struct apply *apply) {
  CollegaStore__BrokerRow *broker;
  enum collega_status status = exchange_broker(apply->txn, apply->arena, &broker, apply->error);
  if (status != COLLEGA_OK) return status;
  if (!broker) return exchange_row_damaged(apply->error, "brokers");
  status = drop_foreign(apply, field_bytes(&broker->broker));
  broker->has_log_filter = apply->event->payload.length > 0;
  field_set(&broker->log_filter, apply->event->payload.data, apply->event->payload.length);
  broker->has_log_epoch = broker->has_log_seq = false;
  broker->log_seq = 0;
  return status == COLLEGA_OK ? broker_row_put(apply->txn, broker, apply->error) : status;
}
