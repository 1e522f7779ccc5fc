/* Homes, files, the run lock, signals, readiness and the bell. */
#include "support.h"
#include "base/process/process.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#define DEADLINE_MS 10000 /* an event that has not come by then never will */

static void a_home_is_private_and_knows_its_kind(void **state) {
  struct collega_error error;
  const char *home = scratch_path(*state, "deep/er/home");
  assert_int_equal(home_check(home, "node", &error), COLLEGA_NOT_FOUND);
  assert_int_equal(home_create(home, "node", &error), COLLEGA_OK);
  struct stat about;
  assert_int_equal(stat(home, &about), 0);
  assert_int_equal(about.st_mode & 0777, 0700);
  assert_int_equal(home_check(home, "node", &error), COLLEGA_OK);
  assert_int_equal(home_check(home, "broker", &error), COLLEGA_REFUSED);
  assert_string_equal(error.argument[1], "node");
  assert_string_equal(error.argument[2], "broker");
  assert_int_equal(home_create(home, "node", &error), COLLEGA_EXISTS);
}

static void an_empty_directory_becomes_a_home_and_a_used_one_does_not(void **state) {
  struct scratch *scratch = *state;
  struct collega_error error;
  assert_int_equal(chmod(scratch->directory, 0755), 0);
  char file[100];
  snprintf(file, sizeof file, "%s/letter", scratch->directory);
  scratch_write(file, "x", 1);
  assert_int_equal(home_create(scratch->directory, "node", &error), COLLEGA_REFUSED);
  assert_int_equal(error.rule, RULE_home_not_empty);
  assert_int_equal(unlink(file), 0);
  assert_int_equal(home_create(scratch->directory, "node", &error), COLLEGA_OK);
  struct stat about;
  assert_int_equal(stat(scratch->directory, &about), 0);
  assert_int_equal(about.st_mode & 0777, 0700);
}

static void a_path_that_does_not_fit_is_refused(void **state) {
  (void)state;
  char out[8];
  struct collega_error error;
  assert_int_equal(path_join(out, sizeof out, "/home", "a", &error), COLLEGA_OK);
  assert_string_equal(out, "/home/a");
  assert_int_equal(path_join(out, sizeof out, "/home", "ab", &error), COLLEGA_INVALID);
}

static void a_file_is_replaced_whole(void **state) {
  struct scratch *scratch = *state;
  const char *path = scratch_path(scratch, "key");
  struct buffer content;
  struct stat about;
  assert_int_equal(file_write(path, "first and longer", 16, 0644, NULL), COLLEGA_OK);
  assert_int_equal(file_write(path, "second", 6, 0600, NULL), COLLEGA_OK);
  assert_int_equal(stat(path, &about), 0);
  assert_int_equal(about.st_mode & 0777, 0600);
  assert_int_equal(file_read(path, 6, &content, NULL), COLLEGA_OK);
  assert_string_equal(buffer_text(&content), "second");
  buffer_free(&content);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(rmdir(scratch->directory), 0); /* nothing was left beside it */
  struct collega_error error;
  assert_int_equal(file_write(path, "x", 1, 0600, &error), COLLEGA_SYSTEM);
  assert_int_equal(mkdir(scratch->directory, 0700), 0);
}

static void reading_has_a_limit(void **state) {
  const char *path = scratch_path(*state, "large");
  struct buffer content;
  struct collega_error error;
  scratch_write(path, "0123456789", 10);
  assert_int_equal(file_read(path, 10, &content, &error), COLLEGA_OK);
  buffer_free(&content);
  assert_int_equal(file_read(path, 9, &content, &error), COLLEGA_INVALID);
  assert_int_equal(error.rule, RULE_file_too_large);
  buffer_free(&content);
  assert_int_equal(file_read(scratch_path(*state, "none"), 9, &content, &error), COLLEGA_NOT_FOUND);
  buffer_free(&content);
  assert_int_equal(file_read("/", 9, &content, &error), COLLEGA_SYSTEM);
  buffer_free(&content);
}

static void one_process_holds_the_run_lock(void **state) {
  struct scratch *scratch = *state;
  struct collega_error error;
  int fd, second;
  assert_false(run_lock_held(scratch->directory));
  assert_int_equal(run_lock_take(scratch->directory, &fd, &error), COLLEGA_OK);
  assert_true(run_lock_held(scratch->directory));
  assert_int_equal(run_lock_take(scratch->directory, &second, &error), COLLEGA_BUSY);
  assert_int_equal(second, -1);
  char pid[24];
  snprintf(pid, sizeof pid, "%ld", (long)getpid());
  assert_string_equal(error.argument[1], pid);
  run_lock_release(&fd);
  assert_int_equal(fd, -1);
  assert_false(run_lock_held(scratch->directory));
  assert_int_equal(run_lock_take(scratch->directory, &fd, &error), COLLEGA_OK);
  run_lock_release(&fd);
}

