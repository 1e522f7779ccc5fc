/* From an entry of the chain to what it is about. What cannot be read tells nothing: it was judged before it became an
 * entry, and `collega ledger verify` is there for what was damaged since. */
#include "client/library/event_touch.h"

#include <string.h>

#include "base/words.h"
#include "proto/guard.h"
#include "proto/record.h"

struct touching {
  const struct view *view;
  const struct ledger_event *event;
  struct touches *out;
};

static struct bytes field(const ProtobufCBinaryData *data) {
  return bytes_of(data->data, data->len);
}

static struct touch *add(struct touching *touching, enum touch_kind kind) {
  struct touches *out = touching->out;
  struct touch *list =
      array_grow(touching->view->arena, out->list, out->count, &out->capacity, sizeof *list);
  out->failed = out->failed || !list;
  if (!list) return NULL;
  out->list = list;
  memset(&list[out->count], 0, sizeof *list);
  list[out->count].kind = kind;
  return &list[out->count++];
}

static void touch_offer(struct touching *touching, struct bytes id, const char *what) {
  struct short_id offer;
  if (!short_id_from(&offer, id.data, id.length)) return;
  struct touch *touch = add(touching, TOUCH_OFFER);
  if (!touch) return;
  touch->offer = offer;
  touch->what = what;
}

static void touch_deal(struct touching *touching, struct bytes id) {
  struct id deal;
  if (!id_from(&deal, id.data, id.length)) return;
  for (size_t i = 0; i < touching->out->count; ++i)
    if (touching->out->list[i].kind == TOUCH_DEAL && id_equal(&touching->out->list[i].id, &deal))
      return;
  struct touch *touch = add(touching, TOUCH_DEAL);
  if (touch) touch->id = deal;
}

/* One decision moves the others of its negotiation too. */
static void touch_root(struct touching *touching, struct bytes root) {
  ProtobufCMessage *row = NULL;
  uint8_t key[2 * ID_BYTES];
  if (root.length != ID_BYTES) return;
  memcpy(key, touching->view->party.byte, ID_BYTES);
  memcpy(key + ID_BYTES, root.data, ID_BYTES);
  if (row_get(touching->view->txn, TABLE_ROOTS, bytes_of(key, sizeof key),
              &collega_store__root_row__descriptor, touching->view->arena, &row,
              NULL) != COLLEGA_OK)
    return;
  const CollegaStore__RootRow *found = (const CollegaStore__RootRow *)row;
  for (size_t i = 0; i < found->n_deals; ++i)
    touch_deal(touching, field(&found->deals[i]));
}

static void touch_talk(struct touching *touching, const Collega__Body *body,
                       struct bytes counterparty) {
  struct id thread, other;
  const ProtobufCBinaryData *id = body->talk ? &body->talk->thread : &body->interest->thread;
  if (!id_from(&thread, id->data, id->len) ||
      !id_from(&other, counterparty.data, counterparty.length))
    return;
  struct touch *touch = add(touching, TOUCH_TALK);
  if (!touch) return;
  touch->id = thread;
  touch->counterparty = other;
  touch->line = (struct talk_line){
      touching->event->time,
      bytes_equal(field(&body->author), bytes_of(touching->event->party->byte, ID_BYTES)),
      body->interest, body->talk, touching->event->reduced};
}

static const ProtobufCMessage *unpack(struct touching *touching,
                                      const ProtobufCMessageDescriptor *type, struct bytes bytes) {
  return bytes.data ? row_unpack(type, bytes, touching->view->arena) : NULL;
}

static const Collega__Body *body_of(struct touching *touching, struct bytes bytes) {
  return (const Collega__Body *)unpack(touching, &collega__body__descriptor, bytes);
}

/* ---- the kinds of entries */

static bool is_ours(struct touching *touching, const Collega__Body *body) {
  return bytes_equal(field(&body->author), bytes_of(touching->view->party.byte, ID_BYTES));
}

