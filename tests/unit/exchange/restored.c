/* Homes that were restored or copied, and a ledger of an older version. */
#include "pair.h"

#include <lmdb.h>
#include <stdio.h>
#include <string.h>

#include "base/disk/disk.h"
#include "base/process/process.h"
#include "base/words.h"
#include "client/exchange/backup.h"
#include "client/exchange/transfer.h"
#include "proto/guard.h"

#define RECEIVED  COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RECEIVED
#define PROPOSED  COLLEGA_STORE__DEAL_STATE__DEAL_STATE_PROPOSED
#define CONCLUDED COLLEGA_STORE__DEAL_STATE__DEAL_STATE_CONCLUDED

static void accept_deal(struct world *world, const struct pair *pair, const struct id *deal) {
  must(deal_accept(pair->borrower->exchange, &pair->borrower->party, deal, NULL, world->now,
                   &error));
}

static void backup(struct world *world, struct home *home, char out[128]) {
  snprintf(out, 128, "%s/backup", world->directory);
  must(node_backup(home->exchange, out, &error));
}

/* ---- fetching */

static void a_restored_proposer_holds_what_it_had_signed_before_it_signs_again(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  char copy[128];
  backup(world, pair.lender, copy);
  struct id deal = pair_propose(world, &pair, 2);
  world_settle(world);
  assert_int_equal(world_deal_state(pair.lender, &deal, NULL), PROPOSED);
  world_restore_home(world, pair.lender, copy);
  assert_int_equal(world_standing(pair.lender, &pair.out), 0);
  world_catch_up(world, pair.lender);
  assert_int_equal(world_deal_state(pair.lender, &deal, NULL), PROPOSED);
  assert_int_equal(world_standing(pair.lender, &pair.out), 2);
  accept_deal(world, &pair, &deal);
  world_settle(world);
  assert_int_equal(world_deal_state(pair.lender, &deal, NULL), CONCLUDED);
  assert_int_equal(world_deal_state(pair.borrower, &deal, NULL), CONCLUDED);
  world_rebuilds(pair.lender);
}

static void a_restored_acceptor_finds_proposal_acceptance_and_decision(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  char copy[128];
  struct bytes file;
  struct arena *arena = arena_new(65536, 1u << 26);
  backup(world, pair.borrower, copy);
  struct id deal = pair_propose(world, &pair, 2);
  world_settle(world);
  accept_deal(world, &pair, &deal);
  world_settle(world);
  world_restore_home(world, pair.borrower, copy);
  world_catch_up(world, pair.borrower);
  world_settle(world);
  assert_int_equal(world_deal_state(pair.borrower, &deal, NULL), CONCLUDED);
  assert_int_equal(world_standing(pair.borrower, &pair.in), 2);
  must(deal_prove(pair.borrower->exchange, &pair.borrower->party, &deal, 0, world->now, arena,
                  &file, &error));
  arena_destroy(&arena);
  world_rebuilds(pair.borrower);
}

/* Only acknowledgements had gone to the broker since: its head of this home is the backup's. */
static void a_home_that_had_only_received_fetches_that_too(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  char copy[128];
  backup(world, pair.borrower, copy);
  struct id deal = pair_propose(world, &pair, 2);
  world_settle(world);
  assert_int_equal(world_deal_state(pair.borrower, &deal, NULL), RECEIVED);
  world_restore_home(world, pair.borrower, copy);
  world_catch_up(world, pair.borrower);
  assert_int_equal(world_deal_state(pair.borrower, &deal, NULL), RECEIVED);
}

static void a_backup_is_no_home_and_a_restore_needs_a_new_one(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct exchange *exchange = NULL;
  struct collega_error why;
  char copy[128];
  backup(world, pair.lender, copy);
  assert_int_equal(exchange_open(copy, &exchange, &why), COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_home_other_kind);
  assert_int_equal(node_restore(pair.lender->path, copy, world->now, &why), COLLEGA_REFUSED);
  assert_int_not_equal(node_restore(copy, pair.lender->path, world->now, &why), COLLEGA_OK);
  assert_int_not_equal(node_backup(pair.lender->exchange, copy, &why), COLLEGA_OK);
}

/* ---- verifying */

