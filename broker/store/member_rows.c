/* Rows about members; the formats stand in member_rows.h. All of them are small and change
 * seldom. */
#include "broker/store/member_rows.h"

#include <stdlib.h>
#include <string.h>

#include "broker/store/log_rows.h"
#include "broker/store/row_codec.h"
#include "proto/limits.h"

static struct bytes id_key(const struct id *id) {
  return bytes_of(id->byte, ID_BYTES);
}
static struct bytes link_key(const uint8_t *key) {
  return bytes_of(key, LINK_KEY_BYTES);
}

/* ---- parties */

static enum collega_status party_row_decode(struct bytes value, struct party_row *out,
                                            struct collega_error *error) {
  struct row_in row = row_reader(value);
  row_get(&row, out->host.byte, ID_BYTES);
  out->role = row_get_u32(&row);
  out->revoked = row_get_u8(&row) != 0;
  out->certified_until = (collega_time)row_get_u64(&row);
  row_get(&row, out->card.byte, ID_BYTES);
  out->card_number = row_get_u32(&row);
  row_get(&row, out->link_key, LINK_KEY_BYTES);
  row_get(&row, out->old_link_key, LINK_KEY_BYTES);
  row_get_text(&row, out->name, sizeof out->name);
  row_get_text(&row, out->kvk, sizeof out->kvk);
  return row_complete(&row) ? COLLEGA_OK : row_damaged(error, "parties");
}

enum collega_status party_row_read(struct store_txn *txn, const struct id *party,
                                   struct party_row *out, bool *found,
                                   struct collega_error *error) {
  struct bytes value;
  enum collega_status status = store_get(txn, STORE_PARTIES, id_key(party), &value, error);
  *found = !status && value.data;
  return *found ? party_row_decode(value, out, error) : status;
}

enum collega_status party_row_write(struct store_txn *txn, const struct id *party,
                                    const struct party_row *row, struct collega_error *error) {
  struct row_out out = {.length = 0};
  row_put(&out, row->host.byte, ID_BYTES);
  row_put_u32(&out, row->role);
  row_put_u8(&out, row->revoked);
  row_put_u64(&out, (uint64_t)row->certified_until);
  row_put(&out, row->card.byte, ID_BYTES);
  row_put_u32(&out, row->card_number);
  row_put(&out, row->link_key, LINK_KEY_BYTES);
  row_put(&out, row->old_link_key, LINK_KEY_BYTES);
  row_put_text(&out, row->name);
  row_put_text(&out, row->kvk);
  return store_put(txn, STORE_PARTIES, id_key(party), row_bytes(&out), error);
}

enum collega_status party_rows_walk(struct store_txn *txn,
                                    bool (*each)(void *context, const struct id *party,
                                                 const struct party_row *row),
                                    void *context, struct collega_error *error) {
  struct store_cursor cursor;
  enum collega_status status = store_cursor_open(txn, STORE_PARTIES, &cursor, error);
  if (status) return status;
  status = store_seek(&cursor, bytes_of(NULL, 0), error);
  while (!status && cursor.key.data) {
    struct id party;
    struct party_row row;
    status = id_from(&party, cursor.key.data, cursor.key.length)
                 ? party_row_decode(cursor.value, &row, error)
                 : row_damaged(error, "parties");
    if (status || !each(context, &party, &row)) break;
    status = store_next(&cursor, error);
  }
  store_cursor_close(&cursor);
  return status;
}

struct hosted_list {
  const struct id *host;
  struct id *party;
  size_t count, capacity;
  bool failed;
};

static bool visit_hosted(void *context, const struct id *party, const struct party_row *row) {
  struct hosted_list *list = context;
  if (!id_equal(&row->host, list->host) || id_equal(party, list->host)) return true;
  if (list->count == list->capacity) {
    size_t capacity = list->capacity ? 2 * list->capacity : 16;
    struct id *grown = realloc(list->party, capacity * sizeof *grown);
    list->failed = !grown;
    if (!grown) return false;
    list->party = grown;
    list->capacity = capacity;
  }
  list->party[list->count++] = *party;
  return true;
}

