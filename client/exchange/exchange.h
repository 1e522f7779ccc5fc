/* The exchange: offers and deals on top of the ledger, and the one door in for what the link delivers.
 *
 * Every change is: check, then one ledger transaction {chain entry with payload, derived rows, outbox}. The
 * derived rows are written only by exchange_apply (apply.c), which the live path and `ledger rebuild` share.
 * The command line, the library and the daemon all use this; only the daemon calls the functions of
 * "daemon's side". Nothing here knows a socket. */
#ifndef COLLEGA_CLIENT_EXCHANGE_H
#define COLLEGA_CLIENT_EXCHANGE_H
#include "client/ledger/holds.h"
#include "client/ledger/ledger.h"
#include "client/ledger/outbox.h"
#include "proto/invitation.h"
#include "proto/letter.h"
#include "proto/link.pb-c.h"
#include "proto/terms.h"

struct exchange;

/* ---- homes. A node's home: home (kind "node"), ledger/, parties/ID/identity, settings.ini, lock, changed. */
struct node_init {
  const char *home, *name, *kvk;
  const char *signatory, *function; /* NULL: no mandate; both or neither */
};
/* Makes home, identity of the host party (with link key), ledger, first mandate (published when joined). */
enum collega_status node_init(const struct node_init *init, collega_time now, struct id *party,
                              char recovery_text[RECOVERY_TEXT_BYTES],
                              struct collega_error *error) COLLEGA_MUST_CHECK;
/* The home of a party whose home is lost, from its recovery key and an invitation that brings it back (`collega-broker
 * invite --recover`). It is behind, whatever the broker has seen of the lost one, and fetches what there is.
 * COLLEGA_REFUSED invitation_no_recovery, recover_hosted, recovery_other; COLLEGA_INVALID recovery_text;
 * COLLEGA_EXISTS: there is a home already. Nothing is made then. The token is stored by join_store_token. */
