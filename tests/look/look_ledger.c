/* look_ledger HOME: what a node's ledger holds and no command shows, as one JSON document.
 *
 *   {"holds":    [{"subject","root","deal","from","until","people","hours","agreed",
 *                  "ends": [{"people","until"}]}],     days since 1970
 *    "deals":    [{"deal","root","state","mine","accept_by","decisions":[record ids]}],
 *    "receipts": [{"record","epoch","seq"}],             published here, and receipted
 *    "stored":   [{"hash","epoch","seq"}],               answered by Stored; seq 0: by the decider
 *    "releases": [{"root","answer","mine"}],             the record id of the answer to a RELEASE; mine: signed here
 *    "taken":    [{"decision","seq"}],                   decisions in the chain, in its order, with their place in
 *                                                        the mailbox; seq 0: said again, out of its turn
 *    "party":    id of the host,
 *    "hashes":   [hash of entry 1, 2, ...]} */
#include "client/exchange/inside.h"
#include "tests/look/rows_json.h"
#include <stdio.h>

#define ARENA_FIRST 65536
#define ARENA_MOST  ((size_t)256 << 20)

struct look {
  struct ledger_txn *txn;
  struct arena *arena;
  json_t *list; /* that is filled now */
  bool damaged;
};

static bool add_hold(void *context, struct bytes key, struct bytes value) {
  struct look *look = context;
  (void)key;
  const CollegaStore__Hold *hold =
      (const CollegaStore__Hold *)row_unpack(&collega_store__hold__descriptor, value, look->arena);
  look->damaged = hold == NULL;
  if (look->damaged) return false;
  json_t *ends = json_array();
  for (size_t i = 0; i < hold->n_ends; i++)
    json_array_append_new(ends, json_pack("{si si}", "people", (int)hold->ends[i]->people, "until",
                                          (int)hold->ends[i]->until));
  json_t *row = json_pack(
      "{so so so si si si si sb so}", "subject", json_hex(field_bytes(&hold->subject)), "root",
      json_hex(field_bytes(&hold->root)), "deal", json_hex(field_bytes(&hold->deal)), "from",
      (int)hold->from, "until", (int)hold->until, "people", (int)hold->people, "hours",
      (int)hold->hours_per_week, "agreed", (int)hold->agreed, "ends", ends);
  return json_array_append_new(look->list, row) == 0;
}

/* The record ids of the decisions that a deal's row keeps. */
static json_t *decisions_of(const struct look *look, const CollegaStore__DealRow *deal) {
  json_t *ids = json_array();
  struct collega_error error;
  for (size_t i = 0; i < deal->n_decisions; i++) {
    struct run_view view;
    if (run_read_bytes(field_bytes(&deal->decisions[i]), look->arena, &view, &error) != COLLEGA_OK)
      continue;
    for (size_t j = 0; j < view.count; j++)
      json_array_append_new(ids, json_hex(bytes_of(view.records[j].id.byte, ID_BYTES)));
  }
  return ids;
}

static bool add_deal(void *context, struct bytes key, struct bytes value) {
  struct look *look = context;
  (void)key;
  const CollegaStore__DealRow *deal = (const CollegaStore__DealRow *)row_unpack(
      &collega_store__deal_row__descriptor, value, look->arena);
  look->damaged = deal == NULL;
  if (look->damaged) return false;
  const ProtobufCEnumValue *state = protobuf_c_enum_descriptor_get_value(
      &collega_store__deal_state__descriptor, (int)deal->state);
  json_t *row =
      json_pack("{so so so ss sb sI so}", "deal", json_hex(field_bytes(&deal->deal)), "party",
                json_hex(field_bytes(&deal->party)), "root", json_hex(field_bytes(&deal->root)),
                "state", state == NULL ? "?" : state->name, "mine", (int)deal->mine, "accept_by",
                (json_int_t)deal->accept_by, "decisions", decisions_of(look, deal));
  return json_array_append_new(look->list, row) == 0;
}

static bool add_release(void *context, struct bytes key, struct bytes value) {
  struct look *look = context;
  (void)key;
  const CollegaStore__RootRow *root = (const CollegaStore__RootRow *)row_unpack(
      &collega_store__root_row__descriptor, value, look->arena);
  struct run_view view;
  look->damaged = root == NULL;
  if (look->damaged) return false;
  if (!root->has_release_answer) return true;
  look->damaged =
      run_read_bytes(field_bytes(&root->release_answer), look->arena, &view, NULL) != COLLEGA_OK;
  if (look->damaged) return false;
  json_t *row = json_pack("{so so sb}", "root", json_hex(field_bytes(&root->root)), "answer",
                          json_hex(bytes_of(view.records[0].id.byte, ID_BYTES)), "mine",
                          (int)(root->has_party && field_is(&root->party, &view.signer)));
  return json_array_append_new(look->list, row) == 0;
}

