/* The HTTP server: libmicrohttpd with one thread of its own, exact routes, GET and HEAD.
 *
 * libmicrohttpd hands a request's body in pieces after the headers; no route takes one, so an
 * answer is given at the first call and what follows is not read. Its PostProcessor is not used. */
#include "base/http/http.h"
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_CONNECTIONS             64
#define MOST_CONNECTIONS_PER_ADDRESS 32
#define TIMEOUT_SECONDS              10    /* a request that is not finished by then is cut */
#define CONNECTION_MEMORY            16384 /* request line, headers and what is being written */
#define MOST_BODY                    ((size_t)16 << 20)

struct http_server {
  struct MHD_Daemon *daemon;
  const struct http_route *routes;
  size_t count;
  void *context;
  uint16_t port;
};

static const struct {
  const char *name, *value;
} security_headers[] = {
    {"Cache-Control", "no-store"},
    {"Content-Security-Policy",
     "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
};

/* Takes `body` (memory of malloc, or NULL when length is 0). */
static enum MHD_Result answer_take(struct MHD_Connection *connection, unsigned status,
                                   const char *content_type, const char *allow, uint8_t *body,
                                   size_t length) {
  struct MHD_Response *response =
      MHD_create_response_from_buffer(length, body, MHD_RESPMEM_MUST_FREE);
  if (response == NULL) {
    free(body);
    return MHD_NO; /* out of memory: the connection is closed */
  }
  bool made = MHD_add_response_header(response, "Content-Type", content_type) == MHD_YES;
  for (size_t i = 0; i < sizeof security_headers / sizeof security_headers[0]; i++)
    made = MHD_add_response_header(response, security_headers[i].name, security_headers[i].value) ==
               MHD_YES &&
           made;
  if (allow != NULL) made = MHD_add_response_header(response, "Allow", allow) == MHD_YES && made;
  enum MHD_Result result = made ? MHD_queue_response(connection, status, response) : MHD_NO;
  MHD_destroy_response(response);
  return result;
}

static enum MHD_Result answer_words(struct MHD_Connection *connection, unsigned status,
                                    const char *allow, const char *words) {
  uint8_t *body = (uint8_t *)strdup(words);
  size_t length = body == NULL ? 0 : strlen(words);
  return answer_take(connection, status, "text/plain; charset=utf-8", allow, body, length);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state) {
  (void)version, (void)upload, (void)upload_size, (void)state;
  struct http_server *server = context;
  const struct http_route *route = NULL;
  for (size_t i = 0; i < server->count; i++)
    if (strcmp(server->routes[i].path, url) == 0) route = &server->routes[i];
  if (route == NULL) return answer_words(connection, MHD_HTTP_NOT_FOUND, NULL, "not found\n");
  if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
    return answer_words(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET, HEAD",
                        "only GET and HEAD\n");
  struct http_answer answer = {.status = MHD_HTTP_OK, .content_type = "text/plain; charset=utf-8"};
  buffer_init(&answer.body, MOST_BODY);
  route->handle(server->context, &answer);
  if (answer.body.failed) {
    buffer_free(&answer.body);
    return answer_words(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, NULL, "out of memory\n");
  }
  return answer_take(connection, answer.status, answer.content_type, NULL, answer.body.data,
                     answer.body.length);
}

struct endpoint {
  union {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
  } address;
  bool six;
};

/* "127.0.0.1:8080" or "[::1]:8080". */
static bool read_address(const char *text, struct endpoint *out) {
  *out = (struct endpoint){.six = text[0] == '['};
  const char *colon = strrchr(text, ':');
  if (colon == NULL) return false;
  char *end;
  unsigned long port = strtoul(colon + 1, &end, 10);
  if (colon[1] < '0' || colon[1] > '9' || *end != '\0' || port > UINT16_MAX) return false;
  char host[64];
  const char *first = out->six ? text + 1 : text;
  const char *last = out->six ? colon - 1 : colon; /* one past the host */
  if (last <= first || (out->six && *last != ']') || (size_t)(last - first) >= sizeof host)
    return false;
  memcpy(host, first, (size_t)(last - first));
  host[last - first] = '\0';
  if (out->six) {
    out->address.six.sin6_family = AF_INET6;
    out->address.six.sin6_port = htons((uint16_t)port);
    return inet_pton(AF_INET6, host, &out->address.six.sin6_addr) == 1;
  }
  out->address.four.sin_family = AF_INET;
  out->address.four.sin_port = htons((uint16_t)port);
  return inet_pton(AF_INET, host, &out->address.four.sin_addr) == 1;
}

enum collega_status http_start(const char *address, const struct http_route *routes, size_t count,
                               void *context, struct http_server **out,
                               struct collega_error *error) {
  *out = NULL;
  struct endpoint endpoint;
  if (!read_address(address, &endpoint))
    return error_set(error, COLLEGA_INVALID, RULE_http_address, NULL, address, NULL);
  struct http_server *server = malloc(sizeof *server);
  if (server == NULL) return error_set(error, COLLEGA_SYSTEM, RULE_out_of_memory, NULL, NULL);
  *server = (struct http_server){.routes = routes, .count = count, .context = context};
  unsigned flags =
      MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | (endpoint.six ? (unsigned)MHD_USE_IPv6 : 0U);
  errno = 0;
  server->daemon = MHD_start_daemon(
      flags, 0, NULL, NULL, handle, server, MHD_OPTION_SOCK_ADDR, &endpoint.address.any,
      MHD_OPTION_CONNECTION_LIMIT, (unsigned)MOST_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
      (unsigned)MOST_CONNECTIONS_PER_ADDRESS, MHD_OPTION_CONNECTION_TIMEOUT,
      (unsigned)TIMEOUT_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
      MHD_OPTION_END);
  const union MHD_DaemonInfo *info = NULL;
  int number = errno;
  if (server->daemon != NULL) info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
  if (info == NULL) {
    http_stop(&server);
    return error_set(error, COLLEGA_SYSTEM, RULE_http_start, NULL, address,
                     system_reason(number, strerror(number)), NULL);
  }
  server->port = info->port;
  *out = server;
  return COLLEGA_OK;
}

uint16_t http_port(const struct http_server *server) {
  return server->port;
}

void http_stop(struct http_server **server) {
  if (*server == NULL) return;
  if ((*server)->daemon != NULL) MHD_stop_daemon((*server)->daemon);
  free(*server);
  *server = NULL;
}
