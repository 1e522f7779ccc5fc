/* A small HTTP server over libmicrohttpd: exact routes, GET only for now, limits on connections and
 * header size, security headers. One internal thread; handlers must not block. */
#ifndef COLLEGA_BASE_HTTP_H
#define COLLEGA_BASE_HTTP_H
#include <stdint.h>
#include "base/bytes.h"
#include "base/error.h"

struct http_answer {
  unsigned status;
  const char *content_type;
  struct buffer body;
};
struct http_route {
  const char *path;
  void (*handle)(void *context, struct http_answer *answer);
};
struct http_server;
/* `address` is "127.0.0.1:0"; port 0 picks one. Routes and context must outlive the server. */
enum collega_status http_start(const char *address, const struct http_route *routes, size_t count,
                               void *context, struct http_server **out,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
uint16_t http_port(const struct http_server *server);
void http_stop(struct http_server **server);
#endif