enum collega_status party_rows_hosted(struct store_txn *txn, const struct id *host, struct id **out,
                                      size_t *count, struct collega_error *error) {
  struct party_row row;
  bool found = false;
  *out = NULL;
  *count = 0;
  enum collega_status status = party_row_read(txn, host, &row, &found, error);
  if (status || !found || row.role != COLLEGA__ROLE__ROLE_NETWORK) return status;
  struct hosted_list list = {.host = host};
  status = party_rows_walk(txn, visit_hosted, &list, error);
  if (!status && list.failed)
    status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  if (status) {
    free(list.party);
    return status;
  }
  *out = list.party;
  *count = list.count;
  return COLLEGA_OK;
}

bool party_row_in_force(const struct party_row *row, collega_time now) {
  return !row->revoked && now < row->certified_until;
}

/* ---- links */

static enum collega_status link_row_decode(struct bytes key, struct bytes value,
                                           struct link_row *out, struct collega_error *error) {
  struct row_in at = row_reader(key), row = row_reader(value);
  row_get(&at, out->key, LINK_KEY_BYTES);
  row_get(&row, out->party.byte, ID_BYTES);
  out->expires = (collega_time)row_get_u64(&row);
  return row_complete(&at) && row_complete(&row) ? COLLEGA_OK : row_damaged(error, "links");
}

enum collega_status link_row_read(struct store_txn *txn, const uint8_t key[LINK_KEY_BYTES],
                                  struct link_row *out, bool *found, struct collega_error *error) {
  struct bytes value;
  enum collega_status status = store_get(txn, STORE_LINKS, link_key(key), &value, error);
  *found = !status && value.data;
  return *found ? link_row_decode(link_key(key), value, out, error) : status;
}

enum collega_status link_row_write(struct store_txn *txn, const struct link_row *row,
                                   struct collega_error *error) {
  struct row_out out = {.length = 0};
  row_put(&out, row->party.byte, ID_BYTES);
  row_put_u64(&out, (uint64_t)row->expires);
  return store_put(txn, STORE_LINKS, link_key(row->key), row_bytes(&out), error);
}

enum collega_status link_row_delete(struct store_txn *txn, const uint8_t key[LINK_KEY_BYTES],
                                    struct collega_error *error) {
  return store_delete(txn, STORE_LINKS, link_key(key), error);
}

enum collega_status link_rows_walk(struct store_txn *txn,
                                   bool (*each)(void *context, const struct link_row *row),
                                   void *context, struct collega_error *error) {
  struct store_cursor cursor;
  enum collega_status status = store_cursor_open(txn, STORE_LINKS, &cursor, error);
  if (status) return status;
  status = store_seek(&cursor, bytes_of(NULL, 0), error);
  while (!status && cursor.key.data) {
    struct link_row row;
    status = link_row_decode(cursor.key, cursor.value, &row, error);
    if (status || !each(context, &row)) break;
    status = store_next(&cursor, error);
  }
  store_cursor_close(&cursor);
  return status;
}

/* ---- invitations */

enum collega_status invitation_row_read(struct store_txn *txn, const uint8_t key[LINK_KEY_BYTES],
                                        struct invitation_row *out, bool *found,
                                        struct collega_error *error) {
  struct bytes value;
  enum collega_status status = store_get(txn, STORE_INVITATIONS, link_key(key), &value, error);
  *found = !status && value.data;
  if (!*found) return status;
  struct row_in row = row_reader(value);
  out->expires = (collega_time)row_get_u64(&row);
  out->role = row_get_u32(&row);
  row_get(&row, out->card.byte, ID_BYTES);
  row_get(&row, out->party.byte, ID_BYTES);
  out->cert_seq = row_get_u64(&row);
  row_get_text(&row, out->name, sizeof out->name);
  row_get_text(&row, out->kvk, sizeof out->kvk);
  memset(&out->host, 0, sizeof out->host);
  if (row.left > 0) row_get(&row, out->host.byte, ID_BYTES);
  return row_complete(&row) ? COLLEGA_OK : row_damaged(error, "invitations");
}

