/* The broker's home, opened by a command that found the broker down: under its lock, with what it
 * takes to commit. The commands that use it also live here as one function each. */
#ifndef COLLEGA_BROKER_ADMIN_OFFICE_H
#define COLLEGA_BROKER_ADMIN_OFFICE_H
#include <jansson.h>
#include "base/config.h"
#include "base/terminal/terminal.h"
#include "broker/commit/commit.h"
#include "broker/store/log_rows.h"

struct office {
  const char *home;
  struct config *config;
  struct identity *identity;
  struct store *store;
  struct commit *commit;
  struct broker_state state;
  int lock;
};
/* COLLEGA_BUSY when the broker runs. office_close in any case. */
enum collega_status office_open(const char *home, struct office *office,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
void office_close(struct office *office);
/* Commits one request (taken over); a Refusal becomes *error. */
enum collega_status office_commit_take(struct office *office, struct request *request,
                                       struct collega_error *error) COLLEGA_MUST_CHECK;

enum collega_status command_init(const struct arguments *arguments, struct collega_error *error);
enum collega_status command_run(const struct arguments *arguments, struct collega_error *error);
enum collega_status command_invite(const struct arguments *arguments, struct collega_error *error);
enum collega_status command_members(const struct arguments *arguments, struct collega_error *error);
enum collega_status command_status(const struct arguments *arguments, struct collega_error *error);
enum collega_status command_revoke(const struct arguments *arguments, struct collega_error *error);
enum collega_status command_backup(const struct arguments *arguments, struct collega_error *error);
enum collega_status command_restore(const struct arguments *arguments, struct collega_error *error);

/* A sentence on standard output, in the command's language; at most four arguments, ended by
 * NULL. */
void say(const struct arguments *arguments, enum rule rule, ...) __attribute__((sentinel));
/* One document and a line end; releases it. */
enum collega_status json_print_take(json_t *document,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
