/* An HR system in small: publishes a shortage from a file, waits until a match is found, proposes, waits until it is
 * concluded, and writes the proof.
 *
 *   cc hr_system.c -o hr_system $(pkg-config --cflags --libs collega jansson)
 *   collega run --home HOME &
 *   ./hr_system HOME offer.json proof.collega
 *
 * It may be stopped at any point and started again: the offer is published once, by its private.reference; events come
 * from where they were acknowledged last; nothing is proposed about a match that has a deal. */
#include <collega/collega.h>

#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct system {
  struct collega_node *node;
  const char *proof_path;
  char offer[33];
  int done; /* 1: concluded and proved; -1: it came to nothing */
};

static int complain(const char *what, const struct collega_failure *failure) {
  fprintf(stderr, "hr_system: %s: %s (%s)\n", what, failure->text, failure->rule);
  return -1;
}

/* The library's JSON, read and released. */
static json_t *read_json(char *text) {
  json_t *json = text ? json_loads(text, 0, NULL) : NULL;
  collega_free(text);
  return json;
}

static const char *text_in(const json_t *json, const char *name) {
  const char *text = json_string_value(json_object_get(json, name));
  return text ? text : "";
}

static int publish(struct system *system, const char *path) {
  static char text[1 << 20];
  struct collega_failure failure = COLLEGA_FAILURE_INIT;
  char *answer = NULL;
  FILE *file = fopen(path, "rb");
  if (!file) {
    perror(path);
    return -1;
  }
  size_t length = fread(text, 1, sizeof text, file);
  fclose(file);
  if (collega_offers_publish(system->node, text, length, COLLEGA_ONCE, &answer, &failure) !=
      COLLEGA_CODE_OK)
    return complain(path, &failure);
  json_t *json = read_json(answer);
  const json_t *first = json_array_get(json_object_get(json, "offers"), 0);
  snprintf(system->offer, sizeof system->offer, "%s", text_in(first, "id"));
  printf("offer %s%s\n", system->offer,
         json_is_true(json_object_get(first, "already")) ? " (published before)" : "");
  json_decref(json);
  return 0;
}

static int is_about_our_offer(const struct system *system, const json_t *deal) {
  size_t i;
  const json_t *offer;
  json_array_foreach(json_object_get(deal, "offers"), i, offer) {
    if (strcmp(json_string_value(offer), system->offer) == 0) return 1;
  }
  return 0;
}

/* The other side's acceptance may come a moment after the decision: then the next event tries again. */
static int write_proof(struct system *system, const char *deal) {
  struct collega_failure failure = COLLEGA_FAILURE_INIT;
  void *proof = NULL;
  size_t length = 0;
  int code = collega_deal_prove(system->node, deal, NULL, &proof, &length, &failure);
  if (code == COLLEGA_CODE_REFUSED) return 0;
  if (code != COLLEGA_CODE_OK) return complain("proof", &failure);
  FILE *file = fopen(system->proof_path, "wb");
  size_t written = file ? fwrite(proof, 1, length, file) : 0;
  int closed = file ? fclose(file) : -1;
  collega_free(proof);
  if (closed != 0 || written != length) {
    perror(system->proof_path);
    return -1;
  }
  printf("proof %zu bytes\n", length);
  system->done = 1;
  return 0;
}

static int look_at_deal(struct system *system, const json_t *deal) {
  const char *state = text_in(deal, "state");
  if (!is_about_our_offer(system, deal)) return 0;
  printf("deal %s %s\n", text_in(deal, "id"), state);
  if (strcmp(state, "concluded") == 0 || strcmp(state, "active") == 0)
    return write_proof(system, text_in(deal, "id"));
  if (strcmp(state, "void") != 0) return 0;
  fprintf(stderr, "hr_system: %s\n", text_in(deal, "why_text"));
  system->done = -1;
  return 0;
}