enum collega_status invitation_row_write(struct store_txn *txn, const uint8_t key[LINK_KEY_BYTES],
                                         const struct invitation_row *row,
                                         struct collega_error *error) {
  struct row_out out = {.length = 0};
  row_put_u64(&out, (uint64_t)row->expires);
  row_put_u32(&out, row->role);
  row_put(&out, row->card.byte, ID_BYTES);
  row_put(&out, row->party.byte, ID_BYTES);
  row_put_u64(&out, row->cert_seq);
  row_put_text(&out, row->name);
  row_put_text(&out, row->kvk);
  if (!id_is_zero(&row->host)) row_put(&out, row->host.byte, ID_BYTES);
  return store_put(txn, STORE_INVITATIONS, link_key(key), row_bytes(&out), error);
}

/* ---- records of class members */

enum collega_status member_index_put(struct store_txn *txn, const struct id *party,
                                     uint64_t log_seq, struct collega_error *error) {
  struct row_out key = {.length = 0};
  row_put(&key, party->byte, ID_BYTES);
  row_put_u64(&key, log_seq);
  return store_put(txn, STORE_MEMBERS, row_bytes(&key), bytes_of("", 0), error);
}

static enum collega_status member_record_find(struct store_txn *txn, const struct id *broker,
                                              uint64_t seq, struct member_record *out,
                                              struct collega_error *error) {
  struct log_row row;
  struct commit_row commit;
  enum collega_status status = log_row_find(txn, seq, &row, error);
  if (!status) status = commit_row_find(txn, seq, &commit, error);
  if (status) return status;
  if (!row.count || !commit.count) return row_damaged(error, "members");
  *out = (struct member_record){.run = row.run,
                                .index = (uint32_t)(seq - row.first_seq),
                                .seq = seq,
                                .anchor = {*broker, commit.epoch, seq, commit.time}};
  return COLLEGA_OK;
}

enum collega_status member_records_walk(
    struct store_txn *txn, const struct id *broker, const struct id *party,
    enum collega_status (*each)(void *context, const struct member_record *record,
                                struct collega_error *error),
    void *context, struct collega_error *error) {
  struct store_cursor cursor;
  enum collega_status status = store_cursor_open(txn, STORE_MEMBERS, &cursor, error);
  if (status) return status;
  status = store_seek(&cursor, id_key(party), error);
  while (!status && cursor.key.data && !memcmp(cursor.key.data, party->byte, ID_BYTES)) {
    struct member_record record;
    status =
        cursor.key.length == ID_BYTES + 8
            ? member_record_find(txn, broker, get_be64(cursor.key.data + ID_BYTES), &record, error)
            : row_damaged(error, "members");
    if (!status) status = each(context, &record, error);
    if (!status) status = store_next(&cursor, error);
  }
  store_cursor_close(&cursor);
  return status;
}

struct load {
  struct members *members;
  struct arena *arena;
  const struct id *broker;
  struct bytes run; /* the run read last: the records of one run follow each other */
  struct run_view view;
};

static enum collega_status take_record(void *context, const struct member_record *record,
                                       struct collega_error *error) {
  struct load *load = context;
  enum collega_status status = COLLEGA_OK;
  if (record->run.data != load->run.data || record->run.length != load->run.length) {
    arena_reset(load->arena);
    load->run = bytes_of(NULL, 0);
    status = run_read_bytes(record->run, load->arena, &load->view, error);
    if (status) return status;
    load->run = record->run;
  }
  if (record->index >= load->view.count) return row_damaged(error, "members");
  status = members_take(load->members, &load->view, record->index, &record->anchor, load->broker, 1,
                        error);
  /* One record that says nothing any more (the end of a mandate that was dropped) must not hide the
   * rest. */
  return status == COLLEGA_FULL || status == COLLEGA_SYSTEM ? status : COLLEGA_OK;
}

enum collega_status member_source_load(void *source, struct members *members,
                                       const struct id *party, struct collega_error *error) {
  const struct member_source *from = source;
  struct load load = {.members = members,
                      .arena = arena_new(64u * 1024u, LIMIT_ARENA_BYTES),
                      .broker = &from->broker};
  if (!load.arena) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  struct store_txn *txn = NULL;
  enum collega_status status = store_read(from->store, &txn, error);
  if (!status) status = member_records_walk(txn, &from->broker, party, take_record, &load, error);
  store_end(&txn);
  arena_destroy(&load.arena);
  return status;
}
