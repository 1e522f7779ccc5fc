/* Opening a broker's home for one command. */
#include "broker/admin/office.h"
#include "base/process/process.h"
#include "broker/admin/invite.h"
#include "broker/daemon/run.h"
#include "broker/daemon/settings.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static enum collega_status read_state(struct office *office, struct collega_error *error) {
  struct store_txn *txn = NULL;
  bool found = false;
  enum collega_status status = store_read(office->store, &txn, error);
  if (status == COLLEGA_OK) status = state_read(txn, &office->state, &found, error);
  store_end(&txn);
  if (status == COLLEGA_OK && !found)
    return error_set(error, COLLEGA_DAMAGED, RULE_broker_empty, NULL, office->home, NULL);
  return status;
}

enum collega_status office_open(const char *home, struct office *office,
                                struct collega_error *error) {
  *office = (struct office){.home = home, .lock = -1};
  enum collega_status status = home_check(home, "broker", error);
  if (status == COLLEGA_OK) status = run_lock_take(home, &office->lock, error);
  if (status == COLLEGA_OK) status = broker_settings_load(home, &office->config, error);
  if (status == COLLEGA_OK) status = identity_load(home, &office->identity, error);
  if (status == COLLEGA_OK)
    status = broker_store_open(home, office->config, true, &office->store, error);
  if (status == COLLEGA_OK) status = read_state(office, error);
  if (status == COLLEGA_OK)
    status =
        commit_open(office->store, office->identity, office->state.name, &office->commit, error);
  return status;
}

void office_close(struct office *office) {
  commit_close(&office->commit);
  store_close(&office->store);
  identity_destroy(&office->identity);
  config_destroy(&office->config);
  run_lock_release(&office->lock);
}

enum collega_status office_commit_take(struct office *office, struct request *request,
                                       struct collega_error *error) {
  if (request == NULL) return error_set(error, COLLEGA_SYSTEM, RULE_out_of_memory, NULL, NULL);
  struct commit_result result;
  enum collega_status status =
      commit_batch(office->commit, &request, 1, clock_now(), &result, error);
  for (size_t i = 0; status == COLLEGA_OK && i < result.answer_count; i++) {
    struct bytes packed = result.answers[i].packed;
    Collega__FromBroker *frame = collega__from_broker__unpack(NULL, packed.length, packed.data);
    if (frame == NULL || frame->refusal != NULL) {
      struct collega_error refused;
      refusal_error(frame == NULL ? NULL : frame->refusal, &refused);
      if (error != NULL) *error = refused;
      status = refused.status;
    }
    collega__from_broker__free_unpacked(frame, NULL);
  }
  commit_result_free(&result);
  request_destroy(&request);
  return status;
}

void say(const struct arguments *arguments, enum rule rule, ...) {
  const char *words[COLLEGA_ERROR_ARGUMENTS] = {NULL};
  char text[2048];
  va_list list;
  va_start(list, rule);
  for (size_t i = 0;
       i < COLLEGA_ERROR_ARGUMENTS && (words[i] = va_arg(list, const char *)) != NULL;)
    i++;
  va_end(list);
  words_render(argument_language(arguments), rule, words, COLLEGA_ERROR_ARGUMENTS, text,
               sizeof text);
  terminal_print(stdout, "", SENTENCE_INDENT, text);
}

enum collega_status json_print_take(json_t *document, struct collega_error *error) {
  if (document == NULL) return error_set(error, COLLEGA_SYSTEM, RULE_out_of_memory, NULL, NULL);
  bool failed = json_dumpf(document, stdout, JSON_INDENT(2)) != 0 || putchar('\n') == EOF;
  json_decref(document);
  return failed ? error_output(error, errno) : COLLEGA_OK;
}
