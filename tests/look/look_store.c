/* look_store HOME: what a broker's store holds and no command shows, as one JSON document.
 *
 *   {"registers": [{"root","parties":[],"position","last_deal","last_decision","verdict","released",
 *                   "deals":[{"deal","verdict","position","decision"}],       verdicts as numbers, 0: none
 *                   "parts":[{"deal","position","people","until","decision"}]}],  that one party ended
 *    "decisions": {record id: root},
 *    "log":       {seq: record id},          since the broker's first epoch began
 *    "mail":      [hashes of envelopes that were taken],
 *    "requests":  [record ids of what parties sent to the decider],
 *    "heads":     {home: {"number","hash"}}} */
#include "broker/board/packed_run.h"
#include "broker/decide/registers.h"
#include "broker/mail/mailbox.h"
#include "broker/store/log_rows.h"
#include "base/process/process.h"
#include "proto/record.h"
#include "tests/look/rows_json.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ARENA_FIRST 65536
#define ARENA_MOST  ((size_t)256 << 20)

struct look {
  struct store_txn *txn;
  struct arena *arena;
};
typedef enum collega_status (*row_take)(struct look *look, const struct store_cursor *at,
                                        json_t *into, struct collega_error *error);

static json_t *id_json(const struct id *id) {
  return json_hex(bytes_of(id->byte, ID_BYTES));
}

static enum collega_status take_register(struct look *look, const struct store_cursor *at,
                                         json_t *into, struct collega_error *error) {
  struct id root;
  static struct decide_register reg; /* large */
  if (!id_from(&root, at->key.data, at->key.length)) return COLLEGA_DAMAGED;
  enum collega_status status = register_read(look->txn, &root, &reg, error);
  if (status != COLLEGA_OK) return status;
  json_t *deals = json_array();
  for (size_t i = 0; i < reg.count; i++)
    json_array_append_new(deals,
                          json_pack("{so si si so}", "deal", id_json(&reg.deals[i].deal), "verdict",
                                    reg.deals[i].verdict, "position", (int)reg.deals[i].position,
                                    "decision", id_json(&reg.deals[i].decision)));
  json_t *parts = json_array();
  for (size_t i = 0; i < reg.reduction_count; i++)
    json_array_append_new(parts,
                          json_pack("{so si si si so}", "deal", id_json(&reg.reductions[i].deal),
                                    "position", (int)reg.reductions[i].position, "people",
                                    (int)reg.reductions[i].part.headcount, "until",
                                    (int)reg.reductions[i].part.effective, "decision",
                                    id_json(&reg.reductions[i].decision)));
  json_t *row = json_pack("{so s[oo] si so so si sb so so}", "root", id_json(&root), "parties",
                          id_json(&reg.parties[0]), id_json(&reg.parties[1]), "position",
                          (int)reg.position, "last_deal", id_json(&reg.last_deal), "last_decision",
                          id_json(&reg.last_decision), "verdict", reg.last_verdict, "released",
                          (int)reg.released, "deals", deals, "parts", parts);
  json_array_append_new(into, row);
  return COLLEGA_OK;
}

static void hex_name(char out[2 * ID_BYTES + 1], const uint8_t *id) {
  hex_write(out, id, ID_BYTES);
}

static enum collega_status take_decision(struct look *look, const struct store_cursor *at,
                                         json_t *into, struct collega_error *error) {
  (void)look, (void)error;
  char name[2 * ID_BYTES + 1];
  hex_name(name, at->key.data + ID_BYTES);
  json_object_set_new(into, name, json_hex(bytes_of(at->key.data, ID_BYTES)));
  return COLLEGA_OK;
}

static enum collega_status take_log(struct look *look, const struct store_cursor *at, json_t *into,
                                    struct collega_error *error) {
  struct log_row row;
  struct run_view view;
  enum collega_status status = log_row_decode(at->key, at->value, &row, error);
  if (status != COLLEGA_OK || row.is_commit) return status;
  status = run_read_bytes(row.run, look->arena, &view, error);
  for (size_t i = 0; status == COLLEGA_OK && i < view.count; i++) {
    char name[24];
    snprintf(name, sizeof name, "%" PRIu64, row.first_seq + i);
    json_object_set_new(into, name, id_json(&view.records[i].id));
  }
  return status;
}