/* All deals there are; *about tells whether one of them came from the match. */
static int look_at_deals(struct system *system, const char *match, int *about) {
  struct collega_failure failure = COLLEGA_FAILURE_INIT;
  char *answer = NULL;
  size_t i;
  const json_t *deal;
  int failed = 0;
  *about = 0;
  if (collega_deals_list(system->node, &answer, &failure) != COLLEGA_CODE_OK)
    return complain("deals", &failure);
  json_t *json = read_json(answer);
  json_array_foreach(json_object_get(json, "deals"), i, deal) {
    if (match && strcmp(text_in(deal, "thread"), match) == 0) *about = 1;
    if (!match && !failed && !system->done) failed = look_at_deal(system, deal);
  }
  json_decref(json);
  return failed;
}

static int look_at_match(struct system *system, const json_t *match) {
  struct collega_failure failure = COLLEGA_FAILURE_INIT;
  char proposal[256], *answer = NULL;
  int about = 0;
  if (strcmp(text_in(match, "offer"), system->offer) != 0) return 0;
  printf("match %s %.2f\n", text_in(match, "id"), json_real_value(json_object_get(match, "score")));
  if (look_at_deals(system, text_in(match, "id"), &about) != 0) return -1;
  if (about) return 0;
  snprintf(proposal, sizeof proposal, "{\"match\": \"%s\", \"rate_cents\": 2380}",
           text_in(match, "id"));
  if (collega_deal_propose(system->node, proposal, strlen(proposal), &answer, &failure) !=
      COLLEGA_CODE_OK)
    return complain("proposal", &failure);
  json_t *deal = read_json(answer);
  printf("proposed %s\n", text_in(deal, "id"));
  json_decref(deal);
  return 0;
}

static int handle(struct system *system, const json_t *event) {
  const char *kind = text_in(event, "event");
  if (strcmp(kind, "match") == 0) return look_at_match(system, json_object_get(event, "match"));
  if (strcmp(kind, "deal") == 0) return look_at_deal(system, json_object_get(event, "deal"));
  if (strcmp(kind, "refused") == 0) fprintf(stderr, "hr_system: %s\n", text_in(event, "text"));
  return 0;
}

/* Every event that is there. Acknowledged once it is dealt with: a crash in between brings it again. */
static int handle_all(struct system *system) {
  struct collega_failure failure = COLLEGA_FAILURE_INIT;
  for (;;) {
    char *text = NULL;
    if (collega_next_event(system->node, &text, &failure) != COLLEGA_CODE_OK)
      return complain("event", &failure);
    if (!text) return 0;
    json_t *event = read_json(text);
    int failed = handle(system, event);
    json_decref(event);
    if (failed) return failed;
    if (collega_acknowledge(system->node, NULL, &failure) != COLLEGA_CODE_OK)
      return complain("acknowledge", &failure);
    if (system->done) return 0;
  }
}

static int work(struct system *system, const char *offer_path) {
  struct collega_failure failure = COLLEGA_FAILURE_INIT;
  int about = 0;
  /* Follow first, so that what comes of the offer is not missed. */
  if (collega_follow(system->node, "hr-system", COLLEGA_START_NOW, &failure) != COLLEGA_CODE_OK)
    return complain("follow", &failure);
  if (publish(system, offer_path) != 0) return -1;
  if (look_at_deals(system, NULL, &about) != 0) return -1; /* it may have been concluded before */
  while (!system->done) {
    if (handle_all(system) != 0) return -1;
    fflush(stdout);
    struct pollfd wait = {.fd = collega_fd(system->node), .events = POLLIN};
    if (!system->done) poll(&wait, 1, COLLEGA_LOOK_AGAIN_MS);
  }
  return system->done == 1 ? 0 : -1;
}

int main(int argc, char **argv) {
  struct collega_failure failure = COLLEGA_FAILURE_INIT;
  struct collega_options options = COLLEGA_OPTIONS_INIT;
  struct system system = {.node = NULL};
  if (argc != 4) {
    fprintf(stderr, "hr_system HOME OFFER.json PROOF\n");
    return 2;
  }
  options.home = argv[1];
  system.proof_path = argv[3];
  if (collega_open(&options, &system.node, &failure) != COLLEGA_CODE_OK) {
    complain(argv[1], &failure);
    return 1;
  }
  int failed = work(&system, argv[2]);
  collega_close(&system.node);
  return failed ? 1 : 0;
}
