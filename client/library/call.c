/* The beginning and the end of every call through the public interface. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/library/node.h"
#include "proto/json.h"
#include "client/exchange/node_clock.h"

#define CALL_ARENA_BYTES (1024u * 1024u * 1024u) /* a list of a whole board, a bulk import */

static int code_of(enum collega_status status) {
  switch (status) {
  case COLLEGA_OK:
    return COLLEGA_CODE_OK;
  case COLLEGA_USAGE:
    return COLLEGA_CODE_USAGE;
  case COLLEGA_INVALID:
    return COLLEGA_CODE_INVALID;
  case COLLEGA_REFUSED:
    return COLLEGA_CODE_REFUSED;
  case COLLEGA_NOT_FOUND:
    return COLLEGA_CODE_NOT_FOUND;
  case COLLEGA_EXISTS:
    return COLLEGA_CODE_EXISTS;
  case COLLEGA_UNREACHABLE:
    return COLLEGA_CODE_UNREACHABLE;
  case COLLEGA_BUSY:
    return COLLEGA_CODE_BUSY;
  case COLLEGA_FULL:
    return COLLEGA_CODE_FULL;
  case COLLEGA_DAMAGED:
    return COLLEGA_CODE_DAMAGED;
  case COLLEGA_FORGED:
    return COLLEGA_CODE_FORGED;
  case COLLEGA_SYSTEM:
    return COLLEGA_CODE_SYSTEM;
  }
  return COLLEGA_CODE_SYSTEM;
}

/* An older program's structure ends earlier; one that was not set up is left alone. */
static void fill_failure(const struct call *call, enum collega_status status) {
  struct collega_failure *out = call->failure;
  if (!out || out->size < sizeof *out) return;
  out->code = code_of(status);
  out->rule[0] = out->field[0] = out->text[0] = '\0';
  if (status == COLLEGA_OK) return;
  snprintf(out->rule, sizeof out->rule, "%s", rule_name(call->error.rule));
  snprintf(out->field, sizeof out->field, "%s", call->error.field);
  error_render(call->language, &call->error, out->text, sizeof out->text);
}

static enum collega_status take_arena(struct call *call) {
  call->view.arena = arena_new(16384, CALL_ARENA_BYTES);
  if (call->view.arena) return COLLEGA_OK;
  return error_set(&call->error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

enum collega_status call_begin_alone(struct call *call, int language, char **json,
                                     struct collega_failure *failure) {
  memset(call, 0, sizeof *call);
  call->json = json;
  call->failure = failure;
  if (json) *json = NULL;
  if (language != COLLEGA_LANGUAGE_ENGLISH && language != COLLEGA_LANGUAGE_DUTCH)
    return call_unknown(call, "language", language);
  call->language = call->view.language =
      language == COLLEGA_LANGUAGE_DUTCH ? LANGUAGE_NL : LANGUAGE_EN;
  enum collega_status status = bytes_start(&call->error);
  return status == COLLEGA_OK ? take_arena(call) : status;
}

enum collega_status call_begin(struct call *call, struct collega_node *node, char **json,
                               struct collega_failure *failure) {
  memset(call, 0, sizeof *call);
  call->json = json;
  call->failure = failure;
  if (json) *json = NULL;
  enum collega_status status = call_need(call, node, "node");
  if (status != COLLEGA_OK) return status;
  if (node->process != getpid())
    return error_set(&call->error, COLLEGA_USAGE, RULE_handle_forked, "node", NULL);
  call->node = node;
  call->language = node->language;
  call->view = (struct view){.exchange = node->exchange,
                             .language = node->language,
                             .party = node->party,
                             .now = node_clock_now(ledger_home(node->ledger))};
  status = take_arena(call);
  return status == COLLEGA_OK ? call_renew(call) : status;
}

void call_release(struct call *call) {
  if (call->view.txn) ledger_abort(&call->view.txn);
}

enum collega_status call_renew(struct call *call) {
  call_release(call);
  return ledger_read(call->node->ledger, &call->view.txn, &call->error);
}

enum collega_status call_need(struct call *call, const void *argument, const char *name) {
  if (argument) return COLLEGA_OK;
  return error_set(&call->error, COLLEGA_USAGE, RULE_argument_null, name, NULL);
}

enum collega_status call_unknown(struct call *call, const char *name, long value) {
  char text[24];
  snprintf(text, sizeof text, "%ld", value);
  return error_set(&call->error, COLLEGA_USAGE, RULE_argument_unknown, name, text, NULL);
}

enum collega_status call_parse(struct call *call, const char *text, size_t length, size_t most,
                               json_t **out) {
  *out = NULL;
  enum collega_status status = call_need(call, text, "text");
  if (status != COLLEGA_OK) return status;
  if (length > most) {
    char limit[24];
    snprintf(limit, sizeof limit, "%zu", most);
    return error_set(&call->error, COLLEGA_INVALID, RULE_file_too_large, NULL, "text", limit, NULL);
  }
  return json_parse(bytes_of(text, length), out, &call->error);
}

int call_end(struct call *call, enum collega_status status, json_t *document) {
  if (status == COLLEGA_OK && call->json) {
    *call->json = document ? json_dumps(document, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : NULL;
    if (!*call->json)
      status = error_set(&call->error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  }
  json_decref(document);
  return call_end_bare(call, status);
}

int call_end_bare(struct call *call, enum collega_status status) {
  call_release(call);
  arena_destroy(&call->view.arena);
  fill_failure(call, status);
  return code_of(status);
}

void fill_sized(void *out, const void *from, size_t bytes) {
  size_t size = *(const size_t *)out;
  if (size < sizeof size) return;
  if (size < bytes) bytes = size;
  memcpy((char *)out + sizeof size, (const char *)from + sizeof size, bytes - sizeof size);
}

void collega_free(void *memory) {
  free(memory);
}
