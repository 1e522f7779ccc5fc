/* The public side in the ledger: the records of class members behind each party, as they came,
 * in the order in which they were taken. Nothing is digested here: proto/members judges them
 * again when it loads them. */
#include "client/ledger/transaction.h"
#include "base/log.h"
#include "base/words.h"
#include <string.h>

#define PARTY_ARENA_BYTES 16384

static const ProtobufCMessageDescriptor *const party_type = &collega_store__party__descriptor;

const Collega__Body *member_subject(const Collega__Body *body, struct id *subject) {
  const ProtobufCBinaryData *party = NULL;
  if (body->card != NULL)
    party = &body->card->party;
  else if (body->cert != NULL)
    party = &body->cert->party;
  else if (body->revocation != NULL)
    party = &body->revocation->party;
  else if (body->mandate != NULL || body->mandate_end != NULL || body->trust != NULL ||
           body->epoch_start != NULL)
    party = &body->author;
  if (party == NULL || !id_from(subject, party->data, party->len)) return NULL;
  return body;
}

/* ---- storing */

static enum collega_status no_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

static ProtobufCBinaryData copy_bytes(struct arena *arena, const void *data, size_t length) {
  return (ProtobufCBinaryData){length, arena_copy(arena, data, length)};
}

static CollegaStore__Position *position_row(const struct receipt_position *position,
                                            struct arena *arena) {
  CollegaStore__Position *row = arena_take(arena, sizeof *row);
  if (row == NULL) return NULL;
  collega_store__position__init(row);
  row->origin = copy_bytes(arena, position->origin.byte, ID_BYTES);
  row->epoch = copy_bytes(arena, position->epoch.byte, EPOCH_BYTES);
  row->seq = position->seq;
  row->time = position->time;
  return arena_exhausted(arena) ? NULL : row;
}

/* The stored record whose body this is; NULL: not there. */
static CollegaStore__MemberRecord *find_record(const CollegaStore__Party *party, struct bytes body,
                                               struct arena *arena) {
  for (size_t i = 0; i < party->n_records; i++) {
    CollegaStore__MemberRecord *record = party->records[i];
    const Collega__Run *run = (const Collega__Run *)row_unpack(
        &collega__run__descriptor, bytes_of(record->run.data, record->run.len), arena);
    if (run != NULL && run->n_bodies > 0 &&
        bytes_equal(body, bytes_of(run->bodies[0].data, run->bodies[0].len)))
      return record;
  }
  return NULL;
}

/* `party` gets one record more. NULL: out of memory. */
static CollegaStore__MemberRecord *add_record(CollegaStore__Party *party, const Collega__Run *run,
                                              struct arena *arena) {
  CollegaStore__MemberRecord *record = arena_take(arena, sizeof *record);
  CollegaStore__MemberRecord **records = arena_take(arena, (party->n_records + 1) * sizeof(void *));
  const size_t size = protobuf_c_message_get_packed_size(&run->base);
  uint8_t *packed = arena_take(arena, size);
  if (record == NULL || records == NULL || packed == NULL) return NULL;
  protobuf_c_message_pack(&run->base, packed);
  collega_store__member_record__init(record);
  record->run = (ProtobufCBinaryData){size, packed};
  if (party->n_records > 0) memcpy(records, party->records, party->n_records * sizeof(void *));
  records[party->n_records++] = record;
  party->records = records;
  return record;
}

