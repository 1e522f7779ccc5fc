/* ledger backup, restore, export. */
#include <stdio.h>
#include <stdlib.h>

#include "client/cli/common.h"
#include "client/exchange/backup.h"

enum collega_status command_ledger_backup(const struct arguments *arguments,
                                          struct collega_error *error) {
  struct desk desk;
  const char *to = argument_at(arguments, 0);
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  desk_release(&desk);
  struct progress *progress = desk_progress(&desk, RULE_progress_copying, 0);
  progress_step(progress, 0);
  status = node_backup(desk.exchange, to, error);
  progress_close(&progress);
  if (status == COLLEGA_OK && argument_json(arguments))
    status = json_print(json_pack("{s:s}", "backup", to), error);
  else if (status == COLLEGA_OK)
    say(&desk, RULE_said_backed_up, to, NULL);
  desk_close(&desk);
  return status;
}

/* Opens the home only when it is made. */
enum collega_status command_ledger_restore(const struct arguments *arguments,
                                           struct collega_error *error) {
  struct desk desk;
  const char *home;
  enum collega_status status = argument_home(arguments, &home, error);
  if (status == COLLEGA_OK)
    status = node_restore(argument_at(arguments, 0), home, clock_now(), error);
  if (status == COLLEGA_OK) status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  if (argument_json(arguments))
    status = json_print(json_pack("{s:s}", "restored", home), error);
  else
    say(&desk, RULE_said_restored, home, NULL);
  desk_close(&desk);
  return status;
}

/* ---- export: one JSON object a line, for other programs */

static enum collega_status export_entry(struct desk *desk, uint64_t number,
                                        struct collega_error *error) {
  struct ledger_event event;
  struct id hash;
  arena_reset(desk->arena);
  enum collega_status status = ledger_entry(desk->txn, number, desk->arena, &event, error);
  if (status == COLLEGA_OK) status = ledger_hash_at(desk->txn, number, &hash, error);
  if (status != COLLEGA_OK) return status;
  json_t *entry = ledger_entry_json(desk, &event);
  bool ok = entry && json_put(entry, "hash", json_hex(hash.byte, ID_BYTES)) &&
            (!event.payload.data ||
             json_put(entry, "payload",
                      json_string(hex_text(desk, event.payload.data, event.payload.length))));
  char *line = ok ? json_dumps(entry, JSON_COMPACT) : NULL;
  json_decref(entry);
  if (!line) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  bool written = printf("%s\n", line) > 0;
  free(line);
  return written
             ? COLLEGA_OK
             : error_set(error, COLLEGA_SYSTEM, RULE_system_call, NULL, "stdout", "write", NULL);
}

enum collega_status command_ledger_export(const struct arguments *arguments,
                                          struct collega_error *error) {
  struct desk desk;
  struct ledger_head head;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = ledger_head(desk.txn, &head, error);
  /* Lines on the same terminal and a line that is written over would spoil each other. */
  struct progress *progress = terminal_columns(stdout) > 0
                                  ? NULL
                                  : desk_progress(&desk, RULE_progress_written, head.number);
  for (uint64_t number = 1; status == COLLEGA_OK && number <= head.number; number++) {
    status = export_entry(&desk, number, error);
    progress_step(progress, number);
  }
  progress_close(&progress);
  desk_close(&desk);
  return status;
}
