/* key rotate, key recover: the next keys of the party. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/process/process.h"
#include "client/cli/common.h"
#include "client/exchange/keys.h"

#define RECOVERY_FILE_BYTES 1024 /* more is no recovery key */

static enum collega_status told(struct desk *desk, uint32_t number, enum rule said,
                                struct collega_error *error) {
  char text[16];
  snprintf(text, sizeof text, "%u", (unsigned)number);
  enum collega_status status = COLLEGA_OK;
  if (argument_value(desk->arguments, "wait"))
    status = desk_wait(desk, desk_nothing_waits, NULL, error);
  if (status != COLLEGA_OK) return status;
  if (argument_json(desk->arguments))
    return json_print(json_pack("{s:I}", "card", (json_int_t)number), error);
  say(desk, said, text, NULL);
  return COLLEGA_OK;
}

enum collega_status command_key_rotate(const struct arguments *arguments,
                                       struct collega_error *error) {
  struct desk desk;
  uint32_t number = 0;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  desk_release(&desk);
  status = key_rotate(desk.exchange, &desk.party, desk.now, &number, error);
  if (status == COLLEGA_OK) status = told(&desk, number, RULE_said_rotated, error);
  desk_close(&desk);
  return status;
}

/* A secret has no place in the list of processes: it comes from a file, or from standard input. */
static enum collega_status read_secret(const char *source, char text[RECOVERY_FILE_BYTES],
                                       struct collega_error *error) {
  FILE *file = strcmp(source, "-") == 0 ? stdin : fopen(source, "r");
  if (!file) return error_system(error, source, errno);
  size_t length = fread(text, 1, RECOVERY_FILE_BYTES - 1, file);
  bool failed = ferror(file) != 0;
  int number = errno;
  if (file != stdin) fclose(file);
  if (failed) return error_system(error, source, number);
  text[length] = '\0';
  return COLLEGA_OK;
}

static enum collega_status recover_here(const struct arguments *arguments, const char *secret,
                                        struct collega_error *error) {
  struct desk desk;
  uint32_t number = 0;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  desk_release(&desk);
  status = key_recover(desk.exchange, &desk.party, secret, desk.now, &number, error);
  /* With an invitation it is the answer to that which is waited for, and told. */
  if (status == COLLEGA_OK && !argument_value(arguments, "invitation"))
    status = told(&desk, number, RULE_said_recovered, error);
  desk_close(&desk);
  return status;
}

/* Nothing is left of the home. */
static enum collega_status recover_home(const struct arguments *arguments, const char *home,
                                        const char *secret, struct collega_error *error) {
  struct desk desk = {.arguments = arguments, .language = argument_language(arguments)};
  struct id party;
  enum collega_status status = node_recover(home, argument_value(arguments, "invitation"), secret,
                                            clock_now(), &party, error);
  if (status == COLLEGA_OK) status = home_write_settings(home, error);
  if (status != COLLEGA_OK || argument_json(arguments)) return status;
  desk.arena = arena_new(4096, 1u << 20);
  if (!desk.arena) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  say(&desk, RULE_said_home_recovered, home, NULL);
  arena_destroy(&desk.arena);
  return COLLEGA_OK;
}

enum collega_status command_key_recover(const struct arguments *arguments,
                                        struct collega_error *error) {
  char text[RECOVERY_FILE_BYTES];
  const char *home, *source = argument_value(arguments, "recovery-key"),
                    *token = argument_value(arguments, "invitation");
  if (!source) return error_set(error, COLLEGA_USAGE, RULE_option_missing, "--recovery-key", NULL);
  int64_t seconds;
  enum collega_status status = argument_number(arguments, "wait", 0, 86400, 0, &seconds, error);
  if (status == COLLEGA_OK) status = argument_home(arguments, &home, error);
  bool lost = false;
  if (status == COLLEGA_OK) {
    status = home_check(home, "node", error);
    lost = token && status == COLLEGA_NOT_FOUND;
    if (lost) status = COLLEGA_OK;
  }
  if (status == COLLEGA_OK) status = read_secret(source, text, error);
  if (status == COLLEGA_OK)
    status =
        lost ? recover_home(arguments, home, text, error) : recover_here(arguments, text, error);
  explicit_bzero(text, sizeof text);
  return status == COLLEGA_OK && token ? join_with(arguments, token, error) : status;
}