static void offers_of_run(struct touching *touching, const Collega__Run *run, bool board) {
  for (size_t i = 0; i < run->n_bodies; ++i) {
    const Collega__Body *body = body_of(touching, field(&run->bodies[i]));
    if (!body || (!body->offer && !body->status)) continue;
    /* What comes back to its author is the broker's word that it has it. */
    bool receipt = board && is_ours(touching, body);
    const ProtobufCBinaryData *id = body->offer ? &body->offer->id : &body->status->id;
    touch_offer(touching, field(id), receipt ? "receipted" : body->offer ? "content" : "state");
  }
}

static void touch_board(struct touching *touching) {
  const Collega__Board *board = (const Collega__Board *)unpack(
      touching, &collega__board__descriptor, touching->event->payload);
  for (size_t i = 0; board && i < board->n_runs; ++i)
    offers_of_run(touching, board->runs[i]->run, true);
  for (size_t i = 0; board && i < board->n_tombstones; ++i)
    touch_offer(touching, field(&board->tombstones[i]->offer), "gone");
}

static void touch_own(struct touching *touching) {
  const CollegaStore__OwnRecords *own = (const CollegaStore__OwnRecords *)unpack(
      touching, &collega_store__own_records__descriptor, touching->event->payload);
  const Collega__Run *run =
      own ? (const Collega__Run *)unpack(touching, &collega__run__descriptor, field(&own->run))
          : NULL;
  if (run) offers_of_run(touching, run, false);
}

static void touch_receipts(struct touching *touching) {
  const Collega__Receipts *receipts = (const Collega__Receipts *)unpack(
      touching, &collega__receipts__descriptor, touching->event->payload);
  struct short_id offer;
  for (size_t i = 0; receipts && i < receipts->n_ids; ++i)
    if (offer_of_record(touching->view->txn, field(&receipts->ids[i]), &offer, NULL) == COLLEGA_OK)
      touch_offer(touching, bytes_of(offer.byte, SHORT_ID_BYTES), "receipted");
}

/* Refused: the outbox keeps it, marked. */
static void touch_item(struct touching *touching, const CollegaStore__OutboxItem *item,
                       const char *rule, char *const *arguments, size_t count) {
  if (item && !bytes_equal(field(&item->party), bytes_of(touching->view->party.byte, ID_BYTES)))
    return;
  struct touch *touch = add(touching, TOUCH_REFUSED);
  if (!touch) return;
  touch->rule = rule;
  touch->arguments = arguments;
  touch->argument_count = count;
  touch->has_deal = item && item->has_deal && id_from(&touch->id, item->deal.data, item->deal.len);
  if (touch->has_deal) touch_deal(touching, field(&item->deal));
}

static void touch_refused(struct touching *touching) {
  const Collega__Refusal *refusal = (const Collega__Refusal *)unpack(
      touching, &collega__refusal__descriptor, touching->event->payload);
  const struct view *view = touching->view;
  struct short_id offer;
  struct id which;
  CollegaStore__OutboxItem *item = NULL;
  /* Only its number was taken: it goes again under another. */
  if (!refusal || refusal->code == COLLEGA__REFUSAL_CODE__REFUSAL_CODE_SEQUENCE_TAKEN ||
      !id_from(&which, refusal->which.data, refusal->which.len))
    return;
  if (offer_of_record(view->txn, field(&refusal->which), &offer, NULL) == COLLEGA_OK) {
    touch_offer(touching, bytes_of(offer.byte, SHORT_ID_BYTES), "refused");
    return;
  }
  if (outbox_find(view->txn, &which, view->arena, &item, NULL) != COLLEGA_OK) item = NULL;
  touch_item(touching, item, refusal->rule, refusal->arguments, refusal->n_arguments);
}

static void touch_lapsed(struct touching *touching) {
  const struct view *view = touching->view;
  CollegaStore__OutboxItem *item = NULL;
  if (touching->event->payload.length != 8 ||
      outbox_get(view->txn, get_be64(touching->event->payload.data), view->arena, &item, NULL) !=
          COLLEGA_OK)
    return;
  touch_item(touching, item, rule_name(RULE_lapsed), NULL, 0);
}

static void touch_decision(struct touching *touching, const Collega__Decision *decision) {
  touch_deal(touching, field(&decision->deal));
  touch_root(touching, field(&decision->root));
}

