/* ledger backup, restore, export, import. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/common.h"
#include "client/exchange/backup.h"
#include "client/exchange/transfer.h"

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

/* ---- export: one JSON object a line, for others: the chain, without what it is about */

static enum collega_status export_entry(struct desk *desk, uint64_t number,
                                        struct collega_error *error) {
  struct ledger_event event;
  struct id hash;
  arena_reset(desk->arena);
  enum collega_status status = ledger_entry(desk->txn, number, desk->arena, &event, error);
  if (status == COLLEGA_OK) status = ledger_hash_at(desk->txn, number, &hash, error);
  if (status != COLLEGA_OK) return status;
  json_t *entry = ledger_entry_json(desk, &event);
  bool ok = entry && json_put(entry, "hash", json_hex(hash.byte, ID_BYTES));
  char *line = ok ? json_dumps(entry, JSON_COMPACT) : NULL;
  json_decref(entry);
  if (!line) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  bool written = printf("%s\n", line) > 0;
  free(line);
  return written ? COLLEGA_OK : error_output(error, errno);
}

static enum collega_status export_lines(struct desk *desk, struct collega_error *error) {
  struct ledger_head head;
  enum collega_status status = ledger_head(desk->txn, &head, error);
  if (status != COLLEGA_OK) return status;
  /* Lines on the same terminal and a line that is written over would spoil each other. */
  struct progress *progress =
      terminal_columns(stdout) > 0 ? NULL : desk_progress(desk, RULE_progress_written, head.number);
  for (uint64_t number = 1; status == COLLEGA_OK && number <= head.number; number++) {
    status = export_entry(desk, number, error);
    progress_step(progress, number);
  }
  progress_close(&progress);
  return status;
}

/* Where the file goes to standard output, words about it do not. */
static enum collega_status export_file(struct desk *desk, const char *path,
                                       struct collega_error *error) {
  struct desk_telling telling = {.desk = desk, .what = RULE_progress_written};
  uint64_t entries = 0;
  char count[24];
  desk_release(desk);
  enum collega_status status =
      node_export(desk->exchange, path, desk->now, desk_tell_step, &telling, &entries, error);
  progress_close(&telling.progress);
  if (status != COLLEGA_OK || strcmp(path, "-") == 0) return status;
  if (argument_json(desk->arguments))
    return json_print(json_pack("{s:s, s:I}", "export", path, "entries", (json_int_t)entries),
                      error);
  snprintf(count, sizeof count, "%" PRIu64, entries);
  say(desk, RULE_said_exported, count, path, NULL);
  return COLLEGA_OK;
}

enum collega_status command_ledger_export(const struct arguments *arguments,
                                          struct collega_error *error) {
  struct desk desk;
  const char *file = argument_value(arguments, "complete");
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = file ? export_file(&desk, file, error) : export_lines(&desk, error);
  desk_close(&desk);
  return status;
}

/* ---- import */

static enum collega_status say_imported(struct desk *desk, const struct node_imported *imported,
                                        struct collega_error *error) {
  char entries[24], signatures[24];
  if (argument_json(desk->arguments))
    return json_print(json_pack("{s:s, s:I, s:I, s:b}", "imported", desk->home, "entries",
                                (json_int_t)imported->entries, "signatures",
                                (json_int_t)imported->signatures, "already", imported->already),
                      error);
  snprintf(entries, sizeof entries, "%" PRIu64, imported->entries);
  snprintf(signatures, sizeof signatures, "%" PRIu64, imported->signatures);
  if (imported->already)
    say(desk, RULE_said_imported_already, entries, desk->home, NULL);
  else
    say(desk, RULE_said_imported, entries, signatures, desk->home, NULL);
  return COLLEGA_OK;
}

/* Opens the home only when it has its ledger. */
enum collega_status command_ledger_import(const struct arguments *arguments,
                                          struct collega_error *error) {
  struct desk desk, words = {.arguments = arguments, .language = argument_language(arguments)};
  struct desk_telling telling = {.desk = &words, .what = RULE_progress_imported};
  struct node_import import = {.file = argument_at(arguments, 0),
                               .keys = argument_value(arguments, "keys"),
                               .now = clock_now(),
                               .progress = desk_tell_step,
                               .context = &telling};
  struct node_imported imported;
  enum collega_status status = argument_home(arguments, &import.home, error);
  if (status == COLLEGA_OK) status = node_import(&import, &imported, error);
  progress_close(&telling.progress);
  if (status == COLLEGA_OK) status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = say_imported(&desk, &imported, error);
  desk_close(&desk);
  return status;
}
