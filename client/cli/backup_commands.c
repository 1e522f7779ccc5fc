/* ledger backup, ledger restore. */
#include "client/cli/common.h"
#include "client/exchange/backup.h"

enum collega_status command_ledger_backup(const struct arguments *arguments,
                                          struct collega_error *error) {
  struct desk desk;
  const char *to = argument_at(arguments, 0);
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  desk_release(&desk);
  status = node_backup(desk.exchange, to, error);
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
