/* The daemon's state file. Read by prefix, line by line, so that older readers skip what they do not know. */
#include "client/library/node_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/process/process.h"
#include "base/words.h"

#define STATE_FILE  "daemon"
#define STATE_BYTES 4096u

enum collega_status node_state_write(const char *home, const struct node_state *state,
                                     struct collega_error *error) {
  char path[4096], text[STATE_BYTES];
  enum collega_status status = path_join(path, sizeof path, home, STATE_FILE, error);
  if (status != COLLEGA_OK) return status;
  int length = snprintf(text, sizeof text,
                        "connected %d\nbehind %d\nsince %" PRId64 "\naddress %s\nproblem %s\n",
                        state->connected, state->behind, state->since, state->broker_address,
                        state->problem ? rule_name(state->problem) : "");
  if (length < 0 || (size_t)length >= sizeof text)
    return error_set(error, COLLEGA_SYSTEM, RULE_system_call, NULL, STATE_FILE, "too long", NULL);
  return file_write(path, text, (size_t)length, 0600, error);
}

static const char *value_of(const char *line, const char *name) {
  size_t length = strlen(name);
  return strncmp(line, name, length) == 0 && line[length] == ' ' ? line + length + 1 : NULL;
}

static void read_line(struct node_state *out, const char *line) {
  const char *value;
  if ((value = value_of(line, "connected")))
    out->connected = *value == '1';
  else if ((value = value_of(line, "behind")))
    out->behind = *value == '1';
  else if ((value = value_of(line, "since")))
    out->since = strtoll(value, NULL, 10);
  else if ((value = value_of(line, "address")))
    snprintf(out->broker_address, sizeof out->broker_address, "%s", value);
  else if ((value = value_of(line, "problem")))
    out->problem = rule_from_name(value);
}

void node_state_read(const char *home, struct node_state *out) {
  memset(out, 0, sizeof *out);
  out->running = run_lock_held(home);
  char path[4096];
  struct buffer text;
  buffer_init(&text, STATE_BYTES + 1);
  if (out->running && path_join(path, sizeof path, home, STATE_FILE, NULL) == COLLEGA_OK &&
      file_read(path, STATE_BYTES, &text, NULL) == COLLEGA_OK) {
    char copy[STATE_BYTES + 1], *rest = NULL;
    snprintf(copy, sizeof copy, "%s", buffer_text(&text));
    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
      read_line(out, line);
  }
  buffer_free(&text);
}