static enum collega_status take_send(struct look *look, const struct store_cursor *at, json_t *into,
                                     struct collega_error *error) {
  struct send_row row;
  (void)look;
  enum collega_status status = send_decode(at->value, &row, error);
  if (status == COLLEGA_OK) json_array_append_new(into, id_json(&row.hash));
  return status;
}

static enum collega_status take_copy(struct look *look, const struct store_cursor *at, json_t *into,
                                     struct collega_error *error) {
  struct copy_row row;
  struct run_view view;
  enum collega_status status = copy_decode(at->key, at->value, &row, error);
  if (status != COLLEGA_OK || row.kind != COPY_RUN) return status;
  status = run_read_bytes(row.run, look->arena, &view, error);
  for (size_t i = 0; status == COLLEGA_OK && i < view.count; i++)
    json_array_append_new(into, id_json(&view.records[i].id));
  return status;
}

static enum collega_status take_head(struct look *look, const struct store_cursor *at, json_t *into,
                                     struct collega_error *error) {
  (void)look;
  char name[2 * ID_BYTES + 1];
  struct head_row row;
  bool is_head;
  enum collega_status status = head_row_decode(at->key, at->value, &is_head, &row, error);
  if (status != COLLEGA_OK || !is_head) return status;
  hex_name(name, at->key.data);
  json_object_set_new(
      into, name,
      json_pack("{sI so}", "number", (json_int_t)row.number, "hash", id_json(&row.hash)));
  return COLLEGA_OK;
}

static enum collega_status walk(struct look *look, enum store_table table, row_take take,
                                json_t *document, const char *name, json_t *into,
                                struct collega_error *error) {
  struct store_cursor cursor;
  json_object_set_new(document, name, into);
  enum collega_status status = store_cursor_open(look->txn, table, &cursor, error);
  if (status != COLLEGA_OK) return status;
  status = store_seek(&cursor, bytes_of(NULL, 0), error);
  while (status == COLLEGA_OK && cursor.key.data != NULL) {
    arena_reset(look->arena);
    status = take(look, &cursor, into, error);
    if (status == COLLEGA_OK) status = store_next(&cursor, error);
  }
  store_cursor_close(&cursor);
  return status;
}

int main(int count, char **arguments) {
  struct look look = {.arena = arena_new(ARENA_FIRST, ARENA_MOST)};
  struct store *store = NULL;
  struct collega_error error;
  char path[4096];
  json_t *document = json_object();
  error_clear(&error);
  if (count != 2) {
    fprintf(stderr, "usage: look_store HOME\n");
    return 2;
  }
  enum collega_status status = path_join(path, sizeof path, arguments[1], "store", &error);
  struct store_options options = {.path = path, .must_exist = true};
  if (status == COLLEGA_OK) status = store_open(&options, &store, &error);
  if (status == COLLEGA_OK) status = store_read(store, &look.txn, &error);
  if (status == COLLEGA_OK)
    status =
        walk(&look, STORE_REGISTERS, take_register, document, "registers", json_array(), &error);
  if (status == COLLEGA_OK)
    status =
        walk(&look, STORE_DECISIONS, take_decision, document, "decisions", json_object(), &error);
  if (status == COLLEGA_OK)
    status = walk(&look, STORE_LOG, take_log, document, "log", json_object(), &error);
  if (status == COLLEGA_OK)
    status = walk(&look, STORE_SENDS, take_send, document, "mail", json_array(), &error);
  if (status == COLLEGA_OK)
    status = walk(&look, STORE_COPIES, take_copy, document, "requests", json_array(), &error);
  if (status == COLLEGA_OK)
    status = walk(&look, STORE_AUTHORS, take_head, document, "heads", json_object(), &error);
  store_end(&look.txn);
  store_close(&store);
  arena_destroy(&look.arena);
  return look_end(document, status, &error);
}
