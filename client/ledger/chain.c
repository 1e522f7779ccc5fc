/* The chain: entries with the hash of all that went before, and their payloads.
 *
 *   "chain"    number (8, big-endian) -> hash of the entry (32), then the ChainEntry's bytes
 *   "payload"  number -> Payload {salt, data}; an empty value: erased
 *   "state"    "head" -> ledger epoch (8), number (8, big-endian), hash (32)
 *
 *   for example, the first row of "chain", a genesis entry of 2027-01-15T08:00:00Z:
 *   0000000000000001 -> hash, 08 01 (number 1), 10 80 a0 f1 c2 b1 34 (time), 18 01 (kind 1),
 *                       42 08 (a field of 8 bytes), epoch
 *
 * hash(n) is kept beside entry n, so that the hash at any number is one look-up (a broker names
 * the head it has seen) and a check can start anywhere. The head repeats the last hash: entries
 * cut off the end are noticed. Entry 1 carries the first ledger epoch in its field `epoch`, so
 * two chains differ from their first hash on.
 *
 * The payload stands apart, under a hash with a salt of its own: what is erased leaves a hash
 * that nobody can test guesses against, and the chain still verifies. A payload row that is
 * missing altogether is damage; one that is empty was erased; one that is `reduced` holds what was
 * not personal, under another salt, and a later entry of the chain tells its hash (erase.c). */
#include "client/ledger/transaction.h"
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CHAIN_TAG   "collega/chain/1"
#define PAYLOAD_TAG "collega/payload/1"
#define SALT_BYTES  16
#define HEAD_BYTES  (EPOCH_BYTES + 8 + ID_BYTES)

/* ---- the head */

enum collega_status head_load(struct ledger_txn *txn, struct collega_error *error) {
  struct bytes value;
  enum collega_status status = table_get(txn, TABLE_META, bytes_of("head", 4), &value, error);
  if (status != COLLEGA_OK) return status;
  if (value.length != HEAD_BYTES)
    return error_set(error, COLLEGA_DAMAGED, RULE_chain_head_damaged, NULL, NULL);
  memcpy(txn->head.epoch.byte, value.data, EPOCH_BYTES);
  txn->head.number = get_be64(value.data + EPOCH_BYTES);
  memcpy(txn->head.hash.byte, value.data + EPOCH_BYTES + 8, ID_BYTES);
  return COLLEGA_OK;
}

enum collega_status ledger_head_store(struct ledger_txn *txn, struct collega_error *error) {
  uint8_t value[HEAD_BYTES];
  memcpy(value, txn->head.epoch.byte, EPOCH_BYTES);
  put_be64(value + EPOCH_BYTES, txn->head.number);
  memcpy(value + EPOCH_BYTES + 8, txn->head.hash.byte, ID_BYTES);
  return table_put(txn, TABLE_META, bytes_of("head", 4), bytes_of(value, sizeof value), error);
}

enum collega_status ledger_head(struct ledger_txn *txn, struct ledger_head *out,
                                struct collega_error *error) {
  (void)error; /* the head was read when the transaction began */
  *out = txn->head;
  return COLLEGA_OK;
}

enum collega_status ledger_epoch(struct ledger_txn *txn, struct epoch *out,
                                 struct collega_error *error) {
  (void)error;
  *out = txn->head.epoch;
  return COLLEGA_OK;
}

/* ---- hashes */

static void entry_hash(struct id *out, const struct id *previous, struct bytes entry) {
  const struct bytes parts[] = {bytes_of(previous->byte, ID_BYTES), entry};
  hash_parts(out, CHAIN_TAG, parts, 2);
}

void payload_hash(struct id *out, struct bytes salt, struct bytes data) {
  const struct bytes parts[] = {salt, data};
  hash_parts(out, PAYLOAD_TAG, parts, 2);
}

static enum collega_status entry_damaged(uint64_t number, struct collega_error *error) {
  char text[24];
  snprintf(text, sizeof text, "%" PRIu64, number);
  return error_set(error, COLLEGA_DAMAGED, RULE_chain_entry_damaged, NULL, text, NULL);
}

static enum collega_status payload_damaged(uint64_t number, struct collega_error *error) {
  char text[24];
  snprintf(text, sizeof text, "%" PRIu64, number);
  return error_set(error, COLLEGA_DAMAGED, RULE_chain_payload_damaged, NULL, text, NULL);
}

/* ---- appending */

static ProtobufCBinaryData binary(const void *data, size_t length) {
  /* protobuf-c's field is not const; packing only reads it. */
  return (ProtobufCBinaryData){length, (uint8_t *)(uintptr_t)data};
}

static void set_id(const struct id *id, protobuf_c_boolean *has, ProtobufCBinaryData *field) {
  if (id == NULL) return;
  *has = 1;
  *field = binary(id->byte, ID_BYTES);
}

