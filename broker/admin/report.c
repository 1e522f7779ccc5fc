/* Reports: rows of the store as JSON. */
#include "broker/admin/report.h"
#include "broker/mail/mailbox.h"
#include "broker/store/log_rows.h"
#include "broker/store/member_rows.h"
#include "proto/guard.h"
#include "proto/keys.h"
#include "proto/limits.h"
#include <ctype.h>
#include <string.h>

static json_t *id_json(const struct id *id) {
  char text[2 * ID_BYTES + 1];
  hex_write(text, id->byte, ID_BYTES);
  return json_string(text);
}

/* "ROLE_EMPLOYER" becomes "employer". */
static json_t *role_json(uint32_t role) {
  const ProtobufCEnumValue *value =
      protobuf_c_enum_descriptor_get_value(&collega__role__descriptor, (int)role);
  char text[32] = "";
  const char *name = value == NULL ? "" : value->name + sizeof "ROLE_" - 1;
  for (size_t i = 0; name[i] != '\0' && i + 1 < sizeof text; i++)
    text[i] = (char)tolower((unsigned char)name[i]);
  return json_string(text);
}

static json_t *time_json(collega_time time) {
  char text[32];
  time_write(text, sizeof text, time);
  return json_string(text);
}

struct listing {
  json_t *members;
  struct id broker;
  size_t in_force, ending; /* certificates that end within CERT_NOTICE_MS, or are over */
  collega_time now;
};

static bool list_member(void *context, const struct id *party, const struct party_row *row) {
  struct listing *listing = context;
  if (id_equal(party, &listing->broker)) return true; /* knows itself, and is nobody's member */
  char fingerprint[FINGERPRINT_BYTES];
  fingerprint_write(fingerprint, party);
  bool in_force = party_row_in_force(row, listing->now);
  listing->in_force += in_force;
  listing->ending += !row->revoked && row->certified_until - listing->now < CERT_NOTICE_MS;
  if (listing->members == NULL) return true;
  json_t *member = json_pack("{s:o,s:s,s:s,s:o,s:s,s:b,s:b,s:o}", "id", id_json(party), "name",
                             row->name, "kvk", row->kvk, "role", role_json(row->role),
                             "fingerprint", fingerprint, "revoked", (int)row->revoked, "in_force",
                             (int)in_force, "certified_until", time_json(row->certified_until));
  if (member != NULL && !id_equal(&row->host, party))
    json_object_set_new(member, "host", id_json(&row->host));
  return json_array_append_new(listing->members, member) == 0;
}

static enum collega_status no_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_SYSTEM, RULE_out_of_memory, NULL, NULL);
}

enum collega_status report_members(struct store_txn *txn, collega_time now, json_t **out,
                                   struct collega_error *error) {
  struct listing listing = {.members = json_array(), .now = now};
  struct broker_state state;
  bool found = false;
  *out = NULL;
  if (listing.members == NULL) return no_memory(error);
  enum collega_status status = state_read(txn, &state, &found, error);
  listing.broker = state.broker;
  if (status == COLLEGA_OK) status = party_rows_walk(txn, list_member, &listing, error);
  if (status == COLLEGA_OK) *out = json_pack("{s:O}", "members", listing.members);
  json_decref(listing.members);
  return status != COLLEGA_OK || *out != NULL ? status : no_memory(error);
}

enum collega_status report_mailbox_bytes(struct store_txn *txn, uint64_t *out,
                                         struct collega_error *error) {
  struct store_cursor cursor;
  *out = 0;
  enum collega_status status = store_cursor_open(txn, STORE_BOXES, &cursor, error);
  if (status != COLLEGA_OK) return status;
  status = store_seek(&cursor, bytes_of(NULL, 0), error);
  while (status == COLLEGA_OK && cursor.key.data != NULL) {
    struct id party;
    struct box box;
    if (id_from(&party, cursor.key.data, cursor.key.length)) { /* not a sender's */
      status = box_read(txn, &party, &box, error);
      if (status == COLLEGA_OK) *out += box.waiting_bytes;
    }
    if (status == COLLEGA_OK) status = store_next(&cursor, error);
  }
  store_cursor_close(&cursor);
  return status;
}

enum collega_status report_status(struct store *store, struct store_txn *txn, collega_time now,
                                  json_t **out, struct collega_error *error) {
  struct broker_state state;
  struct store_room room;
  struct listing listing = {.now = now};
  uint64_t waiting = 0;
  bool found = false;
  *out = NULL;
  enum collega_status status = state_read(txn, &state, &found, error);
  if (status == COLLEGA_OK && !found)
    status = error_set(error, COLLEGA_DAMAGED, RULE_disk_not_found, NULL, "state", NULL);
  listing.broker = state.broker;
  if (status == COLLEGA_OK) status = store_room(store, &room, error);
  if (status == COLLEGA_OK) status = party_rows_walk(txn, list_member, &listing, error);
  if (status == COLLEGA_OK) status = report_mailbox_bytes(txn, &waiting, error);
  if (status != COLLEGA_OK) return status;
  char fingerprint[FINGERPRINT_BYTES], epoch[2 * EPOCH_BYTES + 1];
  fingerprint_write(fingerprint, &state.broker);
  hex_write(epoch, state.epoch.byte, EPOCH_BYTES);
  *out = json_pack("{s:{s:o,s:s,s:s,s:s,s:I},s:{s:I},s:{s:I,s:I,s:I},s:I,s:I,s:{s:I}}", "broker",
                   "id", id_json(&state.broker), "name", state.name, "fingerprint", fingerprint,
                   "epoch", epoch, "epoch_number", (json_int_t)state.epoch_number, "log", "seq",
                   (json_int_t)state.log_seq, "store", "used", (json_int_t)room.used, "map",
                   (json_int_t)room.map, "free", (json_int_t)room.free, "members",
                   (json_int_t)listing.in_force, "certificates_ending", (json_int_t)listing.ending,
                   "mailboxes", "waiting_bytes", (json_int_t)waiting);
  return *out == NULL ? no_memory(error) : COLLEGA_OK;
}

