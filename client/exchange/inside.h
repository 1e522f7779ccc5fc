/* Inside the room: what its files share. Not for other rooms. */
#ifndef COLLEGA_CLIENT_EXCHANGE_INSIDE_H
#define COLLEGA_CLIENT_EXCHANGE_INSIDE_H
#include "client/exchange/exchange.h"
#include "proto/limits.h"

/* One call's work: frames are 1 MiB, a bulk import is many. */
#define WORK_FIRST_BYTES (64u * 1024u)
#define WORK_ARENA_BYTES ((size_t)256 * 1024 * 1024)
/* Of what goes over all entries: a frame of the board, unpacked. Not touched until it is needed. */
#define REPLAY_FIRST_BYTES ((size_t)16 * 1024 * 1024)

#define MATCHER_CURSOR "matcher" /* client/match/matcher.h */

/* Mail frames whose sender's card has not come from the board yet, packed. They wait in memory
 * alone: what is not acknowledged comes again in the next session. */
#define HELD_MAIL_FRAMES 32
#define CARD_WAIT_MS     (3 * MINUTE_MS) /* a board that is quiet says so every minute */
struct held_mail {
  uint8_t *data;
  size_t length;
  collega_time since; /* how long a letter may wait for a card that it names: CARD_WAIT_MS */
};

/* What a node that is behind its broker does before anything else, one after the other: reads the
 * board to its end, then for each party fetches what it sent, what it received, and all decisions on
 * its deals; and the three again, because an acceptance needs its proposal, and the answer to a
 * question the question, until a round brings nothing more. */
enum catch_up_phase {
  CATCH_UP_NOT,
  CATCH_UP_BOARD,
  CATCH_UP_COPIES,
  CATCH_UP_MAIL,
  CATCH_UP_DECISIONS,
  CATCH_UP_OVER /* until the next session: what mail this one brought beside it was left alone */
};
#define CATCH_UP_ROUNDS 16 /* more than any negotiation needs: its letters alternate */
struct catch_up {
  enum catch_up_phase phase;
  size_t party;            /* index in `identities` */
  uint64_t board;          /* the log's end at Welcome */
  struct epoch epoch;      /* of log and mailboxes */
  struct ledger_head seen; /* the head to follow on */

  /* Of the party whose turn it is. */
  struct id
      *held; /* ids of mail and decisions that the chain told of when its turn began, sorted */
  size_t held_count;
  struct seq_list { /* of the mailbox, ascending */
    uint64_t *seq;
    size_t count, capacity;
  } waiting, left;  /* what the last round could not use; what this one cannot */
  uint64_t through; /* the mailbox was read to here in this round */
  unsigned round;
  bool news;  /* this round has brought something */
  bool lacks; /* something waits for what is not here yet */
  bool last;  /* no more will come: what cannot be used is recorded as such */
};

struct intake;
struct run_ahead;
/* Signatures of a board's runs before the frame is judged, one of *out for each run, in the intake's arena; *out NULL:
 * there are too few for it to be worth while. Writes nothing. */
typedef enum collega_status intake_ahead_verifier(struct intake *intake,
                                                  const Collega__Board *board,
                                                  struct run_ahead **out);

struct exchange {
  char *home;
  struct ledger *ledger;
  bool ledger_borrowed; /* exchange_open_on */
  struct id host;
  struct identity **identities; /* the host's first */
  size_t identity_count;

  /* Members in memory, as they stood at `members_at`; thrown away when the ledger has moved on
   * without us. */
  struct members *members;
  struct ledger_txn *txn; /* the loader's: current while a call runs */
  struct ledger_txn
      *writing; /* between exchange_begin and exchange_end; members stay as they are meanwhile */
  struct ledger_head members_at;
  bool members_stale; /* set by apply: records of class members were written */

  struct id joining; /* whose Join was made last; zero: the host's */

  struct receipt_seen receipt_seen;
  intake_ahead_verifier *verify_ahead; /* NULL: signatures are judged one after another */

  struct arena *replay_arena; /* of exchange_apply; NULL: not needed yet */

  /* What the last frame settled in the outbox; 0: nothing. */
  uint64_t settled_first, settled_last;

  struct key_mark {
    uint64_t inode;
    int64_t seconds, nanoseconds;
  } key_mark; /* as it stood when `identities` were read, or last compared with the ledger (keys.c) */
  bool cards_followed;
  uint64_t card_sent; /* outbox number of a card of ours that was sent and not answered; 0: none */
  uint32_t link_card; /* whose link key this session is opened with (exchange_set_link_card) */