static enum collega_status payload_put(struct ledger_txn *txn, struct bytes key,
                                       struct bytes payload, struct id *hash,
                                       struct collega_error *error) {
  uint8_t salt[SALT_BYTES];
  random_fill(salt, sizeof salt);
  payload_hash(hash, bytes_of(salt, sizeof salt), payload);
  CollegaStore__Payload row = COLLEGA_STORE__PAYLOAD__INIT;
  row.salt = binary(salt, sizeof salt);
  row.data = binary(payload.data, payload.length);
  return row_put(txn, TABLE_PAYLOAD, key, &row.base, error);
}

/* Numbers the entry, stores it and its payload (data NULL: none), and moves the head. */
static enum collega_status chain_append(struct ledger_txn *txn, CollegaStore__ChainEntry *entry,
                                        struct bytes payload, struct collega_error *error) {
  assert(txn->writing && !txn->replaying);
  uint8_t number[8];
  entry->number = txn->head.number + 1;
  put_be64(number, entry->number);
  const struct bytes key = bytes_of(number, sizeof number);
  struct id payload_id;
  if (payload.data != NULL) {
    enum collega_status status = payload_put(txn, key, payload, &payload_id, error);
    if (status != COLLEGA_OK) return status;
    set_id(&payload_id, &entry->has_payload_hash, &entry->payload_hash);
  }
  txn->scratch.length = 0;
  size_t size = protobuf_c_message_get_packed_size(&entry->base);
  uint8_t *value = buffer_extend(&txn->scratch, ID_BYTES + size);
  if (txn->scratch.failed) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  protobuf_c_message_pack(&entry->base, value + ID_BYTES);
  struct id hash;
  entry_hash(&hash, &txn->head.hash, bytes_of(value + ID_BYTES, size));
  memcpy(value, hash.byte, ID_BYTES);
  enum collega_status status =
      table_put(txn, TABLE_CHAIN, key, bytes_of(value, ID_BYTES + size), error);
  if (status != COLLEGA_OK) return status;
  txn->head.number = entry->number;
  txn->head.hash = hash;
  txn->head_changed = true;
  return COLLEGA_OK;
}

enum collega_status chain_begin(struct ledger_txn *txn, collega_time now,
                                struct collega_error *error) {
  CollegaStore__ChainEntry entry = COLLEGA_STORE__CHAIN_ENTRY__INIT;
  entry.kind = COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_GENESIS;
  entry.time = now;
  entry.has_epoch = 1;
  entry.epoch = binary(txn->head.epoch.byte, EPOCH_BYTES);
  return chain_append(txn, &entry, bytes_of(NULL, 0), error);
}

enum collega_status ledger_append(struct ledger_txn *txn, struct ledger_event *event,
                                  struct collega_error *error) {
  CollegaStore__ChainEntry entry = COLLEGA_STORE__CHAIN_ENTRY__INIT;
  entry.time = event->time;
  entry.kind = event->kind;
  set_id(event->party, &entry.has_party, &entry.party);
  set_id(event->record, &entry.has_record, &entry.record);
  set_id(event->counterpart, &entry.has_counterpart, &entry.counterpart);
  if (event->position != NULL) {
    set_id(&event->position->origin, &entry.has_origin, &entry.origin);
    entry.has_epoch = 1;
    entry.epoch = binary(event->position->epoch.byte, EPOCH_BYTES);
    entry.has_seq = 1;
    entry.seq = event->position->seq;
  }
  enum collega_status status = chain_append(txn, &entry, event->payload, error);
  if (status == COLLEGA_OK) event->number = entry.number;
  return status;
}

enum collega_status ledger_new_epoch(struct ledger_txn *txn, collega_time now,
                                     struct collega_error *error) {
  random_fill(txn->head.epoch.byte, EPOCH_BYTES);
  const struct epoch epoch = txn->head.epoch;
  struct ledger_event event = {
      .time = now,
      .kind = COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_EPOCH,
      .payload = bytes_of(epoch.byte, EPOCH_BYTES),
  };
  return ledger_append(txn, &event, error);
}

/* ---- reading */

/* The stored row, apart: the hash beside the entry and the entry's bytes, both in the map. */
static enum collega_status chain_row(struct ledger_txn *txn, uint64_t number, struct id *hash,
                                     struct bytes *entry, struct collega_error *error) {
  uint8_t key[8];
  put_be64(key, number);
  struct bytes value;
  enum collega_status status =
      table_get(txn, TABLE_CHAIN, bytes_of(key, sizeof key), &value, error);
  if (status == COLLEGA_NOT_FOUND)
    return entry_damaged(number, error); /* it is not beyond the head */
  if (status != COLLEGA_OK) return status;
  if (value.length <= ID_BYTES) return entry_damaged(number, error);
  memcpy(hash->byte, value.data, ID_BYTES);
  *entry = bytes_of(value.data + ID_BYTES, value.length - ID_BYTES);
  return COLLEGA_OK;
}

