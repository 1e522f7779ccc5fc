/* Inside the room: a deal as its row says it, its negotiation as the machine wants it, and the
 * room it takes. */
#ifndef COLLEGA_CLIENT_EXCHANGE_DEAL_ROWS_H
#define COLLEGA_CLIENT_EXCHANGE_DEAL_ROWS_H
#include "client/exchange/deal_machine.h"
#include "client/exchange/inside.h"

struct deal_view {
  CollegaStore__DealRow *row;
  const Collega__Body *body;
  const Collega__DealHeader *header;
  const Collega__Edge *edge;
  struct id deal, root, party, counterparty, decider;
  const Collega__OfferRef *own, *other; /* what each side brings */
};
/* COLLEGA_NOT_FOUND without words: no such deal. */
enum collega_status deal_view_read(struct ledger_txn *txn, const struct id *party,
                                   const struct id *deal, struct arena *arena,
                                   struct deal_view *out,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* Fills the view from a row that is complete but need not be stored. */
enum collega_status deal_view_of(CollegaStore__DealRow *row, struct arena *arena,
                                 struct deal_view *out,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* The terms that the row has salted. */
enum collega_status deal_terms(const CollegaStore__DealRow *row, struct arena *arena,
                               Collega__Terms **out,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* What the deal holds of this party's offer or capacity. Borrows from the view. */
enum collega_status deal_row_hold(const struct deal_view *view, struct arena *arena,
                                  CollegaStore__Hold *out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
void offer_capacity(const Collega__Offer *offer, struct capacity *out);
/* An amendment offers the days that it adds; how many people a day stays as it was. */
void capacity_cover(struct capacity *capacity, const CollegaStore__Hold *wanted);
/* Judges whether the deal still fits what this party offers. *fits: the offer stands (perhaps
 * revised) and allows these hours; *room: days and people are free. `why` gets the words when
 * there is no room. */
enum collega_status deal_room(struct ledger_txn *txn, const struct deal_view *view,
                              collega_time now, struct arena *arena, bool *fits, bool *room,
                              struct collega_error *why,
                              struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- negotiation_store.c */
/* A root that has no row yet gives an empty negotiation and *row NULL. `welcomed` is set:
 * whether it is true is for the caller to know. */
enum collega_status negotiation_load(struct ledger_txn *txn, const struct id *party,
                                     const struct id *root, struct arena *arena,
                                     struct negotiation *out, CollegaStore__RootRow **row,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* Writes back the root's row, and the deals of it that changed. */
enum collega_status negotiation_store(struct ledger_txn *txn, const struct negotiation *negotiation,
                                      CollegaStore__RootRow *row, struct arena *arena,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
/* How many negotiations about this match have come to an agreement, or to release. */
enum collega_status negotiation_count_closed(struct ledger_txn *txn, const struct id *party,
                                             const struct id *thread, uint64_t *out,
                                             struct collega_error *error) COLLEGA_MUST_CHECK;
/* The event that a header makes, as DRAFT or PROPOSAL. */
void header_event(const struct deal_view *view, enum deal_event_kind kind, collega_time now,
                  struct deal_event *out);
/* The event that a verified decision makes; voids live in the arena. */
enum collega_status decision_event(const struct record *record, collega_time now,
                                   struct arena *arena, struct deal_event *out,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- apply_deals.c: what the other appliers of deals share */
/* One event on a root: machine, holds, rows. */
enum collega_status apply_deal_step(struct apply *apply, const struct id *root,
                                    const struct deal_event *event) COLLEGA_MUST_CHECK;
/* The row of a header's body before the machine has spoken: its state is written by
 * apply_add_deal. */
enum collega_status apply_new_row(struct apply *apply, struct bytes body, bool mine,
                                  CollegaStore__DealRow *row,
                                  struct deal_view *view) COLLEGA_MUST_CHECK;
/* Stores the row as a deal of its root; `kind` DRAFT or PROPOSAL. */
enum collega_status apply_add_deal(struct apply *apply, const struct deal_view *view,
                                   enum deal_event_kind kind) COLLEGA_MUST_CHECK;

/* ---- apply_changes.c: TERMINATE, RELEASE and its answer */
/* Such an act is signed whatever the deal has become. */
bool act_outlives_deal(CollegaStore__ActKind kind);
enum collega_status apply_draft_change(struct apply *apply,
                                       const CollegaStore__DealAct *act) COLLEGA_MUST_CHECK;
/* The machine wants one signed: it waits on the deal's row. */
enum collega_status apply_change_wanted(struct apply *apply, const struct deal_view *view,
                                        const struct deal_effect *effect) COLLEGA_MUST_CHECK;
enum collega_status apply_signed_change(struct apply *apply, struct deal_view *view,
                                        const CollegaStore__SignedAct *act,
                                        const struct record *record) COLLEGA_MUST_CHECK;
/* One that came by letter. */
enum collega_status apply_change_in(struct apply *apply,
                                    const struct run_view *run) COLLEGA_MUST_CHECK;
/* A copy of a TERMINATE, RELEASE or answer of our own, fetched after a restore. */
enum collega_status apply_change_copy(struct apply *apply, const struct run_view *run,
                                      bool letter) COLLEGA_MUST_CHECK;
/* The RELEASE that the root's answer answers: ours, or theirs. *both false: not both are here. */
enum collega_status release_pair(const CollegaStore__RootRow *root, struct arena *arena,
                                 const ProtobufCBinaryData **asked, bool *both,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* Both signatures to the decider, once both are here. */
enum collega_status apply_lodge_release(struct apply *apply,
                                        const struct id *root_id) COLLEGA_MUST_CHECK;
/* Parts of a deal ended: they stand with it, and each tells whether its notice was too short. */
enum collega_status apply_reductions(struct apply *apply, struct deal_view *view,
                                     const struct deal_effect *effect) COLLEGA_MUST_CHECK;
/* The daemon gave up a wish to end a part: `why`. */
enum collega_status apply_terminate_dropped(struct apply *apply, const struct deal_view *view,
                                            const char *why) COLLEGA_MUST_CHECK;
/* After a decision was taken: the last day, and whether the notice was too short. */
enum collega_status apply_termination(struct apply *apply, const struct id *root_id,
                                      const Collega__Decision *decision) COLLEGA_MUST_CHECK;

/* ---- shared by what comes in and what is fetched: apply_deals_in.c, apply_signed.c, intake_deals.c */
/* The acceptance beside its deal; of several the decided one counts, and the others are kept. */
enum collega_status apply_keep_acceptance(struct apply *apply,
                                          const struct run_view *run) COLLEGA_MUST_CHECK;
/* Is a decision, as event, of an epoch that still counts for its root? */
enum collega_status decision_counts(struct ledger_txn *txn, const struct id *party,
                                    const struct id *root, const struct deal_event *event,
                                    struct arena *arena, bool *out,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
/* Asks the decider: the deal's header, then these runs. The header must have been signed. */
enum collega_status apply_send_runs(struct apply *apply, const struct deal_view *view,
                                    const ProtobufCBinaryData *runs, size_t count,
                                    const struct id *key) COLLEGA_MUST_CHECK;
/* The same with one act. No header that was signed: COLLEGA_DAMAGED. */
enum collega_status apply_send_request(struct apply *apply, const struct deal_view *view,
                                       struct bytes act_run,
                                       const struct id *act) COLLEGA_MUST_CHECK;
/* The envelope of entry view->row->letter_entry, or any other letter about the deal, to its
 * recipient. */
enum collega_status apply_send_letter(struct apply *apply, const struct deal_view *view,
                                      struct bytes envelope) COLLEGA_MUST_CHECK;
/* Our mandate's run goes beside the deal. */
enum collega_status apply_add_mandate(struct apply *apply, CollegaStore__DealRow *row,
                                      const struct id *party, protobuf_c_boolean named,
                                      const ProtobufCBinaryData *mandate) COLLEGA_MUST_CHECK;

/* ---- deals.c */
/* The stored run of one of the party's records of class members; empty: not there. */
enum collega_status exchange_member_run(struct ledger_txn *txn, const struct id *party,
                                        const struct id *record, struct arena *arena,
                                        struct bytes *run,
                                        struct collega_error *error) COLLEGA_MUST_CHECK;
/* Appends a draft act; `act` complete. */
enum collega_status exchange_append_act(struct exchange *exchange, struct ledger_txn *txn,
                                        const struct id *party, const struct id *deal,
                                        CollegaStore__DealAct *act, collega_time now,
                                        struct arena *arena,
                                        struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status exchange_append_dropped(struct exchange *exchange, struct ledger_txn *txn,
                                            const struct id *party, const struct id *deal,
                                            CollegaStore__ActKind kind, enum rule why,
                                            collega_time now, struct arena *arena,
                                            struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- acceptances: a home that was restored in between may sign anew, and the decision names one of them */
#define OTHER_ACCEPTANCES_MOST 8u
/* Keeps an acceptance's run beside the others of the deal, once each. `counts`: it takes the place of the one that
 * counted so far. What is one too many is left out. Nothing is put yet; `run` must live as long as `row` is used. */
enum collega_status deal_row_accepted(CollegaStore__DealRow *row, const ProtobufCBinaryData *run,
                                      bool counts, struct arena *arena,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
bool deal_row_holds_acceptance(const CollegaStore__DealRow *row, struct bytes run);
#endif
