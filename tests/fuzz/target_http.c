/* Requests to the metrics listener, as bytes on a connection. It always ends the connection, and
 * what it says begins as HTTP does. */
#include "base/http/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/daemon/metrics.h"
#include "tests/fuzz/fuzz.h"

#define ANSWER_MS 5000

static struct http_server *started; /* one for all inputs: it keeps nothing of any */
static struct metrics metrics;

static void stop(void) {
  http_stop(&started);
}

static void start(void) {
  struct collega_error error;
  signal(SIGPIPE, SIG_IGN);
  metrics_start(&metrics);
  fuzz_must(http_start("127.0.0.1:0", metrics_routes, metrics_route_count, &metrics, &started,
                       &error) == COLLEGA_OK);
  atexit(stop);
}

/* libFuzzer looks after an input by signals, which end any call that waits. */
static void wait_for(int descriptor, short events) {
  struct pollfd waiting = {descriptor, events, 0};
  int ready;
  do
    ready = poll(&waiting, 1, ANSWER_MS);
  while (ready < 0 && errno == EINTR);
  fuzz_must(ready == 1);
}

static bool is_connected(int descriptor, const struct sockaddr_in *address) {
  int number = 0;
  socklen_t size = sizeof number;
  if (connect(descriptor, (const struct sockaddr *)address, sizeof *address) == 0) return true;
  if (errno != EINTR) return false;
  wait_for(descriptor, POLLOUT); /* it goes on by itself */
  return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &size) == 0 && number == 0;
}

static int connected(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(http_port(started))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  fuzz_must(descriptor >= 0);
  fuzz_must(is_connected(descriptor, &address));
  /* Closed at once at the end: a million inputs would leave no port free otherwise. */
  struct linger linger = {1, 0};
  setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  return descriptor;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  if (started == NULL) start();
  char answer[4096];
  size_t got = 0;
  int descriptor = connected();
  while (send(descriptor, data, length, MSG_NOSIGNAL) < 0 && errno == EINTR) {}
  shutdown(descriptor, SHUT_WR);
  for (;;) {
    wait_for(descriptor, POLLIN);
    char *at = got < sizeof answer - 1 ? answer + got : answer + 16;
    ssize_t more = recv(descriptor, at, sizeof answer - 1 - (size_t)(at - answer), 0);
    if (more < 0 && errno == EINTR) continue;
    if (more <= 0) break;
    if (at == answer + got) got += (size_t)more;
  }
  close(descriptor);
  if (got >= 9) fuzz_must(memcmp(answer, "HTTP/1.", 7) == 0);
  return 0;
}
