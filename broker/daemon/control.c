/* The administrator's socket.
 *
 *   {"command":"status"}                      -> {"result":{...}}
 *   {"command":"revoke","member":"12345678"}  -> {"error":{"rule":"member_unknown",...}}
 *
 * Errors travel as rule and arguments: whoever asked renders them in his own language. The socket
 * is reached through a descriptor of its directory, because its path may be longer than a socket's
 * address. */
#include "broker/daemon/control.h"
#include "base/words.h"
#include "proto/json.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME        "control.sock"
#define ASK_SECONDS 30 /* an answer waits for one commit at the most */

struct client {
  int descriptor; /* -1: free */
  uint64_t number;
  bool busy; /* a question is being dealt with */
  struct buffer in, out;
  size_t written;
  json_t *kept;
};
struct control {
  int descriptor, directory;
  uint64_t last_number;
  struct client clients[CONTROL_CLIENTS];
};

static void address_of(struct sockaddr_un *address, int directory) {
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/" NAME, directory);
}

enum collega_status control_open(const char *home, struct control **out,
                                 struct collega_error *error) {
  *out = NULL;
  struct control *control = calloc(1, sizeof *control);
  if (control == NULL) return error_set(error, COLLEGA_SYSTEM, RULE_out_of_memory, NULL, NULL);
  for (size_t i = 0; i < CONTROL_CLIENTS; i++)
    control->clients[i].descriptor = -1;
  control->directory = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  control->descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_un address;
  bool made = control->directory >= 0 && control->descriptor >= 0;
  if (made) {
    unlinkat(control->directory, NAME, 0); /* of a broker that was killed: we have its lock */
    address_of(&address, control->directory);
    made = bind(control->descriptor, (struct sockaddr *)&address, sizeof address) == 0 &&
           fchmodat(control->directory, NAME, 0600, 0) == 0 &&
           listen(control->descriptor, CONTROL_CLIENTS) == 0;
  }
  if (made) {
    *out = control;
    return COLLEGA_OK;
  }
  int number = errno;
  control_close(&control);
  return error_system(error, NAME, number);
}

static void client_close(struct client *client) {
  close(client->descriptor);
  client->descriptor = -1;
  buffer_free(&client->in);
  buffer_free(&client->out);
  json_decref(client->kept);
  client->kept = NULL;
}

void control_close(struct control **control) {
  if (*control == NULL) return;
  for (size_t i = 0; i < CONTROL_CLIENTS; i++)
    if ((*control)->clients[i].descriptor >= 0) client_close(&(*control)->clients[i]);
  if ((*control)->directory >= 0) {
    unlinkat((*control)->directory, NAME, 0);
    close((*control)->directory);
  }
  if ((*control)->descriptor >= 0) close((*control)->descriptor);
  free(*control);
  *control = NULL;
}

size_t control_poll(const struct control *control, struct pollfd *out) {
  size_t count = 0;
  out[count++] = (struct pollfd){.fd = control->descriptor, .events = POLLIN};
  for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
    const struct client *client = &control->clients[i];
    if (client->descriptor < 0) continue;
    short events = client->written < client->out.length ? POLLOUT : client->busy ? 0 : POLLIN;
    if (events == 0) continue; /* it waits for its answer: that it hung up can wait as long */
    out[count++] = (struct pollfd){.fd = client->descriptor, .events = events};
  }
  return count;
}

static void client_open(struct control *control, int descriptor) {
  for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
    struct client *client = &control->clients[i];
    if (client->descriptor >= 0) continue;
    *client = (struct client){.descriptor = descriptor, .number = ++control->last_number};
    buffer_init(&client->in, CONTROL_LINE_BYTES);
    buffer_init(&client->out, CONTROL_ANSWER_BYTES);
    return;
  }
  close(descriptor); /* all places are taken */
}

static struct client *client_of(const struct control *control, uint64_t number) {
  for (size_t i = 0; i < CONTROL_CLIENTS; i++)
    if (control->clients[i].descriptor >= 0 && control->clients[i].number == number)
      return (struct client *)(uintptr_t)&control->clients[i];
  return NULL;
}

