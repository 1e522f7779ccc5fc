/* Inside the room: one deal's act while the daemon signs it. */
#ifndef COLLEGA_CLIENT_EXCHANGE_SIGNING_H
#define COLLEGA_CLIENT_EXCHANGE_SIGNING_H
#include "client/exchange/deal_rows.h"

struct signing {
  struct exchange *exchange;
  struct ledger_txn *txn;
  collega_time now;
  struct arena *arena;
  struct deal_view view;
  const struct identity *identity;
  uint32_t *signed_acts;
  bool ask_later; /* the question that was due waits for a letter of ours that is not sent yet */
  struct collega_error *error;
};

/* signing.c */
/* The act will not be signed any more: an entry says why. */
enum collega_status signing_drop(struct signing *signing, CollegaStore__ActKind kind,
                                 const struct collega_error *why) COLLEGA_MUST_CHECK;
/* The entry of a signed act; `envelope` without data: nothing goes to the other side. */
enum collega_status signing_append(struct signing *signing, CollegaStore__ActKind kind,
                                   Collega__Run *run, struct bytes envelope) COLLEGA_MUST_CHECK;
/* A letter to the other side with the run and, when one is named, the mandate. */
enum collega_status signing_seal(struct signing *signing, Collega__Run *run, bool named,
                                 const ProtobufCBinaryData *mandate, Collega__SaltedTerms *terms,
                                 struct bytes *envelope) COLLEGA_MUST_CHECK;
/* Does the mandate that is named cover the deal's people now? COLLEGA_REFUSED: *why says what to do (mandate_lapsed);
 * none named: COLLEGA_OK. */
enum collega_status signing_mandate(struct signing *signing, bool named,
                                    const ProtobufCBinaryData *mandate,
                                    struct collega_error *why) COLLEGA_MUST_CHECK;
/* sign_changes.c: TERMINATE, RELEASE and its answer, written and signed at once. */
enum collega_status sign_change(struct signing *signing,
                                const CollegaStore__DealAct *act) COLLEGA_MUST_CHECK;
#endif