/* An optional id of an entry into the arena. False: out of memory or not 32 bytes. */
static bool take_id(struct arena *arena, protobuf_c_boolean has, const ProtobufCBinaryData *field,
                    const struct id **out) {
  *out = NULL;
  if (!has) return true;
  struct id *id = arena_take(arena, sizeof *id);
  if (id == NULL || !id_from(id, field->data, field->len)) return false;
  *out = id;
  return true;
}

static bool take_position(struct arena *arena, const CollegaStore__ChainEntry *entry,
                          const struct receipt_position **out) {
  *out = NULL;
  if (!entry->has_origin) return true; /* the genesis entry has an epoch alone */
  struct receipt_position *position = arena_zero(arena, sizeof *position);
  if (position == NULL || !entry->has_epoch || !entry->has_seq ||
      !id_from(&position->origin, entry->origin.data, entry->origin.len) ||
      !epoch_from(&position->epoch, entry->epoch.data, entry->epoch.len))
    return false;
  position->seq = entry->seq;
  *out = position;
  return true;
}

/* The payload of an entry that has one, into the arena; *erased when it was erased. */
static enum collega_status payload_get(struct ledger_txn *txn, uint64_t number, struct arena *arena,
                                       CollegaStore__Payload **out, bool *erased,
                                       struct collega_error *error) {
  uint8_t key[8];
  put_be64(key, number);
  struct bytes value;
  *out = NULL;
  enum collega_status status =
      table_get(txn, TABLE_PAYLOAD, bytes_of(key, sizeof key), &value, error);
  if (status == COLLEGA_NOT_FOUND) return payload_damaged(number, error);
  if (status != COLLEGA_OK) return status;
  *erased = value.length == 0;
  if (*erased) return COLLEGA_OK;
  *out = (CollegaStore__Payload *)row_unpack(&collega_store__payload__descriptor, value, arena);
  if (*out != NULL) return COLLEGA_OK;
  if (arena_exhausted(arena)) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  return payload_damaged(number, error);
}

/* An entry's own fields; the payload is the caller's to add. */
static enum collega_status entry_fields(struct bytes bytes, uint64_t number, struct arena *arena,
                                        CollegaStore__ChainEntry **entry_out,
                                        struct ledger_event *out, struct collega_error *error) {
  CollegaStore__ChainEntry *entry =
      (CollegaStore__ChainEntry *)row_unpack(&collega_store__chain_entry__descriptor, bytes, arena);
  struct ledger_event event = {.number = number};
  bool read = entry != NULL && entry->number == number &&
              take_id(arena, entry->has_party, &entry->party, &event.party) &&
              take_id(arena, entry->has_record, &entry->record, &event.record) &&
              take_id(arena, entry->has_counterpart, &entry->counterpart, &event.counterpart) &&
              take_position(arena, entry, &event.position);
  if (!read && arena_exhausted(arena))
    return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  if (!read) return entry_damaged(number, error);
  event.time = entry->time;
  event.kind = entry->kind;
  *entry_out = entry;
  *out = event;
  return COLLEGA_OK;
}

/* Empty but present: the pointer tells the two apart. */
static struct bytes present(struct bytes data) {
  return data.length > 0 ? data : bytes_of("", 0);
}

/* Unpacks an entry and reads its payload. `payload` gets the row (NULL: none or erased). */
static enum collega_status entry_read(struct ledger_txn *txn, uint64_t number, struct bytes bytes,
                                      struct arena *arena, CollegaStore__ChainEntry **entry_out,
                                      CollegaStore__Payload **payload, struct ledger_event *out,
                                      struct collega_error *error) {
  *payload = NULL;
  enum collega_status status = entry_fields(bytes, number, arena, entry_out, out, error);
  if (status == COLLEGA_OK && (*entry_out)->has_payload_hash)
    status = payload_get(txn, number, arena, payload, &out->erased, error);
  if (status != COLLEGA_OK || *payload == NULL) return status;
  out->payload = present(bytes_of((*payload)->data.data, (*payload)->data.len));
  out->reduced = (*payload)->reduced;
  return COLLEGA_OK;
}

static enum collega_status beyond_head(uint64_t number, struct collega_error *error) {
  char text[24];
  snprintf(text, sizeof text, "%" PRIu64, number);
  return error_set(error, COLLEGA_NOT_FOUND, RULE_chain_beyond_head, NULL, text, NULL);
}

enum collega_status ledger_hash_at(struct ledger_txn *txn, uint64_t number, struct id *out,
                                   struct collega_error *error) {
  memset(out, 0, sizeof *out);
  if (number == 0) return COLLEGA_OK;
  if (number > txn->head.number) return beyond_head(number, error);
  struct bytes entry;
  return chain_row(txn, number, out, &entry, error);
}