static bool take_host(void *context, struct bytes key, struct bytes value) {
  json_t *document = context;
  const CollegaStore__OwnParty *own =
      collega_store__own_party__unpack(NULL, value.length, value.data);
  if (own != NULL && own->host) json_object_set_new(document, "party", json_hex(key));
  collega_store__own_party__free_unpacked((CollegaStore__OwnParty *)(uintptr_t)own, NULL);
  return true;
}

static bool add_receipt(void *context, struct bytes key, struct bytes value) {
  struct look *look = context;
  struct own_record own;
  look->damaged = !own_record_read(value, &own);
  if (look->damaged) return false;
  if (own.state != RECORD_RECEIPTED) return true;
  json_t *row =
      json_pack("{so so sI}", "record", json_hex(key), "epoch",
                json_hex(bytes_of(own.epoch.byte, EPOCH_BYTES)), "seq", (json_int_t)own.seq);
  return json_array_append_new(look->list, row) == 0;
}

static enum collega_status table_list(struct look *look, enum ledger_table table, table_visit visit,
                                      json_t *document, const char *name,
                                      struct collega_error *error) {
  look->list = json_array();
  json_object_set_new(document, name, look->list);
  enum collega_status status =
      table_each(look->txn, table, bytes_of(NULL, 0), NULL, visit, look, error);
  if (status == COLLEGA_OK && look->damaged)
    status = error_set(error, COLLEGA_DAMAGED, RULE_ledger_row_damaged, NULL, name, NULL);
  return status;
}

static enum collega_status walk_chain(struct look *look, json_t *document,
                                      struct collega_error *error) {
  struct ledger_head head;
  json_t *stored = json_array(), *taken = json_array(), *hashes = json_array();
  json_object_set_new(document, "hashes", hashes);
  json_object_set_new(document, "stored", stored);
  json_object_set_new(document, "taken", taken);
  enum collega_status status = ledger_head(look->txn, &head, error);
  for (uint64_t number = 1; status == COLLEGA_OK && number <= head.number; number++) {
    struct ledger_event event;
    struct id hash;
    arena_reset(look->arena);
    status = ledger_hash_at(look->txn, number, &hash, error);
    if (status == COLLEGA_OK) status = ledger_entry(look->txn, number, look->arena, &event, error);
    if (status != COLLEGA_OK) break;
    json_array_append_new(hashes, json_hex(bytes_of(hash.byte, ID_BYTES)));
    if (event.record == NULL) continue;
    json_t *id = json_hex(bytes_of(event.record->byte, ID_BYTES));
    if (event.kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_STORED && event.position != NULL)
      json_array_append_new(stored,
                            json_pack("{sO so sI}", "hash", id, "epoch",
                                      json_hex(bytes_of(event.position->epoch.byte, EPOCH_BYTES)),
                                      "seq", (json_int_t)event.position->seq));
    if (event.kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_DECISION_IN)
      json_array_append_new(
          taken, json_pack("{sO sI}", "decision", id, "seq",
                           (json_int_t)(event.position == NULL ? 0 : event.position->seq)));
    json_decref(id);
  }
  return status;
}

int main(int count, char **arguments) {
  struct look look = {.arena = arena_new(ARENA_FIRST, ARENA_MOST)};
  struct ledger *ledger = NULL;
  struct collega_error error;
  json_t *document = json_object();
  error_clear(&error);
  if (count != 2) {
    fprintf(stderr, "usage: look_ledger HOME\n");
    return 2;
  }
  enum collega_status status = ledger_open(arguments[1], &ledger, &error);
  if (status == COLLEGA_OK) status = ledger_read(ledger, &look.txn, &error);
  if (status == COLLEGA_OK)
    status = table_list(&look, TABLE_HOLDS, add_hold, document, "holds", &error);
  if (status == COLLEGA_OK)
    status = table_list(&look, TABLE_DEALS, add_deal, document, "deals", &error);
  if (status == COLLEGA_OK)
    status = table_list(&look, TABLE_ROOTS, add_release, document, "releases", &error);
  if (status == COLLEGA_OK)
    status = table_list(&look, TABLE_RECORDS, add_receipt, document, "receipts", &error);
  if (status == COLLEGA_OK)
    status = table_each(look.txn, TABLE_OWN, bytes_of(NULL, 0), NULL, take_host, document, &error);
  if (status == COLLEGA_OK) status = walk_chain(&look, document, &error);
  if (look.txn != NULL) ledger_abort(&look.txn);
  ledger_close(&ledger);
  arena_destroy(&look.arena);
  return look_end(document, status, &error);
}
