/* Inside the room: what publishing an offer and changing one share. */
#ifndef COLLEGA_CLIENT_EXCHANGE_OFFER_INSIDE_H
#define COLLEGA_CLIENT_EXCHANGE_OFFER_INSIDE_H
#include "client/exchange/inside.h"

#define AUDIENCE_MOST 32

/* ---- offers.c */
struct prepared {
  Collega__Offer offer; /* as it will be published; its parts are the caller's */
  Collega__Place place;
  const Collega__OfferPrivate *private_part;
  struct short_id id; /* the caller's to fill */
};
/* All checks that need no ledger; fills region and expires. `out` must stay where it is. */
enum collega_status offer_prepare(const struct offer_input *input, collega_time now,
                                  struct prepared *out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- offer_batch.c: records on their way to the board, or by mail to those named */
struct audience {
  bool named; /* else the network: nobody is listed */
  struct id party[AUDIENCE_MOST];
  char kvk[AUDIENCE_MOST][9];
  size_t count;
};
bool audience_is_named(const char *text); /* NULL: the network */
/* Whom the text names. For a new content by `author` all of them must be members in force now (audience_unknown names
 * the first who is not), and somebody else than the author (audience_only_you); NULL: those who are known. */
enum collega_status audience_read(struct exchange *exchange, struct ledger_txn *txn,
                                  const char *text, const struct id *author, collega_time now,
                                  struct audience *out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
bool audience_has(const struct audience *audience, const struct id *party);

/* Bodies of one signed run, all by `party`. The first five are the caller's to set. */
struct offer_batch {
  struct exchange *exchange;
  struct ledger_txn *txn;
  const struct id *party;
  collega_time now;
  struct arena *arena;
  struct bytes *bodies;
  ProtobufCBinaryData *privates;
  size_t count, bytes;
  struct id first;
  bool by_itself; /* of the next entry: no user asked for it */
};
/* `count`: about how many bodies are to come. */
enum collega_status offer_batch_begin(struct offer_batch *batch, size_t count,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
/* A content revision; its record id in *record (may be NULL). A full batch is published first. */
enum collega_status offer_batch_revision(struct offer_batch *batch, const struct prepared *prepared,
                                         uint32_t number, struct id *record,
                                         struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status offer_batch_status(struct offer_batch *batch, const struct short_id *offer,
                                       uint32_t number, Collega__OfferState state,
                                       const struct id *content,
                                       struct collega_error *error) COLLEGA_MUST_CHECK;
/* Signs what the batch holds as one tree and appends it as one entry; an empty batch is nothing.
 * To the board, or as one letter (at most 16 records) to each of the audience but the author. */
enum collega_status offer_batch_publish(struct offer_batch *batch,
                                        struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status offer_batch_mail(struct offer_batch *batch, const struct audience *to,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- offer_once.c */
/* Which of the prepared have a reference that an own offer has: already[i] is set, and the id is that offer's. */
enum collega_status offer_once_mark(struct ledger_txn *txn, const struct id *party,
                                    struct prepared *prepared, size_t count, collega_time now,
                                    struct arena *arena, bool *already,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- offer_changes.c */
/* A status record by this node itself: `offer` is full, or is no longer, or (WITHDRAWN: also of one that is
 * expired) the board shows what it is no more. */
enum collega_status offer_state_by_itself(struct exchange *exchange, const struct short_id *offer,
                                          Collega__OfferState state, collega_time now,
                                          struct collega_error *error) COLLEGA_MUST_CHECK;

#endif