/* The hashes are right, since whoever wrote it could make them so; the signature is not. */
static void a_signature_that_does_not_fit_is_found_in_the_chain(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct arena *arena = arena_new(65536, 1u << 26);
  struct ledger *ledger = exchange_ledger(pair.lender->exchange);
  struct collega_error why;
  struct ledger_txn *txn = NULL;
  struct ledger_event event = {.number = 0};
  uint64_t signatures = 0, checked = 0, number = 1;
  must(exchange_verify(pair.lender->exchange, NULL, NULL, &signatures, &error));
  assert_true(signatures >= 4);
  must(ledger_write(ledger, &txn, &error));
  do
    must(ledger_entry(txn, number++, arena, &event, &error));
  while (event.kind != COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_OWN_RECORDS);
  CollegaStore__OwnRecords *own = (CollegaStore__OwnRecords *)row_unpack(
      &collega_store__own_records__descriptor, event.payload, arena);
  Collega__Run *run = (Collega__Run *)row_unpack(&collega__run__descriptor,
                                                 bytes_of(own->run.data, own->run.len), arena);
  run->signature.data[7] ^= 1;
  struct bytes packed = message_pack(&run->base, arena);
  own->run = (ProtobufCBinaryData){packed.length, (uint8_t *)(uintptr_t)packed.data};
  event.payload = message_pack(&own->base, arena);
  must(ledger_append(txn, &event, &error));
  must(ledger_commit(&txn, &error));
  must(ledger_verify(ledger, 1, NULL, NULL, &checked, &error));
  assert_int_equal(exchange_verify(pair.lender->exchange, NULL, NULL, &signatures, &why),
                   COLLEGA_DAMAGED);
  assert_int_equal(why.rule, RULE_entry_signature);
  char text[24];
  snprintf(text, sizeof text, "%llu", (unsigned long long)event.number);
  assert_string_equal(why.argument[0], text);
  arena_destroy(&arena);
}

/* ---- two instances */

/* The home once more, as somebody copies a directory: nothing in it says so. */
static void copy_by_hand(struct world *world, struct home *home, struct home *out) {
  *out = *home;
  out->exchange = NULL;
  snprintf(out->path, sizeof out->path, "%s/copied", world->directory);
  must(node_backup(home->exchange, out->path, &error));
  char kind[160];
  snprintf(kind, sizeof kind, "%s/home", out->path);
  must(file_write(kind, "node\n", 5, 0600, &error));
  must(exchange_open(out->path, &out->exchange, &error));
  out->restored = home->restored = true;
}

static void swap(struct home *one, struct home *other) {
  struct home kept = *one;
  *one = *other;
  *other = kept;
}

/* Tables and all: the one from a copy of the database, the other from the chain alone, in a file. */
static void an_imported_ledger_is_what_a_restored_one_is(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct home restored = {0}, imported = {0};
  struct node_imported out;
  char copy[128], file[128];
  uint64_t entries = 0;
  struct id deal = pair_propose(world, &pair, 2);
  world_settle(world);
  accept_deal(world, &pair, &deal);
  world_settle(world);
  backup(world, pair.lender, copy);
  snprintf(file, sizeof file, "%s/file", world->directory);
  must(node_export(pair.lender->exchange, file, world->now, NULL, NULL, &entries, &error));
  assert_int_equal(entries, world_entries(pair.lender));
  snprintf(restored.path, sizeof restored.path, "%s/restored", world->directory);
  snprintf(imported.path, sizeof imported.path, "%s/imported", world->directory);
  const struct node_import import = {
      .file = file, .home = imported.path, .keys = copy, .now = world->now};
  must(node_restore(copy, restored.path, world->now, &error));
  must(node_import(&import, &out, &error));
  assert_int_equal(out.entries, entries);
  assert_false(out.already);
  must(exchange_open(restored.path, &restored.exchange, &error));
  must(exchange_open(imported.path, &imported.exchange, &error));
  struct id one = world_tables(&restored), other = world_tables(&imported);
  assert_memory_equal(&one, &other, sizeof one);
  assert_int_equal(world_entries(&restored), world_entries(&imported));
  world_rebuilds(&imported);
  exchange_close(&restored.exchange);
  exchange_close(&imported.exchange);
}

