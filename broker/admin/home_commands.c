/* init, run, backup, restore: the home itself. */
#include "broker/admin/office.h"
#include "base/fault.h"
#include "base/process/process.h"
#include "broker/daemon/run.h"
#include "broker/daemon/settings.h"
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

static enum collega_status check_name(const char *name, struct collega_error *error) {
  if (name == NULL)
    return error_set(error, COLLEGA_USAGE, RULE_arguments_missing, NULL, "--name", NULL);
  size_t length = strlen(name);
  if (length == 0) return error_set(error, COLLEGA_INVALID, RULE_required, "name", NULL);
  if (length >= BROKER_NAME_BYTES)
    return error_set(error, COLLEGA_INVALID, RULE_too_long, "name", "120", NULL);
  if (!utf8_text((const uint8_t *)name, length, false))
    return error_set(error, COLLEGA_INVALID, RULE_text_line, "name", NULL);
  return COLLEGA_OK;
}

static enum collega_status check_listen(const char *listen, struct collega_error *error) {
  const char *colon = strrchr(listen, ':');
  bool fits = strlen(listen) <= 255 && strncmp(listen, "tcp://", 6) == 0 && colon != NULL &&
              colon > listen + 6 && colon[1] != '\0' &&
              strspn(colon + 1, "0123456789") == strlen(colon + 1) && strlen(colon + 1) <= 5 &&
              atoi(colon + 1) <= 65535 && /* 0: a free one */
              utf8_text((const uint8_t *)listen, strlen(listen), false);
  return fits ? COLLEGA_OK : error_set(error, COLLEGA_INVALID, RULE_form_address, "listen", NULL);
}

/* The store with the broker's card and the start of its first epoch in it. */
static enum collega_status make_store(const char *home, struct identity *identity, const char *name,
                                      struct collega_error *error) {
  struct config *config;
  struct store *store = NULL;
  struct commit *commit = NULL;
  enum collega_status status = broker_settings_load(home, &config, error);
  if (status == COLLEGA_OK) status = broker_store_open(home, config, false, &store, error);
  if (status == COLLEGA_OK) status = commit_open(store, identity, name, &commit, error);
  commit_close(&commit);
  store_close(&store);
  config_destroy(&config);
  return status;
}

static enum collega_status tell_made(const struct arguments *arguments, const char *home,
                                     const char *name, const struct identity *identity,
                                     const char *recovery, struct collega_error *error) {
  char fingerprint[FINGERPRINT_BYTES], id[2 * ID_BYTES + 1];
  fingerprint_write(fingerprint, identity_party(identity));
  hex_write(id, identity_party(identity)->byte, ID_BYTES);
  if (argument_json(arguments))
    return json_print_take(json_pack("{s:{s:s,s:s,s:s},s:s,s:s}", "broker", "id", id, "name", name,
                                     "fingerprint", fingerprint, "home", home, "recovery_key",
                                     recovery),
                           error);
  say(arguments, RULE_broker_made, name, home, NULL);
  say(arguments, RULE_broker_fingerprint, fingerprint, NULL);
  say(arguments, RULE_broker_recovery, NULL);
  printf("  %s\n", recovery); /* on a line of its own, which no terminal breaks */
  say(arguments, RULE_broker_next, home, NULL);
  return COLLEGA_OK;
}

enum collega_status command_init(const struct arguments *arguments, struct collega_error *error) {
  const char *home, *name = argument_value(arguments, "name"),
                    *listen = argument_value(arguments, "listen");
  if (listen == NULL) listen = "tcp://127.0.0.1:7440";
  enum collega_status status = argument_home(arguments, &home, error);
  if (status == COLLEGA_OK) status = check_name(name, error);
  if (status == COLLEGA_OK) status = check_listen(listen, error);
  if (status == COLLEGA_OK) status = home_create(home, "broker", error);
  if (status != COLLEGA_OK) return status;
  struct identity *identity = NULL;
  struct epoch epoch;
  char recovery[RECOVERY_TEXT_BYTES];
  random_fill(&epoch, sizeof epoch);
  status = identity_create(true, &epoch, 1, clock_now(), recovery, &identity, error);
  if (status == COLLEGA_OK) status = identity_save(identity, home, error);
  if (status == COLLEGA_OK) status = broker_settings_write(home, listen, error);
  if (status == COLLEGA_OK) status = make_store(home, identity, name, error);
  if (status == COLLEGA_OK) status = tell_made(arguments, home, name, identity, recovery, error);
  explicit_bzero(recovery, sizeof recovery);
  identity_destroy(&identity);
  return status;
}