/* ---- finding a member */

struct search {
  const char *text;
  bool hex;            /* it may be an id's prefix too */
  struct id_search by; /* those that fit, by id, number or name */
};

static bool compare_member(void *context, const struct id *party, const struct party_row *row) {
  struct search *search = context;
  /* Name and number pass on to whoever has them now. */
  if (!row->revoked &&
      (strcmp(search->text, row->kvk) == 0 || strcmp(search->text, row->name) == 0))
    return id_search_take(&search->by, party->byte);
  return !search->hex || id_search_give(&search->by, party->byte);
}

enum collega_status report_find_member(struct store_txn *txn, const char *text, struct id *out,
                                       struct collega_error *error) {
  struct search search = {.text = text};
  search.hex = id_search_begin(&search.by, text, ID_BYTES);
  enum collega_status status = party_rows_walk(txn, compare_member, &search, error);
  if (status != COLLEGA_OK) return status;
  if (search.by.count == 0)
    return error_set(error, COLLEGA_NOT_FOUND, RULE_member_unknown, NULL, text, NULL);
  if (search.by.count > 1) {
    char list[100];
    id_search_list(&search.by, list, sizeof list);
    return error_set(error, COLLEGA_INVALID, RULE_member_ambiguous, NULL, text, list, NULL);
  }
  *out = search.by.found[0];
  return COLLEGA_OK;
}

/* ---- what brings a member back */

#define RECOVERY_CARDS 32 /* as an invitation may hold */

struct chain {
  struct id wanted; /* the card that is looked for: the newest, then the one before it */
  char *digits[RECOVERY_CARDS];
  size_t count; /* newest first */
  bool found, first;
  struct arena *arena;
};

static enum collega_status look_at_card(void *context, const struct member_record *record,
                                        struct collega_error *error) {
  struct chain *chain = context;
  struct run_view view;
  Collega__Run *run;
  enum collega_status status = run_read_bytes(record->run, chain->arena, &view, error);
  if (status != COLLEGA_OK || chain->found || record->index >= view.count) return status;
  const struct record *card = &view.records[record->index];
  if (!card->body->card || !id_equal(&card->id, &chain->wanted)) return COLLEGA_OK;
  uint32_t index = record->index;
  status = run_cut(&view, &index, 1, chain->arena, &run, error);
  if (status != COLLEGA_OK) return status;
  struct bytes packed = message_pack(&run->base, chain->arena);
  char *digits = arena_take(chain->arena, 2 * packed.length + 1);
  if (!packed.data || !digits) return no_memory(error);
  hex_write(digits, packed.data, packed.length);
  chain->digits[chain->count++] = digits;
  chain->found = true;
  chain->first = !card->body->card->has_previous;
  if (!chain->first)
    (void)id_from(&chain->wanted, card->body->card->previous.data, card->body->card->previous.len);
  return COLLEGA_OK;
}

/* From the newest card back to the first: those that were replaced are not in it. */
static enum collega_status read_chain(struct store_txn *txn, const struct id *broker,
                                      const struct id *party, struct chain *chain,
                                      struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  do {
    chain->found = false;
    if (chain->count == RECOVERY_CARDS)
      return error_set(error, COLLEGA_REFUSED, RULE_recover_cards, NULL, NULL);
    status = member_records_walk(txn, broker, party, look_at_card, chain, error);
  } while (status == COLLEGA_OK && chain->found && !chain->first);
  if (status != COLLEGA_OK || chain->found) return status;
  return error_set(error, COLLEGA_DAMAGED, RULE_disk_corrupt, NULL, "members", "card", NULL);
}

enum collega_status report_recovery(struct store_txn *txn, const char *member, json_t **out,
                                    struct collega_error *error) {
  struct broker_state state;
  struct party_row row;
  struct id party;
  bool found = false, known = false;
  *out = NULL;
  enum collega_status status = report_find_member(txn, member, &party, error);
  if (status == COLLEGA_OK) status = state_read(txn, &state, &found, error);
  if (status == COLLEGA_OK) status = party_row_read(txn, &party, &row, &known, error);
  if (status != COLLEGA_OK) return status;
  if (!known || row.revoked || id_equal(&party, &state.broker))
    return error_set(error, COLLEGA_REFUSED, RULE_not_member, NULL, NULL);
  if (!id_equal(&row.host, &party))
    return error_set(error, COLLEGA_REFUSED, RULE_recover_at_host, NULL, row.name, NULL);
  struct chain chain = {.wanted = row.card, .arena = arena_new(65536, LIMIT_ARENA_BYTES)};
  json_t *cards = json_array();
  if (!chain.arena || !cards)
    status = no_memory(error);
  else
    status = read_chain(txn, &state.broker, &party, &chain, error);
  for (size_t i = chain.count; status == COLLEGA_OK && i-- > 0;)
    if (json_array_append_new(cards, json_string(chain.digits[i])) != 0) status = no_memory(error);
  if (status == COLLEGA_OK)
    *out = json_pack("{s:s,s:s,s:o,s:O}", "name", row.name, "kvk", row.kvk, "role",
                     role_json(row.role), "cards", cards);
  json_decref(cards);
  arena_destroy(&chain.arena);
  return status != COLLEGA_OK || *out ? status : no_memory(error);
}
