/* Where a deal stands. What may be done follows from the state as the user sees it; the exchange judges again when it
 * is done. */
#include "client/library/deal_steps.h"

#include <string.h>

#include "client/exchange/deal_machine.h"

const char *deal_awaited_text(enum deal_awaited awaited) {
  switch (awaited) {
  case AWAITED_NOBODY:
    return "nobody";
  case AWAITED_US:
    return "us";
  case AWAITED_OTHER:
    return "other";
  case AWAITED_DECIDER:
    return "decider";
  case AWAITED_NODE:
    return "node";
  }
  return "nobody";
}

static void may(struct deal_steps *out, const char *next) {
  if (out->count < DEAL_STEPS_MOST) out->next[out->count++] = next;
}

/* A proposal that binds and is not decided. Past accept_by only the decider can end it. */
static void proposed(const struct view *view, const CollegaStore__DealRow *row,
                     struct deal_steps *out) {
  bool asked = row->withdraw_sent || row->accept_by < view->now;
  out->awaited = asked ? AWAITED_DECIDER : AWAITED_OTHER;
  if (!asked) may(out, "withdraw");
  may(out, "talk");
}

static void received(const struct view *view, const CollegaStore__DealRow *row,
                     struct deal_steps *out) {
  if (row->decline_sent || row->accept_by < view->now) {
    out->awaited = AWAITED_DECIDER;
    return;
  }
  out->awaited = AWAITED_US;
  may(out, "accept");
  may(out, "decline");
  may(out, "counter");
  may(out, "talk");
}

static void concluded(const struct view *view, const CollegaStore__DealRow *row,
                      const Collega__Terms *terms, struct deal_steps *out) {
  const CollegaStore__RootRow *root = view_root(view, row);
  bool over = terms && terms->work && terms->work->has_until &&
              terms->work->until < date_of_time(view->now);
  bool ending = root && root->terminate_wanted;
  if (ending) out->awaited = AWAITED_DECIDER;
  may(out, "prove");
  if (over || ending) return;
  may(out, "amend");
  may(out, "terminate");
  may(out, "talk");
}

/* True: the release is what it is about now. */
static bool releasing(const CollegaStore__DealRow *row, struct deal_steps *out) {
  switch ((enum release_phase)row->release_state) {
  case RELEASE_RECEIVED:
    out->awaited = AWAITED_US;
    may(out, "release --sign");
    may(out, "release --keep");
    return true;
  case RELEASE_ASKED:
    out->awaited = AWAITED_OTHER;
    return true;
  case RELEASE_NONE:
  case RELEASE_SIGNED:
  case RELEASE_KEPT:
  case RELEASE_KEPT_BY_OTHER:
  case RELEASE_DONE:
    break;
  }
  return false;
}

void deal_steps_read(const struct view *view, const CollegaStore__DealRow *row,
                     const Collega__Terms *terms, struct deal_steps *out) {
  *out = (struct deal_steps){.awaited = AWAITED_NOBODY};
  bool ended = row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_VOID ||
               row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RELEASED;
  if (row->has_act && !ended) {
    out->awaited = AWAITED_NODE;
    if (row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_DRAFT) may(out, "withdraw");
    return;
  }
  if (!ended && releasing(row, out)) return;
  switch (row->state) {
  case COLLEGA_STORE__DEAL_STATE__DEAL_STATE_DRAFT:
    out->awaited = AWAITED_NODE;
    may(out, "withdraw");
    break;
  case COLLEGA_STORE__DEAL_STATE__DEAL_STATE_PROPOSED:
    proposed(view, row, out);
    break;
  case COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RECEIVED:
    received(view, row, out);
    break;
  case COLLEGA_STORE__DEAL_STATE__DEAL_STATE_PENDING:
    out->awaited = AWAITED_DECIDER;
    break;
  case COLLEGA_STORE__DEAL_STATE__DEAL_STATE_CONCLUDED:
    concluded(view, row, terms, out);
    break;
  case COLLEGA_STORE__DEAL_STATE__DEAL_STATE_TERMINATED:
    may(out, "prove");
    break;
  case COLLEGA_STORE__DEAL_STATE__DEAL_STATE_VOID:
  case COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RELEASED:
  case _COLLEGA_STORE__DEAL_STATE_IS_INT_SIZE:
    break;
  }
}

/* ---- the negotiation, and what is held */

const CollegaStore__RootRow *view_root(const struct view *view, const CollegaStore__DealRow *row) {
  uint8_t key[2 * ID_BYTES];
  ProtobufCMessage *root = NULL;
  if (row->party.len != ID_BYTES || row->root.len != ID_BYTES) return NULL;
  memcpy(key, row->party.data, ID_BYTES);
  memcpy(key + ID_BYTES, row->root.data, ID_BYTES);
  if (row_get(view->txn, TABLE_ROOTS, bytes_of(key, sizeof key),
              &collega_store__root_row__descriptor, view->arena, &root, NULL) != COLLEGA_OK)
    return NULL;
  return (const CollegaStore__RootRow *)root;
}

const ProtobufCBinaryData *view_amended_by(const struct view *view,
                                           const CollegaStore__DealRow *row) {
  const CollegaStore__RootRow *root = view_root(view, row);
  bool agreed = row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_CONCLUDED ||
                row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_TERMINATED;
  if (!agreed || !root || !root->has_last_deal ||
      bytes_equal(bytes_of(root->last_deal.data, root->last_deal.len),
                  bytes_of(row->deal.data, row->deal.len)))
    return NULL;
  return &root->last_deal;
}

const Collega__OfferRef *view_own_side(const struct view *view, const CollegaStore__DealRow *row) {
  const Collega__DealHeader *header = view_header(view, row);
  if (!header) return NULL;
  return row->lends ? header->edges[0]->lends : header->edges[0]->borrows;
}

const CollegaStore__Capacity *view_capacity(const struct view *view,
                                            const CollegaStore__DealRow *row) {
  ProtobufCMessage *message = NULL;
  const Collega__OfferRef *own = view_own_side(view, row);
  if (!own || !own->has_capacity ||
      row_get(view->txn, TABLE_CAPACITIES, bytes_of(own->capacity.data, own->capacity.len),
              &collega_store__capacity__descriptor, view->arena, &message, NULL) != COLLEGA_OK)
    return NULL;
  return (const CollegaStore__Capacity *)message;
}

const CollegaStore__Hold *view_hold(const struct view *view, const CollegaStore__DealRow *row) {
  const Collega__OfferRef *own = view_own_side(view, row);
  struct id party, root, deal;
  struct short_id subject;
  CollegaStore__Hold *hold = NULL;
  if (!own || !id_from(&party, row->party.data, row->party.len) ||
      !id_from(&root, row->root.data, row->root.len) ||
      !id_from(&deal, row->deal.data, row->deal.len))
    return NULL;
  ProtobufCBinaryData bytes = own->has_capacity ? own->capacity : own->offer;
  if (!short_id_from(&subject, bytes.data, bytes.len) ||
      holds_find(view->txn, &party, &subject, &root, &deal, view->arena, &hold, NULL) != COLLEGA_OK)
    return NULL;
  return hold;
}

Collega__OfferKind view_deal_kind(const CollegaStore__DealRow *row, const Collega__Terms *terms) {
  bool transfer = terms && terms->work && terms->work->has_kind &&
                  (terms->work->kind == COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_OUT ||
                   terms->work->kind == COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_IN);
  if (transfer)
    return row->lends ? COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_OUT
                      : COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_IN;
  return row->lends ? COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT
                    : COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN;
}
