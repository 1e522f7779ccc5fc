/* Inside the room: a proposal while it is drawn up. */
#ifndef COLLEGA_CLIENT_EXCHANGE_PROPOSE_H
#define COLLEGA_CLIENT_EXCHANGE_PROPOSE_H
#include "client/exchange/deal_rows.h"

struct side {
  CollegaStore__OfferRow *row; /* NULL: a capacity made to fit */
  Collega__Offer *offer;
  const char *name;
};

struct drawing {
  struct exchange *exchange;
  struct ledger_txn *txn;
  const struct id *party;
  const struct proposal *wanted;
  collega_time now;
  struct arena *arena;
  struct collega_error *error;
  struct side mine, theirs;
  struct id thread, counterparty;
  bool lends;
  const Collega__OfferPrivate *private_part; /* NULL: none */
  Collega__TermsWork work;                   /* headcount, days and hours as chosen */
  struct short_id capacity;                  /* of the one made to fit */
  CollegaStore__BrokerRow *broker;
  /* A counter-proposal, or an amendment: what it starts from. */
  const struct deal_view *base; /* NULL: from two offers alone */
  Collega__Terms *base_terms;
  bool amends;
  struct id agreement, predecessor; /* amends: the deal that was concluded, and the last decision */
};

/* propose.c */
/* One side's offer with its author's name; COLLEGA_NOT_FOUND: offer_unknown. Whether it is open is
 * for the caller to judge. */
enum collega_status propose_load_offer(struct drawing *drawing, struct bytes offer,
                                       struct side *side) COLLEGA_MUST_CHECK;
/* Both sides loaded: chooses, checks, and appends the draft. */
enum collega_status propose_draw(struct drawing *drawing, struct id *deal) COLLEGA_MUST_CHECK;
/* propose_change.c: with a base; the thread, sides and counterparty are those of the base. */
enum collega_status propose_load_base(struct drawing *drawing) COLLEGA_MUST_CHECK;

/* propose_terms.c: the terms from both offers, the private part, the user's file and options;
 * checked. */
enum collega_status propose_terms(struct drawing *drawing, Collega__Terms **out) COLLEGA_MUST_CHECK;
#endif