static void of_two_instances_one_goes_on_and_the_other_must_fetch_first(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct home other;
  struct arena *arena = arena_new(65536, 1u << 20);
  copy_by_hand(world, pair.lender, &other);
  /* Both publish under the same number; the first instance is taken. */
  struct short_id first =
      world_publish(world, pair.lender, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, 1);
  world_settle(world);
  swap(pair.lender, &other);
  struct short_id second =
      world_publish(world, pair.lender, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, 1);
  world_catch_up(world, pair.lender);
  world_settle(world);
  assert_non_null(world_offer_row(pair.lender, &first, arena));
  CollegaStore__OfferRow *row = world_offer_row(pair.lender, &second, arena);
  assert_non_null(row->position); /* its number was taken: signed anew, and receipted */
  assert_null(row->refused);
  world_rebuilds(pair.lender);
  /* The first instance does not know what the second did: what it signs is not taken. */
  swap(pair.lender, &other);
  assert_false(pair.lender->fenced);
  struct id deal = pair_propose(world, &pair, 2);
  world_settle(world);
  assert_true(pair.lender->fenced);
  assert_int_equal(world_deal_state(pair.borrower, &deal, NULL), 0);
  assert_int_equal(world_standing(pair.lender, &pair.out), 0);
  world_catch_up(world, pair.lender);
  assert_non_null(world_offer_row(pair.lender, &second, arena));
  exchange_close(&other.exchange);
  arena_destroy(&arena);
}

/* ---- older formats */

struct old_row {
  uint8_t key[2 * ID_BYTES], value[8192];
  size_t key_length, length;
};
struct old_rows {
  struct old_row row[64];
  size_t count;
};

static void read_rows(MDB_txn *txn, const char *table, MDB_dbi *database, struct old_rows *rows) {
  MDB_cursor *cursor;
  MDB_val key, value;
  rows->count = 0;
  assert_int_equal(mdb_dbi_open(txn, table, 0, database), 0);
  assert_int_equal(mdb_cursor_open(txn, *database, &cursor), 0);
  for (int code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST); code == 0;
       code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
    struct old_row *row = &rows->row[rows->count++];
    assert_true(rows->count < 64 && key.mv_size <= sizeof row->key &&
                value.mv_size <= sizeof row->value);
    memcpy(row->key, key.mv_data, row->key_length = key.mv_size);
    memcpy(row->value, value.mv_data, row->length = value.mv_size);
  }
  mdb_cursor_close(cursor);
  assert_true(rows->count > 0);
}

static void put_row(MDB_txn *txn, MDB_dbi database, const void *key, size_t key_length,
                    const void *value, size_t length) {
  MDB_val name = {key_length, (void *)(uintptr_t)key}, content = {length, (void *)(uintptr_t)value};
  assert_int_equal(mdb_put(txn, database, &name, &content, 0), 0);
}

/* Rows of own records as version 1 wrote them. */
static void records_to_1(MDB_txn *txn) {
  static struct old_rows rows;
  MDB_dbi records;
  read_rows(txn, "records", &records, &rows);
  for (size_t i = 0; i < rows.count; i++) {
    struct old_row *row = &rows.row[i];
    memmove(row->value + 17, row->value + 33, row->length - 33);
    put_row(txn, records, row->key, row->key_length, row->value, row->length - 16);
  }
}

/* Deals and roots without their party in the key, and the mailbox cursor with the broker: as
 * versions 1 and 2 wrote them. */