static void client_write(struct client *client) {
  while (client->written < client->out.length) {
    ssize_t sent = send(client->descriptor, client->out.data + client->written,
                        client->out.length - client->written, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (sent <= 0) {
      client_close(client);
      return;
    }
    client->written += (size_t)sent;
  }
  client->out.length = client->written = 0;
}

static void put_line(struct buffer *out, json_t *json) {
  char *text = json_dumps(json, JSON_COMPACT);
  if (text == NULL)
    out->failed = true;
  else
    buffer_append(out, text, strlen(text));
  buffer_append(out, "\n", 1);
  free(text);
}

void control_answer_take(struct control *control, uint64_t number, json_t *answer) {
  struct client *client = client_of(control, number);
  if (client != NULL) {
    json_decref(client->kept);
    client->kept = NULL;
    client->busy = false;
    put_line(&client->out, answer);
    if (client->out.failed)
      client_close(client);
    else
      client_write(client);
  }
  json_decref(answer);
}

void control_keep_take(struct control *control, uint64_t number, json_t *kept) {
  struct client *client = client_of(control, number);
  if (client == NULL) {
    json_decref(kept);
    return;
  }
  json_decref(client->kept);
  client->kept = kept;
}

json_t *control_kept(const struct control *control, uint64_t number) {
  const struct client *client = client_of(control, number);
  return client == NULL ? NULL : client->kept;
}

json_t *control_error(const struct collega_error *error) {
  json_t *arguments = json_array();
  for (size_t i = 0; i < COLLEGA_ERROR_ARGUMENTS; i++)
    json_array_append_new(arguments, json_string(error->argument[i]));
  return json_pack("{s:{s:i,s:s,s:s,s:o}}", "error", "status", (int)error->status, "rule",
                   rule_name(error->rule), "field", error->field, "arguments", arguments);
}

/* Deals with the first whole line that was read, if there is one. */
static void take_line(struct control *control, struct client *client,
                      void (*take)(void *context, uint64_t number, json_t *question),
                      void *context) {
  uint8_t *end = client->in.length == 0 ? NULL : memchr(client->in.data, '\n', client->in.length);
  if (end == NULL) return;
  size_t length = (size_t)(end - client->in.data);
  json_t *question = NULL;
  struct collega_error error;
  enum collega_status status = json_parse(bytes_of(client->in.data, length), &question, &error);
  memmove(client->in.data, end + 1, client->in.length - length - 1);
  client->in.length -= length + 1;
  client->busy = true;
  if (status == COLLEGA_OK && json_is_object(question)) {
    take(context, client->number, question);
  } else {
    error_set(&error, COLLEGA_INVALID, RULE_control_malformed, NULL, NULL);
    control_answer_take(control, client->number, control_error(&error));
  }
  json_decref(question);
}

static void client_read(struct client *client) {
  uint8_t piece[4096];
  ssize_t got = recv(client->descriptor, piece, sizeof piece, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
  if (got > 0) buffer_append(&client->in, piece, (size_t)got);
  if (got <= 0 || client->in.failed) client_close(client);
}

void control_serve(struct control *control,
                   void (*take)(void *context, uint64_t number, json_t *question), void *context) {
  int descriptor;
  while ((descriptor = accept4(control->descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
    client_open(control, descriptor);
  for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
    struct client *client = &control->clients[i];
    if (client->descriptor >= 0 && client->written < client->out.length) client_write(client);
    if (client->descriptor >= 0 && !client->busy) client_read(client);
    if (client->descriptor >= 0 && !client->busy) take_line(control, client, take, context);
  }
}

/* ---- the other side */

static int control_connect(const char *home) {
  int directory = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return -1;
  struct sockaddr_un address;
  address_of(&address, directory);
  int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct timeval wait = {.tv_sec = ASK_SECONDS};
  if (descriptor >= 0 &&
      (connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0 ||
       setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) != 0)) {
    int number = errno;
    close(descriptor);
    descriptor = -1;
    errno = number;
  }
  int number = errno;
  close(directory);
  errno = number;
  return descriptor;
}

static bool send_line(int descriptor, json_t *question) {
  struct buffer line;
  buffer_init(&line, CONTROL_LINE_BYTES);
  put_line(&line, question);
  bool sent = !line.failed;
  for (size_t at = 0; sent && at < line.length;) {
    ssize_t more = send(descriptor, line.data + at, line.length - at, MSG_NOSIGNAL);
    if (more < 0 && errno == EINTR) continue;
    sent = more > 0;
    if (sent) at += (size_t)more;
  }
  buffer_free(&line);
  return sent;
}

static bool read_line(int descriptor, struct buffer *line) {
  for (;;) {
    uint8_t piece[4096];
    ssize_t got = recv(descriptor, piece, sizeof piece, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    buffer_append(line, piece, (size_t)got);
    if (line->failed) return false;
    if (line->data[line->length - 1] == '\n') return true;
  }
}

static enum collega_status error_from(const json_t *json, struct collega_error *error) {
  const char *rule = json_string_value(json_object_get(json, "rule"));
  const char *field = json_string_value(json_object_get(json, "field"));
  json_int_t status = json_integer_value(json_object_get(json, "status"));
  if (status <= COLLEGA_OK || status > COLLEGA_SYSTEM) status = COLLEGA_SYSTEM;
  error_set(error, (enum collega_status)status, rule_from_name(rule == NULL ? "" : rule), field,
            NULL);
  const json_t *arguments = json_object_get(json, "arguments");
  for (size_t i = 0; error != NULL && i < COLLEGA_ERROR_ARGUMENTS && i < json_array_size(arguments);
       i++) {
    const char *text = json_string_value(json_array_get(arguments, i));
    if (text == NULL) continue;
    size_t length = utf8_cut(text, sizeof error->argument[i] - 1);
    memcpy(error->argument[i], text, length);
    error->argument[i][length] = '\0';
  }
  return (enum collega_status)status;
}

enum collega_status control_ask(const char *home, json_t *question, json_t **out,
                                struct collega_error *error) {
  *out = NULL;
  int descriptor = control_connect(home);
  if (descriptor < 0)
    return error_set(error, COLLEGA_UNREACHABLE, RULE_control_reach, NULL, home,
                     system_reason(errno, strerror(errno)), NULL);
  struct buffer line;
  buffer_init(&line, CONTROL_ANSWER_BYTES);
  enum collega_status status = COLLEGA_OK;
  json_t *answer = NULL;
  if (!send_line(descriptor, question) || !read_line(descriptor, &line))
    status = error_set(error, COLLEGA_UNREACHABLE, RULE_control_lost, NULL, NULL);
  if (status == COLLEGA_OK) status = json_parse(bytes_of(line.data, line.length), &answer, error);
  if (status == COLLEGA_OK) {
    json_t *result = json_object_get(answer, "result");
    if (result != NULL)
      *out = json_incref(result);
    else
      status = error_from(json_object_get(answer, "error"), error);
  }
  json_decref(answer);
  buffer_free(&line);
  close(descriptor);
  return status;
}
