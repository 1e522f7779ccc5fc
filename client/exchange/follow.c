/* What of the board this node follows. The filter comes from the settings and is the same for as
 * long as the daemon runs; the cursor in the ledger belongs to one filter. Another filter starts
 * anew: an entry tells so, and drops what the former one brought. */
#include "client/exchange/inside.h"

#include <stdlib.h>
#include <string.h>

#include "proto/check.h"
#include "proto/guard.h"

#define VALUES_MOST        64u /* of one setting; the schema may allow fewer */
#define FILTER_ARENA_BYTES 65536u
#define KIND_PREFIX        "OFFER_KIND_"

static int by_text(const void *left, const void *right) {
  return strcmp(*(char *const *)left, *(char *const *)right);
}

/* The values of a setting, sorted, each once: the order in which they were written must not make
 * another filter. */
static enum collega_status read_values(const char *text, const char *field, struct arena *arena,
                                       char ***out, size_t *count, struct collega_error *error) {
  static const char between[] = ", \t";
  *count = 0;
  *out = NULL;
  if (!text || !text[strspn(text, between)]) return COLLEGA_OK;
  char *rest = arena_text(arena, text), *place = NULL;
  *out = arena_take(arena, VALUES_MOST * sizeof **out);
  if (!rest || !*out) return exchange_no_memory(error);
  for (char *one = strtok_r(rest, between, &place); one; one = strtok_r(NULL, between, &place)) {
    if (*count == VALUES_MOST)
      return error_set(error, COLLEGA_INVALID, RULE_follow_many, field, "64", NULL);
    (*out)[(*count)++] = one;
  }
  qsort(*out, *count, sizeof **out, by_text);
  size_t kept = 0;
  for (size_t i = 0; i < *count; i++)
    if (i == 0 || strcmp((*out)[i], (*out)[kept - 1]) != 0) (*out)[kept++] = (*out)[i];
  *count = kept;
  return COLLEGA_OK;
}

static enum collega_status read_kinds(char *const *names, size_t count, struct arena *arena,
                                      Collega__Filter *filter, struct collega_error *error) {
  if (count == 0) return COLLEGA_OK;
  filter->kinds = arena_take(arena, count * sizeof *filter->kinds);
  if (!filter->kinds) return exchange_no_memory(error);
  for (size_t i = 0; i < count; i++) {
    char name[64] = KIND_PREFIX;
    size_t length = sizeof KIND_PREFIX - 1;
    for (const char *at = names[i]; *at && length + 1 < sizeof name; at++)
      name[length++] = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value_by_name(&collega__offer_kind__descriptor, name);
    if (!value) return error_set(error, COLLEGA_INVALID, RULE_follow_kind, "kinds", names[i], NULL);
    filter->kinds[filter->n_kinds++] = (Collega__OfferKind)value->value;
  }
  return COLLEGA_OK;
}

static enum collega_status read_filter(const struct follow_texts *texts, struct arena *arena,
                                       struct bytes *packed, struct collega_error *error) {
  Collega__Filter filter = COLLEGA__FILTER__INIT;
  char **kinds = NULL;
  size_t kind_count = 0;
  enum collega_status status =
      read_values(texts->kinds, "kinds", arena, &kinds, &kind_count, error);
  if (status == COLLEGA_OK) status = read_kinds(kinds, kind_count, arena, &filter, error);
  if (status == COLLEGA_OK)
    status = read_values(texts->occupations, "occupations", arena, &filter.occupations,
                         &filter.n_occupations, error);
  if (status == COLLEGA_OK)
    status =
        read_values(texts->regions, "regions", arena, &filter.regions, &filter.n_regions, error);
  if (status == COLLEGA_OK)
    status =
        read_values(texts->sectors, "sectors", arena, &filter.sectors, &filter.n_sectors, error);
  if (status == COLLEGA_OK) status = check_fields(&filter.base, error);
  return status == COLLEGA_OK ? exchange_pack(arena, &filter.base, packed, error) : status;
}

enum collega_status exchange_set_filter(struct exchange *exchange, const struct follow_texts *texts,
                                        struct collega_error *error) {
  struct arena *arena = arena_new(4096, FILTER_ARENA_BYTES);
  struct bytes packed = {NULL, 0};
  if (!arena) return exchange_no_memory(error);
  enum collega_status status = read_filter(texts, arena, &packed, error);
  if (status != COLLEGA_OK) {
    error_prefix(error, "follow");
    arena_destroy(&arena);
    return status;
  }
  arena_destroy(&exchange->filter_arena);
  exchange->filter_arena = arena;
  exchange->filter = packed;
  return COLLEGA_OK;
}

/* ---- the frame */

static enum collega_status stored_broker(struct exchange *exchange, struct arena *arena,
                                         CollegaStore__BrokerRow **broker,
                                         struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  enum collega_status status = ledger_read(exchange->ledger, &txn, error);
  if (status == COLLEGA_OK) status = exchange_broker(txn, arena, broker, error);
  ledger_abort(&txn);
  return status;
}

/* A home that is behind reads the whole board: its own offers must come back, whatever it follows. */
static struct bytes filter_now(const struct exchange *exchange) {
  return exchange->catch_up.phase == CATCH_UP_NOT ? exchange->filter : bytes_of("", 0);
}

static enum collega_status start_anew(struct exchange *exchange, struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  struct ledger_event event = {.time = exchange->intake_time,
                               .kind = COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FILTER,
                               .payload = filter_now(exchange)};
  enum collega_status status = exchange_begin(exchange, &txn, error);
  if (status != COLLEGA_OK) return status;
  status = exchange_append(exchange, txn, &event, error);
  return exchange_end(exchange, &txn, status, error);
}

/* The follow of a node is its first and, for now, its only one. */
enum collega_status exchange_follow(struct exchange *exchange, struct arena *arena,
                                    struct bytes *frame, struct collega_error *error) {
  Collega__ToBroker to = COLLEGA__TO_BROKER__INIT;
  Collega__Follow follow = COLLEGA__FOLLOW__INIT;
  Collega__Cursor cursor = COLLEGA__CURSOR__INIT, *cursors = &cursor;
  CollegaStore__BrokerRow *broker = NULL;
  enum collega_status status = stored_broker(exchange, arena, &broker, error);
  /* Inside a transaction of the intake it is asked again for what this session follows already. */
  if (status == COLLEGA_OK && broker && !exchange->writing &&
      !bytes_equal(field_bytes(&broker->log_filter), filter_now(exchange))) {
    status = start_anew(exchange, error);
    if (status == COLLEGA_OK) status = stored_broker(exchange, arena, &broker, error);
  }
  if (status != COLLEGA_OK) return status;
  follow.number = FOLLOW_NUMBER;
  follow.filter =
      (Collega__Filter *)row_unpack(&collega__filter__descriptor, filter_now(exchange), arena);
  if (!follow.filter) return exchange_no_memory(error);
  if (broker && broker->has_log_epoch) {
    cursor.origin = broker->broker;
    cursor.epoch = broker->log_epoch;
    cursor.seq = broker->log_seq;
    follow.n_cursors = 1;
    follow.cursors = &cursors;
  }
  to.follow = &follow;
  return exchange_pack(arena, &to.base, frame, error);
}