enum collega_status command_run(const struct arguments *arguments, struct collega_error *error) {
  const char *home;
  enum collega_status status = argument_home(arguments, &home, error);
  return status == COLLEGA_OK ? broker_run(home, error) : status;
}

/* ---- backup */

/* The copy knows that it is one: a broker that starts from it opens a new epoch. */
static enum collega_status mark_restored(const char *copy, struct collega_error *error) {
  struct store_options options = {.path = copy, .must_exist = true};
  struct store *store = NULL;
  struct store_txn *txn = NULL;
  struct broker_state state;
  bool found = false;
  enum collega_status status = store_open(&options, &store, error);
  if (status == COLLEGA_OK) status = store_write(store, &txn, error);
  if (status == COLLEGA_OK) status = state_read(txn, &state, &found, error);
  if (status == COLLEGA_OK && !found)
    status = error_set(error, COLLEGA_DAMAGED, RULE_broker_empty, NULL, copy, NULL);
  if (status == COLLEGA_OK) {
    state.restored = true;
    status = state_write(txn, &state, error);
  }
  if (status == COLLEGA_OK) status = store_commit(&txn, error);
  store_end(&txn);
  store_close(&store);
  return status;
}

static enum collega_status copy_file(const char *from, const char *to, const char *name,
                                     struct collega_error *error) {
  char source[PATH_MAX], target[PATH_MAX];
  struct buffer content;
  enum collega_status status = path_join(source, sizeof source, from, name, error);
  if (status == COLLEGA_OK) status = path_join(target, sizeof target, to, name, error);
  if (status != COLLEGA_OK) return status;
  status = file_read(source, 1u << 20, &content, error);
  if (status == COLLEGA_OK) status = file_write(target, content.data, content.length, 0600, error);
  if (content.data != NULL) explicit_bzero(content.data, content.length);
  buffer_free(&content);
  return status;
}

/* A copy is no broker before all of it is there: what was cut off half-way must not be started, nor restored. */
#define UNFINISHED_KIND "broker-unfinished"

/* Everything of the home `home` into the new home `to`. */
static enum collega_status copy_home(const char *home, const char *to,
                                     struct collega_error *error) {
  char copy[PATH_MAX];
  struct config *config = NULL;
  struct store *store = NULL;
  enum collega_status status = home_check(home, "broker", error);
  if (status == COLLEGA_OK) status = broker_settings_load(home, &config, error);
  if (status == COLLEGA_OK) status = broker_store_open(home, config, true, &store, error);
  if (status == COLLEGA_OK) status = home_create(to, UNFINISHED_KIND, error);
  if (status == COLLEGA_OK) status = path_join(copy, sizeof copy, to, "store", error);
  if (status == COLLEGA_OK) status = store_backup(store, copy, error);
  store_close(&store);
  config_destroy(&config);
  if (status == COLLEGA_OK) status = mark_restored(copy, error);
  if (status == COLLEGA_OK) status = copy_file(home, to, "identity", error);
  fault_point(FAULT_copy_keys_written);
  if (status == COLLEGA_OK) status = copy_file(home, to, "settings.ini", error);
  fault_point(FAULT_copy_complete);
  return status == COLLEGA_OK ? home_become(to, "broker", error) : status;
}

/* The store is copied from inside one read transaction: the broker may run on. */
enum collega_status command_backup(const struct arguments *arguments, struct collega_error *error) {
  const char *home, *to = argument_at(arguments, 0);
  enum collega_status status = argument_home(arguments, &home, error);
  if (status == COLLEGA_OK) status = copy_home(home, to, error);
  if (status != COLLEGA_OK) return status;
  if (argument_json(arguments)) return json_print_take(json_pack("{s:s}", "backup", to), error);
  say(arguments, RULE_broker_backed_up, to, NULL);
  return COLLEGA_OK;
}

/* A backup can be started as it is; a copy of it leaves the backup for another time. */
enum collega_status command_restore(const struct arguments *arguments,
                                    struct collega_error *error) {
  const char *home, *from = argument_at(arguments, 0);
  enum collega_status status = argument_home(arguments, &home, error);
  if (status == COLLEGA_OK) status = copy_home(from, home, error);
  if (status != COLLEGA_OK) return status;
  if (argument_json(arguments)) return json_print_take(json_pack("{s:s}", "restored", home), error);
  say(arguments, RULE_broker_restored, home, NULL);
  return COLLEGA_OK;
}
