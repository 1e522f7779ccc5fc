/* ledger log, verify, rebuild. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/common.h"

#define LOG_ENTRIES 50
#define LOG_MOST    1000000

static const char *kind_name(struct desk *desk, CollegaStore__EntryKind kind) {
  const ProtobufCEnumValue *value =
      protobuf_c_enum_descriptor_get_value(&collega_store__entry_kind__descriptor, (int)kind);
  if (!value) return "?";
  /* ENTRY_KIND_OWN_RECORDS -> own_records */
  char *name = arena_text(desk->arena, value->name + strlen("ENTRY_KIND_"));
  for (char *at = name; at && *at; ++at)
    if (*at >= 'A' && *at <= 'Z') *at = (char)(*at - 'A' + 'a');
  return name ? name : "?";
}

json_t *ledger_entry_json(struct desk *desk, const struct ledger_event *event) {
  json_t *out = json_object();
  bool ok = out && json_put(out, "number", json_integer((json_int_t)event->number)) &&
            json_put(out, "time", json_time(event->time)) &&
            json_put(out, "kind", json_string(kind_name(desk, event->kind))) &&
            json_put(out, "erased", json_boolean(event->erased || event->reduced)) &&
            json_put(out, "bytes", json_integer((json_int_t)event->payload.length));
  if (ok && event->record) ok = json_put(out, "record", json_hex(event->record->byte, ID_BYTES));
  if (ok && event->party) ok = json_put(out, "party", json_hex(event->party->byte, ID_BYTES));
  if (ok && event->counterpart)
    ok = json_put(out, "counterpart", json_hex(event->counterpart->byte, ID_BYTES));
  if (ok && event->position)
    ok = json_put(out, "origin", json_hex(event->position->origin.byte, ID_BYTES)) &&
         json_put(out, "epoch", json_hex(event->position->epoch.byte, EPOCH_BYTES)) &&
         json_put(out, "seq", json_integer((json_int_t)event->position->seq));
  if (ok) return out;
  json_decref(out);
  return NULL;
}

static enum collega_status log_json(struct desk *desk, uint64_t from, uint64_t until,
                                    struct collega_error *error) {
  json_t *list = json_array();
  enum collega_status status = COLLEGA_OK;
  for (uint64_t number = from; list && status == COLLEGA_OK && number <= until; ++number) {
    struct ledger_event event;
    status = ledger_entry(desk->txn, number, desk->arena, &event, error);
    if (status == COLLEGA_OK) list = json_add(list, ledger_entry_json(desk, &event));
  }
  if (status == COLLEGA_OK) return json_print_list("entries", list, error);
  json_decref(list);
  return status;
}

static enum collega_status log_table(struct desk *desk, uint64_t from, uint64_t until,
                                     struct collega_error *error) {
  static const char *const dutch[] = {"nummer", "tijd", "soort", "bericht", "met wie", "bytes"};
  static const char *const english[] = {"number", "time", "kind", "record", "with", "bytes"};
  struct table *table =
      table_new(6, desk->language == LANGUAGE_NL ? dutch : english, 1u | (1u << 5));
  if (!table) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  table_may_cut(table, 1u << 4);
  enum collega_status status = COLLEGA_OK;
  for (uint64_t number = from; status == COLLEGA_OK && number <= until; ++number) {
    struct ledger_event event;
    status = ledger_entry(desk->txn, number, desk->arena, &event, error);
    if (status != COLLEGA_OK) break;
    char text[24], time[32], size[24];
    snprintf(text, sizeof text, "%" PRIu64, event.number);
    snprintf(size, sizeof size, "%zu", event.payload.length);
    time_write_local(time, sizeof time, event.time); /* to the millisecond with --json */
    const char *cells[] = {text,
                           time,
                           kind_name(desk, event.kind),
                           event.record ? hex_text(desk, event.record->byte, 4) : "",
                           event.counterpart ? party_name(desk, event.counterpart) : "",
                           size};
    table_row(table, cells);
  }
  if (status == COLLEGA_OK) table_print(table, stdout);
  table_destroy(&table);
  return status;
}

enum collega_status command_ledger_log(const struct arguments *arguments,
                                       struct collega_error *error) {
  struct desk desk;
  struct ledger_head head;
  int64_t last = LOG_ENTRIES;
  bool given = false;
  enum collega_status status = option_number(arguments, "last", 1, LOG_MOST, &given, &last, error);
  if (status == COLLEGA_OK) status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = ledger_head(desk.txn, &head, error);
  if (status == COLLEGA_OK) {
    uint64_t from = head.number > (uint64_t)last ? head.number - (uint64_t)last + 1 : 1;
    status = argument_json(arguments) ? log_json(&desk, from, head.number, error)
                                      : log_table(&desk, from, head.number, error);
  }
  desk_close(&desk);
  return status;
}

enum collega_status command_ledger_verify(const struct arguments *arguments,
                                          struct collega_error *error) {
  struct desk desk;
  uint64_t checked = 0, signatures = 0;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  desk_release(&desk);
  struct desk_telling hashes = {.desk = &desk, .what = RULE_progress_checked};
  struct desk_telling signed_runs = {.desk = &desk, .what = RULE_progress_signatures};
  status =
      ledger_verify(exchange_ledger(desk.exchange), 1, desk_tell_step, &hashes, &checked, error);
  progress_close(&hashes.progress);
  if (status == COLLEGA_OK)
    status = exchange_verify(desk.exchange, desk_tell_step, &signed_runs, &signatures, error);
  progress_close(&signed_runs.progress);
  if (status == COLLEGA_OK && argument_json(arguments)) {
    status = json_print(json_pack("{s:b, s:I, s:I}", "valid", 1, "entries", (json_int_t)checked,
                                  "signatures", (json_int_t)signatures),
                        error);
  } else if (status == COLLEGA_OK) {
    char entries[24], runs[24];
    snprintf(entries, sizeof entries, "%" PRIu64, checked);
    snprintf(runs, sizeof runs, "%" PRIu64, signatures);
    say(&desk, RULE_said_ledger_verified, entries, runs, NULL);
  }
  desk_close(&desk);
  return status;
}

struct rebuilding {
  struct exchange *exchange;
  struct progress *progress;
};

static enum collega_status apply_one(struct ledger_txn *txn, const struct ledger_event *event,
                                     void *context, struct collega_error *error) {
  struct rebuilding *rebuilding = context;
  progress_step(rebuilding->progress, event->number);
  return exchange_apply(txn, event, rebuilding->exchange, error);
}

enum collega_status command_ledger_rebuild(const struct arguments *arguments,
                                           struct collega_error *error) {
  struct desk desk;
  struct ledger_head head = {0};
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = ledger_head(desk.txn, &head, error);
  desk_release(&desk);
  struct rebuilding rebuilding = {desk.exchange,
                                  desk_progress(&desk, RULE_progress_replayed, head.number)};
  if (status == COLLEGA_OK)
    status = ledger_rebuild(exchange_ledger(desk.exchange), apply_one, &rebuilding, error);
  progress_close(&rebuilding.progress);
  if (status == COLLEGA_OK && argument_json(arguments))
    status = json_print(json_pack("{s:b}", "rebuilt", 1), error);
  else if (status == COLLEGA_OK)
    say(&desk, RULE_said_ledger_rebuilt, NULL);
  desk_close(&desk);
  return status;
}