enum collega_status ledger_entry(struct ledger_txn *txn, uint64_t number, struct arena *arena,
                                 struct ledger_event *out, struct collega_error *error) {
  if (number == 0 || number > txn->head.number) return beyond_head(number, error);
  struct id hash;
  struct bytes bytes;
  enum collega_status status = chain_row(txn, number, &hash, &bytes, error);
  if (status != COLLEGA_OK) return status;
  CollegaStore__ChainEntry *entry;
  CollegaStore__Payload *payload;
  return entry_read(txn, number, bytes, arena, &entry, &payload, out, error);
}

/* ---- rows: read, and judged; they may come from a file */

enum collega_status ledger_row(struct ledger_txn *txn, uint64_t number, struct arena *arena,
                               struct ledger_row *out, struct collega_error *error) {
  uint8_t key[8];
  struct bytes value;
  memset(out, 0, sizeof *out);
  if (number == 0 || number > txn->head.number) return beyond_head(number, error);
  enum collega_status status = chain_row(txn, number, &out->hash, &out->entry, error);
  if (status != COLLEGA_OK) return status;
  put_be64(key, number);
  status = table_get(txn, TABLE_PAYLOAD, bytes_of(key, sizeof key), &value, error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  out->erased = status == COLLEGA_OK && value.length == 0;
  if (status != COLLEGA_OK || out->erased) return status;
  const CollegaStore__Payload *payload =
      (const CollegaStore__Payload *)row_unpack(&collega_store__payload__descriptor, value, arena);
  if (payload == NULL && arena_exhausted(arena))
    return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  if (payload == NULL) return payload_damaged(number, error);
  out->salt = present(bytes_of(payload->salt.data, payload->salt.len));
  out->data = present(bytes_of(payload->data.data, payload->data.len));
  out->reduced = payload->reduced;
  return COLLEGA_OK;
}

/* The ledger epoch that an entry begins. */
static void follow_epoch(const CollegaStore__ChainEntry *entry, const struct ledger_event *event,
                         struct epoch *epoch) {
  struct epoch begun;
  bool any = false;
  if (entry->kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_GENESIS && entry->has_epoch)
    any = epoch_from(&begun, entry->epoch.data, entry->epoch.len);
  else if (entry->kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_EPOCH && event->payload.data)
    any = epoch_from(&begun, event->payload.data, event->payload.length);
  if (any) *epoch = begun;
}

enum collega_status ledger_row_judge(const struct ledger_row *row, struct ledger_head *head,
                                     struct arena *arena, struct ledger_event *event,
                                     struct id *rest, struct collega_error *error) {
  const uint64_t number = head->number + 1;
  struct id computed;
  CollegaStore__ChainEntry *entry;
  entry_hash(&computed, &head->hash, row->entry);
  if (!id_equal(&computed, &row->hash)) return entry_damaged(number, error);
  enum collega_status status = entry_fields(row->entry, number, arena, &entry, event, error);
  if (status != COLLEGA_OK) return status;
  if (row->salt.data != NULL) {
    payload_hash(rest, row->salt, row->data);
    struct bytes told = bytes_of(entry->payload_hash.data, entry->payload_hash.len);
    if (!entry->has_payload_hash ||
        (!row->reduced && !bytes_equal(bytes_of(rest->byte, ID_BYTES), told)))
      return payload_damaged(number, error);
    event->payload = present(row->data);
    event->reduced = row->reduced;
  } else if (entry->has_payload_hash && !row->erased) {
    return payload_damaged(number, error);
  } else {
    event->erased = entry->has_payload_hash;
  }
  follow_epoch(entry, event, &head->epoch);
  head->number = number;
  head->hash = computed;
  return COLLEGA_OK;
}

enum collega_status chain_check(struct ledger_txn *txn, uint64_t number, const struct id *previous,
                                struct arena *arena, struct id *hash, struct ledger_event *event,
                                struct collega_error *error) {
  struct ledger_row row;
  struct ledger_event read;
  struct ledger_head head = {.number = number - 1, .hash = *previous};
  struct id rest, told;
  enum collega_status status = ledger_row(txn, number, arena, &row, error);
  if (status == COLLEGA_OK) status = ledger_row_judge(&row, &head, arena, &read, &rest, error);
  if (status != COLLEGA_OK) return status;
  if (read.reduced) {
    status = erased_hash(txn, number, &told, error);
    if (status == COLLEGA_NOT_FOUND || (status == COLLEGA_OK && !id_equal(&told, &rest)))
      return payload_damaged(number, error);
    if (status != COLLEGA_OK) return status;
  }
  *hash = head.hash;
  if (event != NULL) *event = read;
  return COLLEGA_OK;
}
