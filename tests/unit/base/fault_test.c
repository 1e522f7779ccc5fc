/* Fault points: a child process dies at the passage that was asked for, and at no other. */
#include "support.h"
#include "base/fault.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* Runs a child with COLLEGA_FAULT that passes a point `passages` times. Returns its wait status. */
static int child(const char *fault, int passages) {
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    if (freopen("/dev/null", "w", stderr) == NULL) _exit(99);
    if (fault != NULL)
      setenv("COLLEGA_FAULT", fault, 1);
    else
      unsetenv("COLLEGA_FAULT");
    for (int i = 0; i < passages; i++) {
      fault_point(FAULT_node_send_before);
      fault_point(FAULT_broker_commit_before);
    }
    _exit(7);
  }
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  return status;
}

static void the_nth_passage_kills(void **state) {
  (void)state;
  int status = child("broker_commit_before:3", 3);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void fewer_passages_or_other_points_do_not(void **state) {
  (void)state;
  int status = child("broker_commit_before:3", 2);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  status = child("broker_commit_after:1", 5);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  status = child(NULL, 5);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void a_misspelt_point_is_not_passed_over(void **state) {
  (void)state;
  static const char *const wrong[] = {"broker_comit_before:1", "broker_commit_before",
                                      "broker_commit_before:0", "broker_commit_before:1x"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    int status = child(wrong[i], 1);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_nth_passage_kills),
      cmocka_unit_test(fewer_passages_or_other_points_do_not),
      cmocka_unit_test(a_misspelt_point_is_not_passed_over),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
