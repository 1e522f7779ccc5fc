/* A node's ledger: one LMDB environment, HOME/ledger.
 *
 * Everything that happens is an entry of a hash chain with a payload; every other table is derived and
 * can be rebuilt by replaying the chain through the same `apply` that filled it (client/exchange/apply.h).
 * Processes (command line, library, daemon) share the environment; there is one writer at a time, by
 * LMDB's lock, so write transactions begin late, end soon, and never wait for a person or the network.
 *
 * The chain:  number 1 is the genesis entry.  hash(n) = BLAKE2b-256("collega/chain/1", hash(n-1), bytes of
 * entry n), hash(0) = 32 zero bytes. Payloads are salted (store.proto) so that a hash tells nothing once a
 * payload is erased. The head is {ledger epoch, number, hash}. */
#ifndef COLLEGA_CLIENT_LEDGER_H
#define COLLEGA_CLIENT_LEDGER_H
#include "base/bytes.h"
#include "base/clock.h"
#include "client/ledger/store.pb-c.h"
#include "proto/members.h"

enum ledger_table {
  TABLE_META,       /* counters, epoch, head */
  TABLE_CHAIN,      /* number (8, big-endian) -> hash of the entry (32), ChainEntry */
  TABLE_PAYLOAD,    /* number -> Payload; an empty value: erased */
  TABLE_OWN,        /* own party id -> OwnParty */
  TABLE_BROKERS,    /* broker id -> BrokerRow */
  TABLE_PARTIES,    /* party id -> Party (records of class members, verbatim) */
  TABLE_OFFERS,     /* offer id (16) -> OfferRow */
  TABLE_MINE,       /* party (32), offer id (16) -> nothing: own offers */
  TABLE_CAPACITIES, /* capacity id (16) -> Capacity */
  TABLE_HOLDS,      /* party (32), subject (16), root (32), deal (32) -> Hold */
  TABLE_DEALS,      /* party (32), deal id -> DealRow */
  TABLE_ROOTS,      /* party (32), root -> RootRow */
  TABLE_THREADS, /* party (32), match id (32), number (8) -> chain number (8): interests and talk */
  TABLE_MATCHES, /* party (32), match id -> MatchRow */
  TABLE_OUTBOX,  /* number -> OutboxItem */
  TABLE_CURSORS, /* follower's name -> chain number (8) */
  TABLE_RECORDS, /* record id (own, published) -> chain number (8), what became of it (exchange/inside.h) */
  TABLE_COUNT
};
/* Derived tables: all but META, CHAIN, PAYLOAD, CURSORS. OUTBOX is derived too. */

struct ledger;
struct ledger_txn;
struct ledger_head {
  struct epoch epoch;
  uint64_t number;
  struct id hash;
};

