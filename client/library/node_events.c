/* Following, through the public interface: events are read ahead in one short transaction, and given one by one. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/process/process.h"
#include "client/library/node.h"

static void go_to(struct collega_node *node, const struct event_place *place) {
  node_drop_events(node);
  node->read = node->given = *place;
}

/* A name that is new here is written down at once: a consumer that dies before its first acknowledgement comes back to
 * where it began. */
static enum collega_status begin_consumer(struct call *call, const char *consumer,
                                          enum collega_start start, struct event_place *place) {
  enum collega_status status = consumer_place(&call->view, consumer, place, &call->error);
  if (status != COLLEGA_NOT_FOUND) return status;
  memset(place, 0, sizeof *place);
  status =
      start == COLLEGA_START_NOW ? event_place_now(&call->view, place, &call->error) : COLLEGA_OK;
  call_release(call);
  return status == COLLEGA_OK ? consumer_move(&call->view, consumer, place, false, &call->error)
                              : status;
}

int collega_follow(struct collega_node *node, const char *consumer, enum collega_start start,
                   struct collega_failure *failure) {
  struct call call;
  struct event_place place;
  enum collega_status status = call_begin(&call, node, NULL, failure);
  if (status == COLLEGA_OK) status = call_need(&call, consumer, "consumer");
  if (status == COLLEGA_OK && !consumer_name_fits(consumer))
    status = error_set(&call.error, COLLEGA_INVALID, RULE_consumer_name, "consumer", NULL);
  if (status == COLLEGA_OK && start != COLLEGA_START_NOW && start != COLLEGA_START_BEGINNING)
    status = call_unknown(&call, "start", (long)start);
  /* Listen first: what is written while the place is read rings. */
  if (status == COLLEGA_OK && node->bell < 0)
    status = bell_listen(ledger_home(node->ledger), &node->bell, &call.error);
  if (status == COLLEGA_OK) status = begin_consumer(&call, consumer, start, &place);
  if (status == COLLEGA_OK) {
    snprintf(node->consumer, sizeof node->consumer, "%s", consumer);
    go_to(node, &place);
  }
  return call_end_bare(&call, status);
}

int collega_fd(const struct collega_node *node) {
  return node && node->process == getpid() ? node->bell : -1;
}

static enum collega_status need_following(struct call *call) {
  if (call->node->consumer[0]) return COLLEGA_OK;
  return error_set(&call->error, COLLEGA_USAGE, RULE_follow_first, NULL, NULL);
}

static enum collega_status read_ahead(struct call *call) {
  struct collega_node *node = call->node;
  struct event_place before;
  enum collega_status status = COLLEGA_OK;
  node_drop_events(node);
  bell_drain(node->bell); /* first: what rings from here on is looked at next time */
  do {                    /* over stretches without events, each in a transaction of its own */
    before = node->read;
    status = call_renew(call);
    if (status == COLLEGA_OK)
      status = events_read(&call->view, &node->read, node->events, NODE_EVENTS, &node->count,
                           &call->error);
  } while (status == COLLEGA_OK && node->count == 0 &&
           (before.entry != node->read.entry || before.within != node->read.within ||
            before.matches != node->read.matches));
  if (status != COLLEGA_OK) {
    node_drop_events(node);
    node->read = node->given;
  }
  return status;
}

int collega_next_event(struct collega_node *node, char **json, struct collega_failure *failure) {
  struct call call;
  enum collega_status status = call_begin(&call, node, json, failure);
  if (status == COLLEGA_OK) status = call_need(&call, json, "json");
  if (status == COLLEGA_OK) status = need_following(&call);
  if (status == COLLEGA_OK && node->next == node->count) status = read_ahead(&call);
  if (status != COLLEGA_OK) return call_end_bare(&call, status);
  if (node->next == node->count) {
    node->given = node->read; /* what came in between is no event */
    return call_end_bare(&call, COLLEGA_OK);
  }
  const struct event *event = &node->events[node->next];
  int code = call_end(&call, COLLEGA_OK, json_incref(event->document));
  if (code != COLLEGA_CODE_OK) return code; /* it is given again */
  node->given = event->after;
  json_decref(event->document);
  ++node->next;
  return code;
}

int collega_acknowledge(struct collega_node *node, const char *event,
                        struct collega_failure *failure) {
  struct call call;
  struct event_place place;
  enum collega_status status = call_begin(&call, node, NULL, failure);
  if (status == COLLEGA_OK) status = need_following(&call);
  if (status == COLLEGA_OK) place = node->given;
  if (status == COLLEGA_OK && event &&
      (!event_place_read(event, &place) || !event_place_reached(&place, &node->given)))
    status = error_set(&call.error, COLLEGA_INVALID, RULE_event_unknown, "event", event, NULL);
  call_release(&call);
  if (status == COLLEGA_OK)
    status = consumer_move(&call.view, node->consumer, &place, true, &call.error);
  return call_end_bare(&call, status);
}