static void touch_record(struct touching *touching, const Collega__Body *body, struct bytes bytes,
                         struct bytes counterparty) {
  struct id record;
  if (body->offer) touch_offer(touching, field(&body->offer->id), "content");
  if (body->status) touch_offer(touching, field(&body->status->id), "state");
  if (body->interest || body->talk) touch_talk(touching, body, counterparty);
  if (body->deal) {
    record_id(&record, bytes);
    touch_deal(touching, bytes_of(record.byte, ID_BYTES));
  }
  if (body->acceptance) touch_deal(touching, field(&body->acceptance->deal));
  if (body->terminate) touch_deal(touching, field(&body->terminate->deal));
  if (body->release) touch_deal(touching, field(&body->release->deal));
  if (body->release_answer) touch_root(touching, field(&body->release_answer->root));
  if (body->decision) touch_decision(touching, body->decision);
}

static void touch_mail(struct touching *touching) {
  const CollegaStore__MailIn *mail = (const CollegaStore__MailIn *)unpack(
      touching, &collega_store__mail_in__descriptor, touching->event->payload);
  if (mail && mail->problem) {
    struct touch *touch = add(touching, TOUCH_UNREADABLE);
    if (touch) touch->rule = mail->problem;
    return;
  }
  const Collega__Letter *letter =
      mail && mail->has_letter ? (const Collega__Letter *)unpack(
                                     touching, &collega__letter__descriptor, field(&mail->letter))
                               : NULL;
  if (!letter || !touching->event->party) return;
  bool copy = mail->has_own_copy && mail->own_copy;
  for (size_t i = 0; i < letter->n_runs; ++i) {
    if (letter->runs[i]->n_bodies != 1) continue;
    struct bytes bytes = field(&letter->runs[i]->bodies[0]);
    const Collega__Body *body = body_of(touching, bytes);
    if (body) touch_record(touching, body, bytes, field(copy ? &letter->to : &letter->from));
  }
}

static void touch_decision_in(struct touching *touching) {
  const Collega__Run *run =
      (const Collega__Run *)unpack(touching, &collega__run__descriptor, touching->event->payload);
  const Collega__Body *body =
      run && run->n_bodies == 1 ? body_of(touching, field(&run->bodies[0])) : NULL;
  if (body && body->decision) touch_decision(touching, body->decision);
}

static void touch_said(struct touching *touching) {
  const CollegaStore__MatchAct *act = (const CollegaStore__MatchAct *)unpack(
      touching, &collega_store__match_act__descriptor, touching->event->payload);
  const Collega__Run *run =
      act && act->has_run && act->has_counterpart && touching->event->party
          ? (const Collega__Run *)unpack(touching, &collega__run__descriptor, field(&act->run))
          : NULL;
  const Collega__Body *body =
      run && run->n_bodies == 1 ? body_of(touching, field(&run->bodies[0])) : NULL;
  if (body && (body->interest || body->talk)) touch_talk(touching, body, field(&act->counterpart));
}

void touches_of(const struct view *view, const struct ledger_event *event, struct touches *out) {
  struct touching touching = {view, event, out};
  memset(out, 0, sizeof *out);
  if (event->erased) return;
  switch (event->kind) {
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_BOARD:
    touch_board(&touching);
    return;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_OWN_RECORDS:
    touch_own(&touching);
    return;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RECEIPTS:
    touch_receipts(&touching);
    return;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_REFUSED:
    touch_refused(&touching);
    return;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_LAPSED:
    touch_lapsed(&touching);
    return;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_IN:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_BAD:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FETCHED:
    touch_mail(&touching);
    return;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_DECISION_IN:
    touch_decision_in(&touching);
    return;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_DRAFT:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_SIGNED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ACT_DROPPED:
    if (event->record) touch_deal(&touching, bytes_of(event->record->byte, ID_BYTES));
    return;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MATCH_ACT:
    touch_said(&touching);
    return;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_JOINED:
    add(&touching, TOUCH_JOINED);
    return;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RESET:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FILTER:
    add(&touching, TOUCH_BOARD_RESET);
    return;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_GENESIS:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_PARTY:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_EPOCH:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_STORED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_WELCOME:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_QUESTION:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ADOPTED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_SEALED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RESTORED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ERASED:
  case _COLLEGA_STORE__ENTRY_KIND_IS_INT_SIZE:
    return;
  }
}