static void the_run_lock_dies_with_its_process(void **state) {
  struct scratch *scratch = *state;
  int ready[2];
  assert_int_equal(pipe(ready), 0);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    int fd;
    bool taken = run_lock_take(scratch->directory, &fd, NULL) == COLLEGA_OK;
    if (write(ready[1], taken ? "y" : "n", 1) != 1) _exit(1);
    for (;;)
      pause();
  }
  char byte = 0;
  assert_int_equal(read(ready[0], &byte, 1), 1);
  assert_int_equal(byte, 'y');
  int fd;
  assert_true(run_lock_held(scratch->directory));
  assert_int_equal(run_lock_take(scratch->directory, &fd, NULL), COLLEGA_BUSY);
  kill(pid, SIGKILL);
  assert_int_equal(waitpid(pid, NULL, 0), pid);
  assert_int_equal(run_lock_take(scratch->directory, &fd, NULL), COLLEGA_OK);
  run_lock_release(&fd);
  close(ready[0]);
  close(ready[1]);
}

static void signals_arrive_at_the_descriptor(void **state) {
  (void)state;
  sigset_t before;
  sigprocmask(SIG_BLOCK, NULL, &before);
  int fd;
  assert_int_equal(signals_take(&fd, NULL), COLLEGA_OK);
  assert_int_equal(signals_next(fd), 0);
  raise(SIGTERM);
  raise(SIGHUP);
  int first = signals_next(fd), second = signals_next(fd);
  assert_true((first == SIGTERM && second == SIGHUP) || (first == SIGHUP && second == SIGTERM));
  assert_int_equal(signals_next(fd), 0);
  int broken[2];
  assert_int_equal(pipe(broken), 0);
  close(broken[0]);
  assert_int_equal(write(broken[1], "x", 1), -1); /* and not the end of the process */
  assert_int_equal(errno, EPIPE);
  close(broken[1]);
  close(fd);
  sigprocmask(SIG_SETMASK, &before, NULL);
}

static void readiness_is_one_datagram(void **state) {
  const char *path = scratch_path(*state, "notify");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  assert_true(strlen(path) < sizeof address.sun_path);
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
  setenv("NOTIFY_SOCKET", path, 1);
  ready_tell("port 7440\nSTOPPING=1");
  unsetenv("NOTIFY_SOCKET");
  ready_tell("to nobody");
  char text[100] = "";
  assert_true(recv(fd, text, sizeof text - 1, MSG_DONTWAIT) > 0);
  assert_string_equal(text, "READY=1\nSTATUS=port 7440 STOPPING=1");
  assert_int_equal(recv(fd, text, sizeof text, MSG_DONTWAIT), -1);
  close(fd);
}

static bool rings(int fd, int timeout) {
  return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, timeout) == 1;
}

static void the_bell_is_heard_and_drained(void **state) {
  struct scratch *scratch = *state;
  int fd;
  assert_int_equal(bell_listen(scratch->directory, &fd, NULL), COLLEGA_OK);
  assert_false(rings(fd, 0));
  assert_int_equal(bell_ring(scratch->directory, NULL), COLLEGA_OK);
  assert_true(rings(fd, DEADLINE_MS));
  for (int i = 0; i < 100; i++)
    assert_int_equal(bell_ring(scratch->directory, NULL), COLLEGA_OK);
  bell_drain(fd);
  assert_false(rings(fd, 0));
  assert_int_equal(bell_ring(scratch->directory, NULL), COLLEGA_OK);
  assert_true(rings(fd, DEADLINE_MS));
  close(fd);
}

static void the_bell_is_heard_from_another_process(void **state) {
  struct scratch *scratch = *state;
  int fd;
  assert_int_equal(bell_listen(scratch->directory, &fd, NULL), COLLEGA_OK);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) _exit(bell_ring(scratch->directory, NULL) == COLLEGA_OK ? 0 : 1);
  assert_true(rings(fd, DEADLINE_MS));
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(status, 0);
  close(fd);
}

static void the_bell_stays_short_and_rings_on(void **state) {
  struct scratch *scratch = *state;
  int fd;
  assert_int_equal(bell_listen(scratch->directory, &fd, NULL), COLLEGA_OK);
  for (int i = 0; i < 4200; i++) {
    assert_int_equal(bell_ring(scratch->directory, NULL), COLLEGA_OK);
    assert_true(rings(fd, DEADLINE_MS));
    bell_drain(fd);
  }
  struct stat about;
  assert_int_equal(stat(scratch_path(scratch, "changed"), &about), 0);
  assert_true(about.st_size <= 4096);
  close(fd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      scratch_test(a_home_is_private_and_knows_its_kind),
      scratch_test(an_empty_directory_becomes_a_home_and_a_used_one_does_not),
      cmocka_unit_test(a_path_that_does_not_fit_is_refused),
      scratch_test(a_file_is_replaced_whole),
      scratch_test(reading_has_a_limit),
      scratch_test(one_process_holds_the_run_lock),
      scratch_test(the_run_lock_dies_with_its_process),
      cmocka_unit_test(signals_arrive_at_the_descriptor),
      scratch_test(readiness_is_one_datagram),
      scratch_test(the_bell_is_heard_and_drained),
      scratch_test(the_bell_is_heard_from_another_process),
      scratch_test(the_bell_stays_short_and_rings_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
