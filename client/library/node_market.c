/* Market figures, through the public interface. */
#include <stdlib.h>

#include "client/library/market.h"
#include "client/library/node.h"

#define MARKET_ARENA_BYTES (256u * 1024u * 1024u)

struct collega_market {
  struct arena *arena;
  struct collega_market_row *rows;
  size_t count, room;
  bool failed;
};

int collega_market_show(struct collega_node *node, char **json, struct collega_failure *failure) {
  struct call call;
  json_t *market = NULL;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK) status = market_make(&call.view, &market, &call.error);
  return call_end(&call, status, market);
}

void collega_market_destroy(struct collega_market **market) {
  if (!market || !*market) return;
  arena_destroy(&(*market)->arena);
  free(*market);
  *market = NULL;
}

static int64_t integer_of(const json_t *value) {
  return json_is_integer(value) ? json_integer_value(value) : COLLEGA_MARKET_HIDDEN;
}

static void add_row(void *context, const struct market_row *row) {
  struct collega_market *market = context;
  if (market->failed) return;
  struct collega_market_row *rows =
      array_grow(market->arena, market->rows, market->count, &market->room, sizeof *market->rows);
  const char *key = arena_text(market->arena, row->key);
  const char *name = arena_text(market->arena, row->name);
  market->failed = !rows || !key || !name;
  if (market->failed) return;
  market->rows = rows;
  rows[market->count++] = (struct collega_market_row){
      .table = row->table, /* of the program's own */
      .key = key,
      .name = name,
      .asked = row->asked,
      .people = integer_of(row->people),
      .offers = integer_of(row->offers),
      .employers = integer_of(row->employers),
      .value = json_is_number(row->value) ? json_number_value(row->value) : COLLEGA_MARKET_HIDDEN};
}

static struct collega_market *market_values(const json_t *document) {
  struct collega_market *market = calloc(1, sizeof *market);
  if (!market) return NULL;
  market->arena = arena_new(16384, MARKET_ARENA_BYTES);
  market->failed = !market->arena;
  market_rows(document, add_row, market);
  if (market->failed) collega_market_destroy(&market);
  return market;
}

int collega_market_open(struct collega_node *node, struct collega_market **out,
                        struct collega_failure *failure) {
  struct call call;
  json_t *document = NULL;
  if (out) *out = NULL;
  enum collega_status status = call_begin(&call, node, NULL, failure);
  if (status == COLLEGA_OK) status = call_need(&call, out, "out");
  if (status == COLLEGA_OK) status = market_make(&call.view, &document, &call.error);
  if (status == COLLEGA_OK) {
    *out = market_values(document);
    if (!*out) status = error_set(&call.error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  }
  json_decref(document);
  return call_end_bare(&call, status);
}

int collega_market_row(const struct collega_market *market, size_t index,
                       struct collega_market_row *out) {
  if (index >= market->count) return 0;
  fill_sized(out, &market->rows[index], sizeof *out);
  return 1;
}