  /* The last Welcome of this process: what a certificate that follows it is stored with, and the
   * epoch that open deals are asked about. */
  struct epoch welcome_epoch;
  uint32_t welcome_number;
  bool ask_due;
  /* Whose question at a Welcome had to wait for a letter; signing.c's. */
  struct party_deal *ask_later;
  size_t ask_later_count;

  struct held_mail held[HELD_MAIL_FRAMES];
  size_t held_count;

  /* What of the board is followed (follow.c); empty: everything. */
  struct arena *filter_arena;
  struct bytes filter;      /* packed, in the arena */
  collega_time intake_time; /* of the last frame taken: the Welcome, when a Follow is made */

  /* Offers that were filled by themselves (offer_filled.c). */
  struct filled_offer {
    struct id party;
    struct short_id offer;
  } * filled;
  size_t filled_count;
  bool filled_known;
  bool unseen_known; /* no own offer has a newest revision that expired unseen (offer_unseen.c) */

  struct catch_up catch_up; /* of this session; intake_fetched.c */

  /* exchange_sign looks at all deals only when the ledger moved, or when a deal's time came. */
  bool signing_known;
  struct ledger_head signing_at;
  collega_time signing_next; /* 0: no deal waits for a time */
};

/* ---- home.c: transactions */
/* Appends the entry and applies it: the live path. */
enum collega_status exchange_append(struct exchange *exchange, struct ledger_txn *txn,
                                    struct ledger_event *event,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status exchange_begin(struct exchange *exchange, struct ledger_txn **txn,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* The transaction is gone either way; with `status` not COLLEGA_OK it is aborted and that status
 * returned. */
enum collega_status exchange_end(struct exchange *exchange, struct ledger_txn **txn,
                                 enum collega_status status,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;

/* PATH_MAX bytes: HOME/parties/ID */
enum collega_status exchange_party_directory(char *out, const char *home, const struct id *party,
                                             struct collega_error *error) COLLEGA_MUST_CHECK;
/* keys.c: the identities as the ledger has their cards: a command may have added one beside us. */
struct key_mark exchange_key_mark(const struct exchange *exchange);
enum collega_status exchange_follow_cards(struct exchange *exchange, struct ledger_txn *txn,
                                          struct collega_error *error) COLLEGA_MUST_CHECK;

/* Says that this home must fetch all before it signs. */
enum collega_status exchange_append_restored(struct exchange *exchange, struct ledger_txn *txn,
                                             collega_time now,
                                             struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- intake_fetched.c */
void exchange_drop_catch_up(struct exchange *exchange);

/* ---- intake_mail.c */
void exchange_drop_held(struct exchange *exchange);

#define FOLLOW_NUMBER 1u

/* ---- offer_filled.c */
/* Makes offers filled that are full, and open again those that were filled so. */
enum collega_status offers_look_filled(struct exchange *exchange, collega_time now,
                                       uint32_t *changed,
                                       struct collega_error *error) COLLEGA_MUST_CHECK;
/* offer_unseen.c: withdraws own offers whose newest revision expired before the board had it. *changed counts them. */
enum collega_status offers_look_unseen(struct exchange *exchange, collega_time now,
                                       uint32_t *changed,
                                       struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- rows.c: rows by their ids, and small things about messages */
enum collega_status exchange_no_memory(struct collega_error *error);
/* A row or payload of our own that is not what it should be. */
enum collega_status exchange_row_damaged(struct collega_error *error, const char *what);
struct arena *exchange_arena(void); /* NULL: out of memory */
void field_set(ProtobufCBinaryData *field, const void *data, size_t length);
void field_set_id(ProtobufCBinaryData *field, const struct id *id);
static inline struct bytes field_bytes(const ProtobufCBinaryData *field) {
  return bytes_of(field->data, field->len);
}
static inline struct bytes id_bytes(const struct id *id) {
  return bytes_of(id->byte, ID_BYTES);
}
static inline bool field_is(const ProtobufCBinaryData *field, const struct id *id) {
  return bytes_equal(field_bytes(field), bytes_of(id->byte, ID_BYTES));
}
/* Packs into the arena. */
enum collega_status exchange_pack(struct arena *arena, const ProtobufCMessage *message,
                                  struct bytes *out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
/* A body from bytes that were checked when they came in. */
enum collega_status body_of_bytes(struct bytes bytes, struct arena *arena,
                                  const Collega__Body **out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
/* All COLLEGA_NOT_FOUND without words when there is no row. */
enum collega_status offer_row(struct ledger_txn *txn, struct bytes offer, struct arena *arena,
                              CollegaStore__OfferRow **out,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status offer_row_put(struct ledger_txn *txn, const CollegaStore__OfferRow *row,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
/* Two parties of one home have a row each of the deal between them, and of its root. */
enum collega_status deal_row(struct ledger_txn *txn, const struct id *party, struct bytes deal,
                             struct arena *arena, CollegaStore__DealRow **out,
                             struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status deal_row_put(struct ledger_txn *txn, const CollegaStore__DealRow *row,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status root_row(struct ledger_txn *txn, const struct id *party, struct bytes root,
                             struct arena *arena, CollegaStore__RootRow **out,
                             struct collega_error *error) COLLEGA_MUST_CHECK;
/* What was decided of a root with keys that are lost. COLLEGA_NOT_FOUND, no words: nothing, or root_row has it. */
enum collega_status root_elsewhere(struct ledger_txn *txn, const struct id *party,
                                   struct bytes root, struct arena *arena,
                                   CollegaStore__RootRow **out,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status root_row_put(struct ledger_txn *txn, const CollegaStore__RootRow *row,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status broker_row_put(struct ledger_txn *txn, const CollegaStore__BrokerRow *row,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* One of the parties that live here; COLLEGA_NOT_FOUND without words: it is not. */
enum collega_status own_row(struct ledger_txn *txn, struct bytes party, struct arena *arena,
                            CollegaStore__OwnParty **out,
                            struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status own_row_put(struct ledger_txn *txn, const CollegaStore__OwnParty *row,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* Is this one of the parties that live here? */
enum collega_status exchange_party_is_own(struct ledger_txn *txn, struct bytes party, bool *own,
                                          struct collega_error *error) COLLEGA_MUST_CHECK;
CollegaStore__Position *position_new(struct arena *arena,
                                     const struct receipt_position *position); /* NULL: memory */

/* A row of TABLE_RECORDS: a record of our own that is to be published. Key: record id; value:
 * chain number (8, big-endian), state (1), outbox number (8; 0: none), the broker's epoch (8) and
 * sequence (8) that it is receipted at (zeros: not, or not known), and for an offer or its status
 * the offer's id (16). Ledgers of version 1 have no position (client/ledger/migrate.c). */
enum record_state { RECORD_WAITING = 0, RECORD_RECEIPTED = 1, RECORD_REFUSED = 2 };
struct own_record {
  uint64_t entry, outbox;
  enum record_state state;
  struct epoch epoch; /* receipted at */
  uint64_t seq;
  bool has_offer;
  struct short_id offer;
};
bool own_record_read(struct bytes value, struct own_record *out); /* false: not such a row */
enum collega_status own_record_get(struct ledger_txn *txn, struct bytes record,
                                   struct own_record *out,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status own_record_put(struct ledger_txn *txn, const struct id *record,
                                   const struct own_record *row,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- bodies.c: records of our own, signed inside a transaction */
/* A body by `party`: its author fields, with the next sequence of the transaction. In the arena. */
enum collega_status exchange_own_body(struct exchange *exchange, struct ledger_txn *txn,
                                      const struct id *party, struct arena *arena,
                                      Collega__Body **out,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
/* Packs, checks as everybody else will, and gives its id. */
enum collega_status body_finish(const Collega__Body *body, struct arena *arena,
                                struct bytes *packed, struct id *id,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* Signs one record, whose body has its content and type, and puts it in the ledger to be published. */
enum collega_status exchange_append_record(struct exchange *exchange, struct ledger_txn *txn,
                                           const struct identity *identity, Collega__Body *body,
                                           collega_time now, struct arena *arena, struct id *record,
                                           struct collega_error *error) COLLEGA_MUST_CHECK;
/* The same for a packed run of one record that is signed already. */
enum collega_status exchange_append_run(struct exchange *exchange, struct ledger_txn *txn,
                                        const struct id *party, struct bytes run,
                                        const struct id *record, collega_time now,
                                        struct arena *arena,
                                        struct collega_error *error) COLLEGA_MUST_CHECK;
/* Seals the runs (and terms, may be NULL) to a party whose card is known; gives the packed envelope. `copy`: with one
 * sealed to ourselves, which a restored home fetches. COLLEGA_NOT_FOUND party_not_ours, recipient_unknown. */
enum collega_status exchange_seal(struct exchange *exchange, struct ledger_txn *txn,
                                  const struct id *from, const struct id *to, Collega__Run **runs,
                                  size_t count, Collega__SaltedTerms *terms, bool copy,
                                  collega_time now, struct arena *arena, struct bytes *envelope,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;

/* A part of the board as it was read when it was judged: `view[i]` is of board->runs[i]. All in the arena of whoever
 * judged. */
struct board_read {
  const Collega__Board *board;
  struct run_view *view;
};
/* As exchange_apply, for an entry whose content was read already. `read` may be NULL. */
enum collega_status exchange_apply_read(struct exchange *exchange, struct ledger_txn *txn,
                                        const struct ledger_event *event,
                                        const struct board_read *read,
                                        struct collega_error *error) COLLEGA_MUST_CHECK;
/* The live path for an entry whose content was read already: what applying it anew from its payload gives, without
 * reading it twice. */
enum collega_status exchange_append_board(struct exchange *exchange, struct ledger_txn *txn,
                                          struct ledger_event *event, const struct board_read *read,
                                          struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- apply_*.c: one function for each kind of entry; only exchange_apply calls them */
struct apply {
  struct exchange *exchange;
  struct ledger_txn *txn;
  const struct ledger_event *event;
  struct arena *arena; /* of this entry */
  struct id party; /* of ours, whose deals and letters are changed; zero: nobody's in particular */
  struct collega_error *error;
  /* Leaves of one outbox item that were settled one after the other: written once
   * (apply_settle_flush). */
  uint64_t settle_number;
  uint32_t settle_count;
  bool by_itself; /* own records that no user asked for */
  bool theirs;    /* the author of the record is known to be none of ours */
  /* Where the record's body stands in the entry's payload, if it may be read from there ever after; length 0: it may
   * not, and is kept in the offer's row. */
  uint64_t body_at;
  uint32_t body_length;
  const struct board_read
      *read; /* the content of a board's entry; NULL: it is read from the payload */
};
enum collega_status apply_own_records(struct apply *apply) COLLEGA_MUST_CHECK;
enum collega_status apply_board(struct apply *apply) COLLEGA_MUST_CHECK;
enum collega_status apply_reset(struct apply *apply) COLLEGA_MUST_CHECK;
enum collega_status apply_filter(struct apply *apply) COLLEGA_MUST_CHECK;
enum collega_status apply_receipts(struct apply *apply) COLLEGA_MUST_CHECK;
enum collega_status apply_stored(struct apply *apply) COLLEGA_MUST_CHECK;
enum collega_status apply_refused(struct apply *apply) COLLEGA_MUST_CHECK;
enum collega_status apply_lapsed(struct apply *apply) COLLEGA_MUST_CHECK;
enum collega_status apply_mail(struct apply *apply) COLLEGA_MUST_CHECK;
enum collega_status apply_draft(struct apply *apply) COLLEGA_MUST_CHECK;
enum collega_status apply_signed(struct apply *apply) COLLEGA_MUST_CHECK;
enum collega_status apply_act_dropped(struct apply *apply) COLLEGA_MUST_CHECK;
enum collega_status apply_decision(struct apply *apply) COLLEGA_MUST_CHECK;
/* apply_restored.c */
enum collega_status apply_fetched(struct apply *apply) COLLEGA_MUST_CHECK;
/* What the payload of such an entry holds, in the arena; *letter NULL: a request, which went open. */
enum collega_status fetched_letter(struct bytes payload, struct arena *arena,
                                   const CollegaStore__MailIn **mail,
                                   const Collega__Letter **letter,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status apply_restored(struct apply *apply) COLLEGA_MUST_CHECK;
enum collega_status apply_adopted(struct apply *apply) COLLEGA_MUST_CHECK;
enum collega_status apply_question(struct apply *apply) COLLEGA_MUST_CHECK;
/* apply_lost.c */
enum collega_status apply_sealed(struct apply *apply) COLLEGA_MUST_CHECK;
/* The broker says that it began anew and what it kept: what it has lost of ours goes out again. */
enum collega_status apply_epoch_start(struct apply *apply, const Collega__EpochStart *start,
                                      const ProtobufCBinaryData *broker) COLLEGA_MUST_CHECK;
/* The broker's epoch is a new one: our letters about deals go out again, should it have lost them. */
enum collega_status apply_letters_again(struct apply *apply) COLLEGA_MUST_CHECK;

/* The entry's payload as a message in the arena. */
/* How far the mailbox was read: the entry's position. */
enum collega_status apply_mailbox_cursor(struct apply *apply) COLLEGA_MUST_CHECK;
enum collega_status apply_payload(struct apply *apply, const ProtobufCMessageDescriptor *type,
                                  ProtobufCMessage **out) COLLEGA_MUST_CHECK;
/* An offer or its status, ours or somebody's. `position` NULL: not receipted yet; `private_part`
 * data NULL: none. */
enum collega_status apply_public(struct apply *apply, const struct record *record,
                                 const struct receipt_position *position, bool by_mail,
                                 struct bytes private_part) COLLEGA_MUST_CHECK;
/* A record of class members: one leaf of `view`; with the receipt (may be NULL) of `view`'s
 * leaves. */
enum collega_status apply_member(struct apply *apply, const struct run_view *view, size_t index,
                                 const Collega__ReceiptRun *receipt) COLLEGA_MUST_CHECK;
/* A record of our own is receipted: its position, and the outbox. Unknown, or done before:
 * nothing. */
enum collega_status apply_receipted(struct apply *apply, const struct id *record,
                                    const struct receipt_position *position) COLLEGA_MUST_CHECK;
enum collega_status apply_settle(struct apply *apply, uint64_t number) COLLEGA_MUST_CHECK;
enum collega_status apply_settle_flush(struct apply *apply) COLLEGA_MUST_CHECK;
/* Numbers in the order in which they were added; `number` is the caller's to free. False: out of memory. */
struct number_list {
  uint64_t *number;
  size_t count, capacity;
};
bool number_add(struct number_list *list, uint64_t number);
/* The items of the outbox that wait, ascending. */
enum collega_status apply_list_waiting(struct apply *apply,
                                       struct number_list *out) COLLEGA_MUST_CHECK;
/* apply_superseded.c: is there a newer content, or state, of this record's offer? What withdrew a content never is. */
enum collega_status apply_superseded(struct apply *apply, const struct record *record,
                                     bool *superseded) COLLEGA_MUST_CHECK;
/* What waits in the outbox and is superseded is taken out of it. */
enum collega_status apply_drop_superseded(struct apply *apply) COLLEGA_MUST_CHECK;
/* An item for the outbox; *number (may be NULL) is what it got. Fields of `item` besides number,
 * time and party are the caller's. */
enum collega_status apply_send(struct apply *apply, CollegaStore__OutboxItem *item,
                               uint64_t *number) COLLEGA_MUST_CHECK;
/* apply_talk.c: what we said of a match or in a talk, and what the other side said */
enum collega_status apply_match_act(struct apply *apply) COLLEGA_MUST_CHECK;
struct said {
  bool mine; /* a copy of our own words */
  collega_time time;
  ProtobufCBinaryData to; /* of our own: to whom */
};
enum collega_status apply_talk_in(struct apply *apply, const Collega__Body *body,
                                  const struct said *said) COLLEGA_MUST_CHECK;
/* What the outbox says of an envelope of ours: its bytes, its hash, its lifetime. *read (may be NULL) is what it
 * says itself. */
enum collega_status apply_envelope_item(struct apply *apply, struct bytes envelope,
                                        CollegaStore__OutboxItem *item,
                                        const Collega__Envelope **read) COLLEGA_MUST_CHECK;
/* An envelope of our own into the outbox. */
enum collega_status apply_send_envelope(struct apply *apply,
                                        struct bytes envelope) COLLEGA_MUST_CHECK;
/* One that was erased since; `deal` may be NULL. */
enum collega_status apply_send_erased(struct apply *apply, const ProtobufCBinaryData *hash,
                                      const ProtobufCBinaryData *deal) COLLEGA_MUST_CHECK;
/* The broker will never take the message of this deal. */
enum collega_status apply_deal_refused(struct apply *apply, const CollegaStore__OutboxItem *item,
                                       const Collega__Refusal *refusal) COLLEGA_MUST_CHECK;
/* What a letter says about deals: header with terms, acceptance, decisions. */
enum collega_status apply_letter_deals(struct apply *apply,
                                       const Collega__Letter *letter) COLLEGA_MUST_CHECK;
#endif
