/* Requests to the metrics listener, as bytes on a connection. It always ends the connection, and
 * what it says begins as HTTP does. */
#include "base/http/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
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

static int connected(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(http_port(started))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  fuzz_must(descriptor >= 0);
  fuzz_must(connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0);
  /* Closed at once at the end: a million inputs would leave no port free otherwise. */
  struct linger linger = {1, 0};
  setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  return descriptor;
}

static void exchange(const uint8_t *data, size_t length) {
  char answer[4096];
  size_t got = 0;
  int descriptor = connected();
  (void)!send(descriptor, data, length, MSG_NOSIGNAL);
  shutdown(descriptor, SHUT_WR);
  for (;;) {
    struct pollfd waiting = {descriptor, POLLIN, 0};
    fuzz_must(poll(&waiting, 1, ANSWER_MS) == 1);
    char *at = got < sizeof answer - 1 ? answer + got : answer + 16;
    ssize_t more = recv(descriptor, at, sizeof answer - 1 - (size_t)(at - answer), 0);
    if (more <= 0) break;
    if (at == answer + got) got += (size_t)more;
  }
  close(descriptor);
  if (got >= 9) fuzz_must(memcmp(answer, "HTTP/1.", 7) == 0);
}

/* The signal that ends a campaign waits for the end of the input: it would interrupt connect and poll. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  sigset_t ending;
  if (started == NULL) start();
  sigemptyset(&ending);
  sigaddset(&ending, SIGUSR1);
  fuzz_must(pthread_sigmask(SIG_BLOCK, &ending, NULL) == 0);
  exchange(data, length);
  fuzz_must(pthread_sigmask(SIG_UNBLOCK, &ending, NULL) == 0);
  return 0;
}