/* Creates HOME/ledger with its genesis entry and a random ledger epoch. */
enum collega_status ledger_create(const char *home, collega_time now,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status ledger_open(const char *home, struct ledger **out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* Of a home of another kind than a node: one that is not whole yet. */
enum collega_status ledger_open_kind(const char *home, const char *kind, struct ledger **out,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
void ledger_close(struct ledger **ledger);
const char *ledger_home(const struct ledger *ledger);
struct disk *ledger_disk(struct ledger *ledger);
/* The environment alone, of a ledger that is in no home (a backup): to be copied. */
enum collega_status ledger_disk_open(const char *path, struct disk **out,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;

enum collega_status ledger_read(struct ledger *ledger, struct ledger_txn **out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* Refuses when the disk has no room (disk_has_room). */
enum collega_status ledger_write(struct ledger *ledger, struct ledger_txn **out,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* Commits and rings the home's bell. The transaction is gone either way. */
enum collega_status ledger_commit(struct ledger_txn **txn,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
void ledger_abort(struct ledger_txn **txn);

/* ---- chain */
struct ledger_event { /* an entry, to append or as read; NULL: does not apply */
  uint64_t number;    /* filled by ledger_append */
  collega_time time;
  CollegaStore__EntryKind kind;
  const struct id *party, *record, *counterpart;
  const struct receipt_position *position; /* origin, epoch, seq there (its time is not kept) */
  struct bytes payload;                    /* data NULL: none, or erased */
  bool erased;                             /* nothing is left of it */
  bool reduced; /* what was personal in it was erased; the payload is the rest */
};
/* Appends; event->number is set. */
enum collega_status ledger_append(struct ledger_txn *txn, struct ledger_event *event,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status ledger_head(struct ledger_txn *txn, struct ledger_head *out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* The hash of entry `number` (0: zeros). COLLEGA_NOT_FOUND beyond the head. */
enum collega_status ledger_hash_at(struct ledger_txn *txn, uint64_t number, struct id *out,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* Reads entry `number`; pointers, also the payload's, live in the arena. */
enum collega_status ledger_entry(struct ledger_txn *txn, uint64_t number, struct arena *arena,
                                 struct ledger_event *out,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* A row of the chain with its payload, as it is stored and as it is exported. */
struct ledger_row {
  struct id hash;          /* of the chain, this entry included */
  struct bytes entry;      /* the ChainEntry's bytes, verbatim */
  struct bytes salt, data; /* of the payload; salt.data NULL: there is none */
  bool reduced;
  bool erased; /* there was a payload */
};
/* Reads row `number`: the entry borrows the map, the payload lives in the arena. Nothing is verified. */
enum collega_status ledger_row(struct ledger_txn *txn, uint64_t number, struct arena *arena,
                               struct ledger_row *out,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* Judges the row that follows on `head` by its hashes: it, and its payload. Needs no ledger. *head moves on to it
 * (epoch included); `event` borrows the row and the arena. A reduced payload is judged by a later entry (erased_tell):
 * *rest is its hash. COLLEGA_DAMAGED names the number. */
enum collega_status ledger_row_judge(const struct ledger_row *row, struct ledger_head *head,
                                     struct arena *arena, struct ledger_event *event,
                                     struct id *rest,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* Re-hashes entries from..head and their payloads (erased ones are accepted). COLLEGA_DAMAGED names the
 * first entry that does not fit. progress may be NULL. */
enum collega_status ledger_verify(struct ledger *ledger, uint64_t from,
                                  void (*progress)(void *, uint64_t, uint64_t), void *context,
                                  uint64_t *checked,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
/* ---- import.c: a ledger made of rows that come from elsewhere */
struct ledger_import;
typedef enum collega_status (*ledger_apply)(struct ledger_txn *txn,
                                            const struct ledger_event *event, void *context,
                                            struct collega_error *error);
/* Makes HOME/ledger.importing; what an interrupted import left there is removed. One at a time: the caller holds the
 * home's lock. */
enum collega_status ledger_import_begin(const char *home, struct ledger_import **out,
                                        struct collega_error *error) COLLEGA_MUST_CHECK;
/* Puts the row, which ledger_row_judge has judged, at the end, and applies it. */
enum collega_status ledger_import_put(struct ledger_import *import, const struct ledger_row *row,
                                      const struct ledger_event *event, ledger_apply apply,
                                      void *context,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
/* The transaction that the next row goes into; only until then. */
struct ledger_txn *ledger_import_txn(struct ledger_import *import);
/* There are no more rows. *out is the ledger, to be read and written like any other; it stays the import's. */
enum collega_status ledger_import_end(struct ledger_import *import, const struct epoch *epoch,
                                      struct ledger **out,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
/* Brings it to disk and makes it the home's ledger, which had none. The import is gone either way. */
enum collega_status ledger_import_install(struct ledger_import **import,
                                          struct collega_error *error) COLLEGA_MUST_CHECK;
/* Leaves nothing behind. NULL is allowed. */
void ledger_import_abandon(struct ledger_import **import);

/* ---- erase.c: personal data go, the chain stays */
struct ledger_reduction {
  uint64_t number;
  struct bytes payload; /* what remains; never more than there was */
};
/* The last entry that tells of reduced payloads; 0: none does. */
enum collega_status ledger_last_erased(struct ledger_txn *txn, uint64_t *entry,
                                       struct collega_error *error) COLLEGA_MUST_CHECK;
/* Puts what remains in the place of the payloads (ascending numbers), and appends the entry that tells
 * for it. The derived tables still hold what they held: replay them. */
enum collega_status ledger_reduce(struct ledger_txn *txn, const struct ledger_reduction *list,
                                  size_t count, collega_time now,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
/* Empties the derived tables and replays the chain through `apply`, in one transaction. */
enum collega_status ledger_rebuild(struct ledger *ledger, ledger_apply apply, void *context,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* The same in a transaction that goes on: nothing more is appended in it. */
enum collega_status ledger_replay(struct ledger_txn *txn, ledger_apply apply, void *context,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;

/* LMDB leaves what was deleted in pages that are free, and in the unused part of pages that are not.
 * This moves every row to fresh pages (the derived tables by a rebuild) and overwrites the free ones,
 * in transactions of its own, while others go on. The ledger must have been opened after what is to be
 * gone was erased. Pages that a reader still looks at are free only when it is done: *left tells that
 * some were not reached. */
enum collega_status ledger_scrub(struct ledger *ledger, ledger_apply apply, void *context,
                                 bool *left, struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- sequences of an author; stored, never derived; gaps are allowed */
enum ledger_sequence { SEQUENCE_RECORDS, SEQUENCE_MAIL };
enum collega_status ledger_next_sequence(struct ledger_txn *txn, const struct id *party,
                                         enum ledger_sequence which, uint32_t count,
                                         uint64_t *first,
                                         struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status ledger_epoch(struct ledger_txn *txn, struct epoch *out,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* A restored home, or `sequence_taken`: a new random epoch; sequences start at 1; an entry tells it. */
enum collega_status ledger_new_epoch(struct ledger_txn *txn, collega_time now,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- tables, raw. Values borrow the map until the transaction ends or writes. */
enum collega_status table_get(struct ledger_txn *txn, enum ledger_table table, struct bytes key,
                              struct bytes *value, struct collega_error *error)
    COLLEGA_MUST_CHECK; /* COLLEGA_NOT_FOUND, no words */
enum collega_status table_put(struct ledger_txn *txn, enum ledger_table table, struct bytes key,
                              struct bytes value, struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status table_delete(struct ledger_txn *txn, enum ledger_table table, struct bytes key,
                                 struct collega_error *error)
    COLLEGA_MUST_CHECK; /* absent: COLLEGA_OK */
/* Rows whose key begins with `prefix`, ascending, from `start` on (NULL: the first). The callback returns
 * false to stop; it must not write. */
typedef bool (*table_visit)(void *context, struct bytes key, struct bytes value);
enum collega_status table_each(struct ledger_txn *txn, enum ledger_table table, struct bytes prefix,
                               const struct bytes *start, table_visit visit, void *context,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* The same with store messages: unpacked into the arena; packed from it. COLLEGA_NOT_FOUND, no words. */
enum collega_status row_get(struct ledger_txn *txn, enum ledger_table table, struct bytes key,
                            const ProtobufCMessageDescriptor *type, struct arena *arena,
                            ProtobufCMessage **out, struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status row_put(struct ledger_txn *txn, enum ledger_table table, struct bytes key,
                            const ProtobufCMessage *row,
                            struct collega_error *error) COLLEGA_MUST_CHECK;
/* Unpacks a store message from bytes (no guard: our own bytes). NULL: damaged. */
ProtobufCMessage *row_unpack(const ProtobufCMessageDescriptor *type, struct bytes bytes,
                             struct arena *arena);
/* The same from bytes that came from outside: what is not of the message's shape is COLLEGA_INVALID, by field. */
enum collega_status row_unpack_outside(const ProtobufCMessageDescriptor *type, struct bytes bytes,
                                       struct arena *arena, ProtobufCMessage **out,
                                       struct collega_error *error) COLLEGA_MUST_CHECK;
/* ---- offers.c: rows of TABLE_OFFERS. Those read and written here always have their body, wherever it is kept. */
/* COLLEGA_NOT_FOUND, no words. */
enum collega_status ledger_offer(struct ledger_txn *txn, struct bytes offer, struct arena *arena,
                                 CollegaStore__OfferRow **out,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* From the bytes of a row, as table_each gives them. */
enum collega_status ledger_offer_read(struct ledger_txn *txn, struct bytes value,
                                      struct arena *arena, CollegaStore__OfferRow **out,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
/* With body_at the body itself is left out. */
enum collega_status ledger_offer_put(struct ledger_txn *txn, const CollegaStore__OfferRow *row,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* The one id, `key_length` bytes after `key_prefix` in a table's keys, that begins with the typed
 * hexadecimal prefix; `key` gets these bytes (rows that go on after the same id count once).
 * COLLEGA_NOT_FOUND (id_unknown), COLLEGA_REFUSED (id_ambiguous) or COLLEGA_INVALID (id_malformed). */
enum collega_status table_find_prefix(struct ledger_txn *txn, enum ledger_table table,
                                      struct bytes key_prefix, const char *typed, uint8_t *key,
                                      size_t key_length,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- followers: entries after a cursor, then wait for the bell */
enum collega_status ledger_cursor(struct ledger_txn *txn, const char *name, uint64_t *out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK; /* 0 if none */
enum collega_status ledger_cursor_set(struct ledger_txn *txn, const char *name, uint64_t number,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- members (TABLE_PARTIES) */
/* A loader for members_new: context is struct ledger_txn ** (the transaction current at the time). */
enum collega_status ledger_members_loader(void *context, struct members *members,
                                          const struct id *party, struct collega_error *error);
/* Stores a verified record of class members behind its subject: `run` holds that one leaf (run_cut). A
 * duplicate is ignored, but gives a record that had no position its position. */
enum collega_status ledger_member_put(struct ledger_txn *txn, const struct id *subject,
                                      const Collega__Run *run,
                                      const struct receipt_position *position,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
/* The subject of a record of class members (card: party; cert: party; mandate: author; ...). */
const Collega__Body *member_subject(const Collega__Body *body, struct id *subject);
#endif