static void parties_to_2(MDB_txn *txn) {
  static const char *const tables[] = {"deals", "roots"};
  static struct old_rows rows, brokers;
  struct arena *arena = arena_new(4096, 1u << 20);
  uint8_t packed[8192];
  MDB_dbi database, broker_table;
  assert_non_null(arena);
  for (size_t t = 0; t < 2; t++) {
    read_rows(txn, tables[t], &database, &rows);
    assert_int_equal(mdb_drop(txn, database, 0), 0);
    for (size_t i = 0; i < rows.count; i++)
      put_row(txn, database, rows.row[i].key + ID_BYTES, ID_BYTES, rows.row[i].value,
              rows.row[i].length);
  }
  read_rows(txn, "own", &database, &rows);
  read_rows(txn, "brokers", &broker_table, &brokers);
  CollegaStore__OwnParty *own =
      (CollegaStore__OwnParty *)row_unpack(&collega_store__own_party__descriptor,
                                           bytes_of(rows.row[0].value, rows.row[0].length), arena);
  CollegaStore__BrokerRow *broker = (CollegaStore__BrokerRow *)row_unpack(
      &collega_store__broker_row__descriptor, bytes_of(brokers.row[0].value, brokers.row[0].length),
      arena);
  assert_true(own && broker && own->has_mailbox_seq && own->certified);
  broker->has_mailbox_epoch = broker->has_mailbox_seq = true;
  broker->mailbox_epoch = own->mailbox_epoch;
  broker->mailbox_seq = own->mailbox_seq;
  own->has_mailbox_epoch = own->has_mailbox_seq = own->has_certified = false;
  put_row(txn, database, rows.row[0].key, ID_BYTES, packed,
          protobuf_c_message_pack(&own->base, packed));
  put_row(txn, broker_table, brokers.row[0].key, ID_BYTES, packed,
          protobuf_c_message_pack(&broker->base, packed));
  arena_destroy(&arena);
}

static void write_version(const char *home, uint8_t number) {
  char path[160];
  uint8_t version[4] = {0, 0, 0, number};
  struct disk *disk;
  MDB_txn *txn;
  MDB_dbi meta;
  snprintf(path, sizeof path, "%s/ledger", home);
  must(ledger_disk_open(path, &disk, &error));
  must(disk_write(disk, &txn, &error));
  parties_to_2(txn);
  if (number == 1) records_to_1(txn);
  assert_int_equal(mdb_dbi_open(txn, "meta", 0, &meta), 0);
  put_row(txn, meta, "version", 7, version, sizeof version);
  must(disk_commit(&txn, &error));
  disk_close(&disk);
}

static void a_ledger_of_version_1_is_brought_up_to_date(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct id deal = pair_propose(world, &pair, 2);
  world_settle(world);
  accept_deal(world, &pair, &deal);
  world_settle(world);
  struct id before = world_tables(pair.lender), after;
  exchange_close(&pair.lender->exchange);
  write_version(pair.lender->path, 1);
  must(exchange_open(pair.lender->path, &pair.lender->exchange, &error));
  assert_int_equal(world_deal_state(pair.lender, &deal, NULL), CONCLUDED);
  /* What the old rows of records did not say the chain says. */
  must(ledger_rebuild(exchange_ledger(pair.lender->exchange), exchange_apply, pair.lender->exchange,
                      &error));
  after = world_tables(pair.lender);
  assert_memory_equal(&after, &before, sizeof before);
}

static void a_ledger_of_version_2_becomes_one_of_parties(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct id deal = pair_propose(world, &pair, 2);
  world_settle(world);
  struct id before = world_tables(pair.borrower), after;
  exchange_close(&pair.borrower->exchange);
  write_version(pair.borrower->path, 2);
  must(exchange_open(pair.borrower->path, &pair.borrower->exchange, &error));
  after = world_tables(pair.borrower);
  assert_memory_equal(&after, &before, sizeof before);
  accept_deal(world, &pair, &deal); /* it goes on where it was */
  world_settle(world);
  assert_int_equal(world_deal_state(pair.borrower, &deal, NULL), CONCLUDED);
  assert_int_equal(world_deal_state(pair.lender, &deal, NULL), CONCLUDED);
  world_rebuilds(pair.borrower);
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
      TEST(a_restored_proposer_holds_what_it_had_signed_before_it_signs_again),
      TEST(a_restored_acceptor_finds_proposal_acceptance_and_decision),
      TEST(a_home_that_had_only_received_fetches_that_too),
      TEST(a_backup_is_no_home_and_a_restore_needs_a_new_one),
      TEST(a_signature_that_does_not_fit_is_found_in_the_chain),
      TEST(an_imported_ledger_is_what_a_restored_one_is),
      TEST(of_two_instances_one_goes_on_and_the_other_must_fetch_first),
      TEST(a_ledger_of_version_1_is_brought_up_to_date),
      TEST(a_ledger_of_version_2_becomes_one_of_parties),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
