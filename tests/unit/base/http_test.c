/* The HTTP server, spoken to over a socket. */
#include "support.h"
#include "base/http/http.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

static void hello(void *context, struct http_answer *answer) {
  answer->content_type = "application/json";
  buffer_print(&answer->body, "{\"hello\":\"%s\"}", (const char *)context);
}

static void gone(void *context, struct http_answer *answer) {
  (void)context;
  answer->status = 503;
}

static void too_much(void *context, struct http_answer *answer) {
  (void)context;
  answer->body.failed = true;
}

static const struct http_route routes[] = {
    {"/hello", hello}, {"/gone", gone}, {"/too-much", too_much}};

/* Sends `request` and reads the answer until the server closes. */
static const char *ask(const struct http_server *server, const char *request) {
  static char answer[20000];
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons(http_port(server)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_true(fd >= 0);
  /* A server that never answers fails the test instead of holding it up. */
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = 30}, sizeof(struct timeval));
  assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
  size_t length = 0;
  ssize_t got;
  while ((got = recv(fd, answer + length, sizeof answer - 1 - length, 0)) > 0)
    length += (size_t)got;
  answer[length] = '\0';
  close(fd);
  return answer;
}

static int start(void **state) {
  struct http_server *server;
  struct collega_error error;
  if (http_start("127.0.0.1:0", routes, 3, "collega", &server, &error) != COLLEGA_OK) return -1;
  *state = server;
  return 0;
}

static int stop(void **state) {
  struct http_server *server = *state;
  http_stop(&server);
  return server == NULL ? 0 : -1;
}

static void a_route_answers_with_security_headers(void **state) {
  const char *answer =
      ask(*state, "GET /hello?x=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  assert_int_equal(strncmp(answer, "HTTP/1.1 200 ", 13), 0);
  assert_non_null(strstr(answer, "Content-Type: application/json\r\n"));
  assert_non_null(strstr(answer, "X-Content-Type-Options: nosniff\r\n"));
  assert_non_null(strstr(answer, "Content-Security-Policy: default-src 'self'"));
  assert_non_null(strstr(answer, "\r\n\r\n{\"hello\":\"collega\"}"));
}

static void head_has_no_body(void **state) {
  const char *answer = ask(*state, "HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  assert_int_equal(strncmp(answer, "HTTP/1.1 200 ", 13), 0);
  assert_non_null(strstr(answer, "Content-Length: 19\r\n"));
  assert_null(strstr(answer, "collega"));
}

static void a_handler_chooses_the_status(void **state) {
  const char *answer = ask(*state, "GET /gone HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  assert_int_equal(strncmp(answer, "HTTP/1.1 503 ", 13), 0);
  answer = ask(*state, "GET /too-much HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  assert_int_equal(strncmp(answer, "HTTP/1.1 500 ", 13), 0);
}

static void only_exact_paths_are_found(void **state) {
  static const char *const paths[] = {"/", "/hello/", "/Hello", "//hello", "/hello/../gone", "/he"};
  for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
    char request[200];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
             paths[i]);
    assert_int_equal(strncmp(ask(*state, request), "HTTP/1.1 404 ", 13), 0);
  }
}

static void other_methods_are_refused(void **state) {
  const char *answer = ask(*state, "POST /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                   "Content-Length: 5\r\n\r\nhello");
  assert_int_equal(strncmp(answer, "HTTP/1.1 405 ", 13), 0);
  assert_non_null(strstr(answer, "Allow: GET, HEAD\r\n"));
}

static void headers_beyond_the_limit_are_refused(void **state) {
  static char request[40000];
  strcpy(request, "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: ");
  size_t length = strlen(request);
  memset(request + length, 'x', 30000);
  strcpy(request + length + 30000, "\r\n\r\n");
  const char *answer = ask(*state, request);
  assert_null(strstr(answer, "collega"));
  /* and the next one is served */
  answer = ask(*state, "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  assert_non_null(strstr(answer, "collega"));
}

static void addresses_are_read_strictly(void **state) {
  (void)state;
  static const char *const wrong[] = {"",        "127.0.0.1",       "127.0.0.1:",  "localhost:80",
                                      ":80",     "127.0.0.1:65536", "127.0.0.1:x", "[::1]",
                                      "[::1:80", "[]:80",           "::1:80",      "127.0.0.1:-1"};
  struct http_server *server;
  struct collega_error error;
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    assert_int_equal(http_start(wrong[i], routes, 3, NULL, &server, &error), COLLEGA_INVALID);
    assert_int_equal(error.rule, RULE_http_address);
    assert_null(server);
  }
}

static void a_taken_port_is_told(void **state) {
  char address[40];
  snprintf(address, sizeof address, "127.0.0.1:%u", http_port(*state));
  struct http_server *second;
  struct collega_error error;
  assert_int_equal(http_start(address, routes, 3, NULL, &second, &error), COLLEGA_SYSTEM);
  assert_string_equal(error.argument[0], address);
  assert_string_equal(error.argument[1], rule_name(RULE_reason_address_in_use));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_route_answers_with_security_headers, start, stop),
      cmocka_unit_test_setup_teardown(head_has_no_body, start, stop),
      cmocka_unit_test_setup_teardown(a_handler_chooses_the_status, start, stop),
      cmocka_unit_test_setup_teardown(only_exact_paths_are_found, start, stop),
      cmocka_unit_test_setup_teardown(other_methods_are_refused, start, stop),
      cmocka_unit_test_setup_teardown(headers_beyond_the_limit_are_refused, start, stop),
      cmocka_unit_test(addresses_are_read_strictly),
      cmocka_unit_test_setup_teardown(a_taken_port_is_told, start, stop),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
