/* Queues of jobs: order, lists, and when the bell rings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include "broker/daemon/queue.h"

#define MANY 20000u

static struct job *numbered(uint64_t order, struct job *next) {
  struct job *job = job_new(JOB_FRAME);
  assert_non_null(job);
  job->order = order;
  job->next = next;
  return job;
}

static void send_one(struct job_queue *queue, uint64_t order) {
  struct job *job = numbered(order, NULL);
  job_send(queue, &job);
  assert_null(job);
}

static bool rings(const struct job_queue *queue) {
  struct pollfd item = {.fd = job_queue_bell(queue), .events = POLLIN};
  return poll(&item, 1, 0) == 1;
}

/* Takes what waits; its numbers must go on from `from`. Returns the next number. */
static uint64_t take_all(struct job *list, uint64_t from) {
  for (struct job *job = list; job != NULL; job = job->next)
    assert_int_equal(job->order, from++);
  job_list_destroy(&list);
  return from;
}

static void lists_come_out_in_the_order_in_which_they_were_sent(void **state) {
  (void)state;
  struct job_queue *queue = job_queue_new();
  assert_null(job_receive(queue));
  send_one(queue, 0);
  struct job *list = numbered(1, numbered(2, numbered(3, NULL)));
  job_send(queue, &list);
  send_one(queue, 4);
  assert_int_equal(take_all(job_receive(queue), 0), 5);
  assert_null(job_receive(queue));
  send_one(queue, 5);
  assert_int_equal(take_all(job_wait(queue), 5), 6);
  job_queue_destroy(&queue);
  assert_null(queue);
}

static void only_who_rests_is_rung_and_once(void **state) {
  (void)state;
  struct job_queue *queue = job_queue_new();
  send_one(queue, 0);
  assert_false(rings(queue)); /* nobody said that it rests */
  assert_false(job_queue_rest(queue));
  assert_int_equal(take_all(job_receive(queue), 0), 1);
  assert_true(job_queue_rest(queue));
  assert_false(rings(queue));
  send_one(queue, 1);
  send_one(queue, 2);
  assert_true(rings(queue));
  assert_int_equal(take_all(job_receive(queue), 1), 3);
  assert_false(rings(queue));
  assert_true(job_queue_rest(queue));
  assert_null(job_receive(queue)); /* woken by something else: it rests no more */
  send_one(queue, 3);
  assert_false(rings(queue));
  job_queue_destroy(&queue); /* with what waits */
}

static void *send_many(void *context) {
  for (uint64_t i = 0; i < MANY; i++)
    send_one(context, i);
  return NULL;
}

static void a_thread_that_waits_misses_nothing(void **state) {
  (void)state;
  struct job_queue *queue = job_queue_new();
  pthread_t sender;
  assert_int_equal(pthread_create(&sender, NULL, send_many, queue), 0);
  for (uint64_t next = 0; next < MANY;)
    next = take_all(job_wait(queue), next);
  pthread_join(sender, NULL);
  assert_null(job_receive(queue));
  job_queue_destroy(&queue);
}

static void a_poll_on_the_bell_misses_nothing(void **state) {
  (void)state;
  struct job_queue *queue = job_queue_new();
  struct pollfd item = {.fd = job_queue_bell(queue), .events = POLLIN};
  pthread_t sender;
  assert_int_equal(pthread_create(&sender, NULL, send_many, queue), 0);
  for (uint64_t next = 0; next < MANY; next = take_all(job_receive(queue), next))
    if (job_queue_rest(queue)) assert_int_equal(poll(&item, 1, 60000), 1);
  pthread_join(sender, NULL);
  job_queue_destroy(&queue);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lists_come_out_in_the_order_in_which_they_were_sent),
      cmocka_unit_test(only_who_rests_is_rung_and_once),
      cmocka_unit_test(a_thread_that_waits_misses_nothing),
      cmocka_unit_test(a_poll_on_the_bell_misses_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