enum collega_status ledger_member_put(struct ledger_txn *txn, const struct id *subject,
                                      const Collega__Run *run,
                                      const struct receipt_position *position,
                                      struct collega_error *error) {
  if (run->n_bodies != 1)
    return error_set(error, COLLEGA_INVALID, RULE_member_run_of_one, NULL, NULL);
  struct arena *arena = arena_new(PARTY_ARENA_BYTES, LEDGER_ARENA_BYTES);
  if (arena == NULL) return no_memory(error);
  const struct bytes key = bytes_of(subject->byte, ID_BYTES);
  CollegaStore__Party fresh = COLLEGA_STORE__PARTY__INIT;
  ProtobufCMessage *row = NULL;
  enum collega_status status = row_get(txn, TABLE_PARTIES, key, party_type, arena, &row, error);
  if (status == COLLEGA_NOT_FOUND)
    row = &fresh.base;
  else if (status != COLLEGA_OK)
    goto done;
  CollegaStore__Party *party = (CollegaStore__Party *)row;
  CollegaStore__MemberRecord *record =
      find_record(party, bytes_of(run->bodies[0].data, run->bodies[0].len), arena);
  status = COLLEGA_OK;
  /* A record that was taken before its receipt gets its position when that is known. */
  if (record != NULL && (record->position != NULL || position == NULL)) goto done;
  if (record == NULL) record = add_record(party, run, arena);
  if (record != NULL && position != NULL) record->position = position_row(position, arena);
  if (record == NULL || arena_exhausted(arena))
    status = no_memory(error);
  else
    status = row_put(txn, TABLE_PARTIES, key, &party->base, error);
done:
  arena_destroy(&arena);
  return status;
}

/* ---- loading */

static bool position_from(const CollegaStore__Position *row, struct receipt_position *out) {
  out->seq = row->seq;
  out->time = row->time;
  return id_from(&out->origin, row->origin.data, row->origin.len) &&
         epoch_from(&out->epoch, row->epoch.data, row->epoch.len);
}

static enum collega_status load_record(const CollegaStore__MemberRecord *record,
                                       struct members *members, struct arena *arena,
                                       struct collega_error *error) {
  struct receipt_position position;
  const struct receipt_position *anchor = NULL;
  if (record->position != NULL) {
    if (!position_from(record->position, &position))
      return error_set(error, COLLEGA_DAMAGED, RULE_ledger_row_damaged, NULL,
                       table_name(TABLE_PARTIES), NULL);
    anchor = &position;
  }
  struct run_view view;
  enum collega_status status =
      run_read_bytes(bytes_of(record->run.data, record->run.len), arena, &view, error);
  /* Whose word counts was judged before the record was stored: no list of issuers here. */
  for (size_t i = 0; status == COLLEGA_OK && i < view.count; i++)
    status = members_take(members, &view, i, anchor, NULL, 0, error);
  return status;
}

enum collega_status ledger_members_loader(void *context, struct members *members,
                                          const struct id *party, struct collega_error *error) {
  struct ledger_txn *const *txn = context;
  struct arena *arena = arena_new(PARTY_ARENA_BYTES, LEDGER_ARENA_BYTES);
  if (arena == NULL) return no_memory(error);
  ProtobufCMessage *row;
  enum collega_status status =
      row_get(*txn, TABLE_PARTIES, bytes_of(party->byte, ID_BYTES), party_type, arena, &row, error);
  if (status == COLLEGA_NOT_FOUND) { /* nobody we have heard of: nothing to take */
    status = COLLEGA_OK;
    goto done;
  }
  if (status != COLLEGA_OK) goto done;
  const CollegaStore__Party *known = (const CollegaStore__Party *)row;
  for (size_t i = 0; i < known->n_records; i++) {
    struct collega_error why;
    status = load_record(known->records[i], members, arena, &why);
    if (status == COLLEGA_FORGED || status == COLLEGA_NOT_FOUND) {
      /* It verified when it was stored. A recovery card may since have put the signer's key
       * aside; then what that key signed no longer counts, and the rest of the party does. */
      log_warning("member_record_skipped", "record=%zu rule=%s", i, rule_name(why.rule));
      status = COLLEGA_OK;
    }
    if (status != COLLEGA_OK) {
      if (error != NULL) *error = why;
      break;
    }
  }
done:
  arena_destroy(&arena);
  return status;
}