enum collega_status node_recover(const char *home, const char *token, const char *recovery_text,
                                 collega_time now, struct id *party,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status exchange_open(const char *home, struct exchange **out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
/* The same on a ledger that is open already, and stays the caller's: several exchanges of one process, each for one
 * thread at a time, share it. */
enum collega_status exchange_open_on(struct ledger *ledger, struct exchange **out,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
void exchange_close(struct exchange **exchange);
struct ledger *exchange_ledger(struct exchange *exchange);
const struct id *exchange_host(const struct exchange *exchange); /* the host party */
/* All parties that live here, the host first. */
size_t exchange_party_count(const struct exchange *exchange);
const struct id *exchange_party_at(const struct exchange *exchange, size_t index);
/* NULL: not ours. Holds until a transaction begins. */
struct identity *exchange_identity(struct exchange *exchange, const struct id *party);
/* Members as this ledger knows them, through the transaction given. */
struct members *exchange_members(struct exchange *exchange, struct ledger_txn *txn);

/* ---- joining */
enum collega_status join_store_token(struct exchange *exchange, const char *token,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* ---- parties that this home hosts (parties.c) */
#define PARTIES_MOST      1024
#define PARTIES_MOST_TEXT "1024"
struct party_init {
  const char *name, *kvk;
  const char *signatory, *function; /* NULL: no mandate; both or neither */
};
/* Makes identity and first mandate of a party that this home hosts, with the token by which the broker will certify
 * it; whatever it signs waits until then. A party with this KvK number that still waits for its certificate gets
 * another token: then *made is false, and there is no recovery text. COLLEGA_EXISTS party_here_already;
 * COLLEGA_REFUSED host_not_joined, joined_other, invitation_own_home, invitation_other_host, invitation_party. */
enum collega_status party_add(struct exchange *exchange, const struct party_init *init,
                              const char *token, collega_time now, struct id *party,
                              char recovery_text[RECOVERY_TEXT_BYTES], bool *made,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
enum party_state {
  PARTY_UNCERTIFIED, /* and no invitation waits */
  PARTY_INVITED,     /* the broker has not answered yet */
  PARTY_REFUSED,     /* by the broker: *why */
  PARTY_CERTIFIED,
  PARTY_LAPSED, /* its certificate is over */
  PARTY_REVOKED
};
enum party_renewal {
  RENEWAL_NONE,
  RENEWAL_DUE,    /* the certificate ends within CERT_NOTICE_MS, or is over */
  RENEWAL_WAITS,  /* a token is here, and the broker has not answered yet */
  RENEWAL_REFUSED /* by the broker: why */
};
struct party_standing {
  enum party_state state;
  enum party_renewal renewal; /* of a member */
  collega_time valid_until;   /* of its newest certificate; 0: it has none */
  struct collega_error why;   /* PARTY_REFUSED, RENEWAL_REFUSED: the broker's reason */
};
enum collega_status party_standing(struct exchange *exchange, struct ledger_txn *txn,
                                   const struct id *party, collega_time now, struct arena *arena,
                                   struct party_standing *out,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* Stores the token of an invitation that renews the certificate of a hosted party: of `wanted`, or (NULL) of
 * the one that the invitation names. *party: whose. COLLEGA_NOT_FOUND party_not_here; COLLEGA_REFUSED
 * party_not_certified (party_add is for those), party_was_revoked, and as party_add. */
enum collega_status party_renew(struct exchange *exchange, const struct id *wanted,
                                const char *token, struct id *party,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* The party's token that waits (in the arena), NULL: none. */
enum collega_status party_invitation(struct exchange *exchange, const struct id *party,
                                     struct arena *arena, Collega__Invitation **out,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
bool party_token_waits(const struct exchange *exchange, const struct id *party);
/* Did the broker refuse the last token of the party, a member already or hosted? *why: its reason. */
bool party_token_refused(const struct exchange *exchange, const struct id *party,
                         struct collega_error *why);
/* The broker joined, NULL: none yet. */
enum collega_status exchange_broker(struct ledger_txn *txn, struct arena *arena,
                                    CollegaStore__BrokerRow **out,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- offers */
struct offer_input {
  const Collega__Offer *offer;
  const Collega__OfferPrivate *private_part;
};
/* The labour-market region of a place: the one that is given; else that of its postcode area, where that is certain
 * (a share of 1.00). NULL: no place in the Netherlands, or no postcode. region_needed: the area lies in several. */
enum collega_status offer_region(const Collega__Place *place, const char **out,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* Checks all first (field paths begin with "[i]." when count > 1), then one transaction: sequences, one
 * signed run per 4,096, entries, outbox. audience named: goes as sealed mail to those parties. Nothing is
 * stored when one is wrong. ids: count entries. place.region is filled in as offer_region says. */
enum collega_status offer_publish(struct exchange *exchange, const struct id *party,
                                  const struct offer_input *inputs, size_t count, collega_time now,
                                  struct short_id *ids,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
/* The same, but an offer whose private reference an own one has that is neither withdrawn nor expired is left out:
 * ids[i] names that one, and already[i] is true. References within `inputs` are not held against each other. */
enum collega_status offer_publish_once(struct exchange *exchange, const struct id *party,
                                       const struct offer_input *inputs, size_t count,
                                       collega_time now, struct short_id *ids, bool *already,
                                       struct collega_error *error) COLLEGA_MUST_CHECK;
/* The offer that a record of our own is about. COLLEGA_NOT_FOUND, no words: none, or not ours. */
enum collega_status offer_of_record(struct ledger_txn *txn, struct bytes record,
                                    struct short_id *out,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
/* Another state, by a status record: OPEN resumes what was paused or filled; WITHDRAWN is for good. Own offers
 * only: COLLEGA_REFUSED offer_not_yours; offer_already: it is in that state, was withdrawn, or is expired. What was
 * signed before stands. */
enum collega_status offer_set_state(struct exchange *exchange, const struct id *party,
                                    const struct short_id *offer, Collega__OfferState state,
                                    collega_time now,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
/* A new content revision; its number in *revision. Checked as at publish; besides: the kind stays
 * (offer_kind_stays), and no day may offer less than what is agreed and held then (offer_below_holds: the first such
 * day, what stands, what it would offer). Without a private part the former stays. Whoever is in the audience no more
 * gets a withdrawal. */
enum collega_status offer_revise(struct exchange *exchange, const struct id *party,
                                 const struct short_id *offer, const struct offer_input *input,
                                 collega_time now, uint32_t *revision,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* Would it point at one person? One person lent out or leaving, at a named establishment, with two or more required
 * credentials or a full postcode. */
bool offer_points_at_one(const Collega__Offer *offer);
/* The body's offer, in the arena. */
enum collega_status offer_of_row(const CollegaStore__OfferRow *row, struct arena *arena,
                                 Collega__Offer **out,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* Open, paused, filled, withdrawn, or expired by `now`. */
Collega__OfferState offer_state(const CollegaStore__OfferRow *row, const Collega__Offer *offer,
                                collega_time now);
/* Its name in documents: "open", "paused", "filled", "withdrawn", "expired". */
const char *offer_state_text(Collega__OfferState state);

/* ---- deals: what the user does. Each writes a draft act; the daemon signs it when it is up to date. */
struct proposal {
  const struct id *match; /* or: */
  const struct short_id
      *to_offer; /* without own_offer a capacity entry to fit stands in for our side */
  const struct short_id
      *own_offer;     /* with to_offer: these two, whether or not they were found as a match */
  uint32_t headcount; /* 0: as much as both offers have, by the smaller */
  collega_date from, until;
  bool has_from, has_until;
  uint32_t hours_per_week; /* 0: the smaller of both maxima */
  char *const *slots;      /* parts of the week, "mon-am"; none: those of the borrower's offer */
  size_t slot_count;
  int64_t rate_cents;
  bool has_rate;
  const Collega__Terms *terms; /* NULL, or more terms; what is given above wins */
  const struct id *mandate;    /* NULL: the only one that covers it, else not named */
  collega_time accept_by;      /* 0: three working days */
};
enum collega_status deal_propose(struct exchange *exchange, const struct id *party,
                                 const struct proposal *proposal, collega_time now, struct id *deal,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status deal_accept(struct exchange *exchange, const struct id *party,
                                const struct id *deal, const struct id *mandate, collega_time now,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status deal_decline(struct exchange *exchange, const struct id *party,
                                 const struct id *deal, collega_time now,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status deal_withdraw(struct exchange *exchange, const struct id *party,
                                  const struct id *deal, collega_time now,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
/* ---- changes of a deal or agreement (propose_change.c, deal_changes.c). `deal`: any of its negotiation.
 * A new proposal with `replaces`: same root and decider; what is not given stays as in `deal`. */
enum collega_status deal_counter(struct exchange *exchange, const struct id *party,
                                 const struct id *deal, const struct proposal *proposal,
                                 collega_time now, struct id *counter,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* A proposal with `amends`, after the last decision held; what is not given stays as agreed. Its headcount holds on all
 * its days: while a part that one party ended has yet to end, it must be given (amend_headcount). */
enum collega_status deal_amend(struct exchange *exchange, const struct id *party,
                               const struct id *deal, const struct proposal *proposal,
                               collega_time now, struct id *amendment,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* `effective` is the last day. headcount 0: all who are left; else how many fewer, from 1 to one less than that
 * (COLLEGA_REFUSED terminate_headcount, field "headcount"). *last: the deal whose terms hold. */
enum collega_status deal_terminate(struct exchange *exchange, const struct id *party,
                                   const struct id *deal, collega_date effective,
                                   uint32_t headcount, const struct id *mandate, collega_time now,
                                   struct id *last, struct collega_error *error) COLLEGA_MUST_CHECK;
/* Of `headcount` people in its terms, those whom the deal is about on `day`. DATE_OPEN: those who go on once every
 * part of it that one party ended has ended. */
uint32_t deal_people(const CollegaStore__DealRow *row, uint32_t headcount, collega_date day);
enum deal_release { DEAL_RELEASE_ASK, DEAL_RELEASE_SIGN, DEAL_RELEASE_KEEP };
enum collega_status deal_release(struct exchange *exchange, const struct id *party,
                                 const struct id *deal, enum deal_release what, collega_time now,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* ---- talk (talk.c): binds nobody. *envelope: hash of what was sent; zero: nobody is told. */
enum collega_status match_interest(struct exchange *exchange, const struct id *party,
                                   const struct id *match, const char *text, collega_time now,
                                   struct id *envelope,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status match_decline(struct exchange *exchange, const struct id *party,
                                  const struct id *match, collega_time now, struct id *envelope,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
/* `draft` may be NULL, or `text`. */
enum collega_status talk_send(struct exchange *exchange, const struct id *party,
                              const struct id *thread, const char *text,
                              const Collega__Terms *draft, collega_time now, struct id *envelope,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
/* With whom; COLLEGA_NOT_FOUND, no words: nobody has begun it. */
enum collega_status talk_counterparty(struct ledger_txn *txn, const struct id *party,
                                      const struct id *thread, struct arena *arena,
                                      struct id *counterparty,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
/* "suggested", "interested", "answered", "declined" or "lapsed", by now. *mine: we showed interest. */
enum collega_status match_state(struct ledger_txn *txn, const struct id *party,
                                const struct id *match, collega_time now, struct arena *arena,
                                const char **state, bool *mine,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
struct talk_line {
  collega_time time;
  bool mine;
  const Collega__Interest *interest; /* one of the two; in the arena */
  const Collega__Talk *talk;
  bool erased; /* the words are gone */
};
/* Judges every signature that the chain holds, by the cards that are known here; ledger_verify has judged
 * the hashes. COLLEGA_DAMAGED entry_signature names the first entry that does not stand. progress may be
 * NULL. */
enum collega_status exchange_verify(struct exchange *exchange,
                                    void (*progress)(void *, uint64_t, uint64_t), void *context,
                                    uint64_t *signatures,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
/* What was said, in the order in which it was said. visit returns false to stop. */
enum collega_status talk_each(struct ledger_txn *txn, const struct id *party,
                              const struct id *thread, struct arena *arena,
                              bool (*visit)(void *context, const struct talk_line *line),
                              void *context, struct collega_error *error) COLLEGA_MUST_CHECK;
/* What the user sees: "draft" .. "terminated", "releasing"; "active" and "ended" from the dates of a concluded one. */
const char *deal_state_name(const CollegaStore__DealRow *row, const Collega__Terms *terms,
                            collega_date today);
/* The proof of a concluded deal as file bytes in the arena; `hide` is a mask of sections (terms.h). Only one that
 * verifies is given. COLLEGA_UNREACHABLE: something that belongs to it has not come in yet - the other's letter
 * (rules proof_acceptance, proof_gap, proof_end), or what the board brings (proof_not_yet). COLLEGA_FORGED: it
 * does not verify, the rule says why. COLLEGA_REFUSED: it is no agreement. COLLEGA_NOT_FOUND: there is no such
 * deal. */
enum collega_status deal_prove(struct exchange *exchange, const struct id *party,
                               const struct id *deal, unsigned hide, collega_time now,
                               struct arena *arena, struct bytes *file,
                               struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- replay. context: struct exchange *. Deterministic: depends on the event and the tables only. */
enum collega_status exchange_apply(struct ledger_txn *txn, const struct ledger_event *event,
                                   void *context, struct collega_error *error);

/* ---- daemon's side */
struct told_head {
  bool any;
  struct ledger_head head;
}; /* what this broker was told last, in this session */
/* The host's card whose link key the session is opened with (keys.h): the one that Hello shows. */
void exchange_set_link_card(struct exchange *exchange, uint32_t number);
/* Hello (packed ToBroker), Join. */
enum collega_status exchange_hello(struct exchange *exchange, struct arena *arena,
                                   struct bytes *frame,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* A hosted party that has a token and no certificate. Another process may have added it: its keys are loaded. */
enum collega_status parties_joining(struct exchange *exchange, struct id *party, bool *any,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
/* The broker does not take a hosted party: its token goes, and party_standing tells why. */
void party_invitation_refused(struct exchange *exchange, const struct id *party,
                              const struct collega_error *why);
enum collega_status exchange_join(struct exchange *exchange, const struct id *party,
                                  struct arena *arena, struct bytes *frame,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
/* What of the board is followed, as texts of the settings: values between commas or blanks; empty or NULL: all. Kept
 * until the exchange is closed. COLLEGA_INVALID names the setting. */
struct follow_texts {
  const char *kinds, *occupations, *regions, *sectors;
};
enum collega_status exchange_set_filter(struct exchange *exchange, const struct follow_texts *texts,
                                        struct collega_error *error) COLLEGA_MUST_CHECK;
/* Follow what the filter lets through, from the stored cursor. Another filter than before starts anew: an entry that
 * drops what the board brought. */
enum collega_status exchange_follow(struct exchange *exchange, struct arena *arena,
                                    struct bytes *frame,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
struct intake_outcome {
  bool joined; /* a certificate came: reconnect with the own link key */
  bool behind; /* Welcome: the broker has seen a head that this ledger does not hold */
  bool welcomed;
  bool
      caught_up; /* was behind, has fetched all and follows on the broker's head: begin a new session */
  bool
      fenced; /* the broker refused a message for its head: another instance of this home went on */
  bool frame_due;
  struct bytes frame; /* something to send at once (Ack), in the arena */
  uint64_t settled_first,
      settled_last; /* outbox numbers settled, 0: none; for the in-flight window */
};
/* The one door in: a guarded frame. One ledger transaction at most; effects of deals included. Verifies
 * everything it stores. A frame that does not verify: COLLEGA_FORGED, nothing stored (the daemon logs and
 * reconnects); mail that cannot be opened is recorded and acknowledged; mail that outran its sender's card waits in
 * memory, unacknowledged, for the board. `told` is updated by Welcome. */
enum collega_status intake_frame(struct exchange *exchange, const Collega__FromBroker *frame,
                                 struct bytes packed, collega_time now, struct told_head *told,
                                 struct arena *arena, struct intake_outcome *outcome,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* From now on signatures of a large frame of the board are judged by all cores, in threads that end with the call. For
 * programs that may have threads: libcollega starts none. */
void exchange_use_all_cores(struct exchange *exchange);
/* Frames that each bring a part of the board, in the order in which they came, in one transaction: a commit costs what
 * it costs, however much it holds. *taken is how many of them are done with: what they brought is in the ledger. With a
 * status other than COLLEGA_OK the frame after those was refused, as intake_frame would, and left no trace. With
 * COLLEGA_OK and *taken below `count` the next one is to be given again. `outcome` is of all that were taken. */
enum collega_status intake_boards(struct exchange *exchange,
                                  const Collega__FromBroker *const *frames, size_t count,
                                  collega_time now, struct told_head *told, struct arena *arena,
                                  size_t *taken, struct intake_outcome *outcome,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
/* Signs every draft act that may be signed now (room checked again), drops those past accept_by; asks the decider
 * about all open deals after a Welcome, else about those past accept_by; marks offers that are filled (or no
 * more), and withdraws those whose newest revision expired before the board had it. Without `welcomed` it does
 * nothing. How many acts were signed is told in *signed_acts. A deal that cannot be worked on does not stop the
 * others: the first error is returned. */
enum collega_status exchange_sign(struct exchange *exchange, collega_time now, bool welcomed,
                                  uint32_t *signed_acts,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
/* The next outbox item after `after` as a packed ToBroker with this ledger's head, told->head moved on. *number
 * 0: nothing waits. Items past their not-after are marked lapsed. */
enum collega_status exchange_next_frame(struct exchange *exchange, uint64_t after, collega_time now,
                                        struct told_head *told, struct arena *arena,
                                        struct bytes *frame, uint32_t *records, uint64_t *number,
                                        struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
