/* The play, and its scenes. What a frame is, is seen where the exchange and the broker take it in
 * (linked with --wrap). */
#define _XOPEN_SOURCE 700
#include "tests/fuzz/stage.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Wrapped functions have no room for a context. Set while the play is made, by one thread. */
static struct {
  struct world *world;
  struct stage *stage;
  enum scene last;
  stage_seen seen;
  void *context;
} play;

static const char *copy_from;
static char copy_to[256];

/* ---- copies of directories */

static int copy_one(const char *path, const struct stat *about, int type, struct FTW *at) {
  (void)at;
  char to[512];
  snprintf(to, sizeof to, "%s%s", copy_to, path + strlen(copy_from));
  if (type == FTW_D) return mkdir(to, 0700);
  if (strstr(path, "/lock.mdb") != NULL) return 0; /* of the process that had it open */
  int in = open(path, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  uint8_t *data = malloc((size_t)about->st_size + 1);
  fuzz_must(in >= 0 && out >= 0 && data != NULL);
  fuzz_must(read(in, data, (size_t)about->st_size) == about->st_size);
  fuzz_must(write(out, data, (size_t)about->st_size) == about->st_size);
  free(data);
  close(in);
  close(out);
  return 0;
}

static void copy_directory(const char *from, const char *to) {
  copy_from = from;
  snprintf(copy_to, sizeof copy_to, "%s", to);
  fuzz_must(nftw(from, copy_one, 8, FTW_PHYS) == 0);
}

static void put_aside(enum scene scene) {
  char to[96];
  snprintf(to, sizeof to, "%s/%d", play.stage->directory, (int)scene);
  copy_directory(play.world->directory, to);
  play.last = scene;
}

const char *stage_copy(const struct stage *stage, enum scene scene, const char *part) {
  static char now[128];
  char from[128];
  snprintf(now, sizeof now, "%s/now", stage->directory);
  fuzz_empty_directory(now);
  rmdir(now);
  snprintf(from, sizeof from, "%s/%d/%s", stage->directory, (int)scene, part);
  copy_directory(from, now);
  return now;
}

/* ---- frames */

enum collega_status __real_intake_frame(struct exchange *exchange, const Collega__FromBroker *frame,
                                        struct bytes packed, collega_time now,
                                        struct told_head *told, struct arena *arena,
                                        struct intake_outcome *outcome,
                                        struct collega_error *error);
enum collega_status __wrap_intake_frame(struct exchange *exchange, const Collega__FromBroker *frame,
                                        struct bytes packed, collega_time now,
                                        struct told_head *told, struct arena *arena,
                                        struct intake_outcome *outcome,
                                        struct collega_error *error);
void __real_request_prepare(struct request *request, struct members *members, collega_time now);
void __wrap_request_prepare(struct request *request, struct members *members, collega_time now);

enum collega_status __wrap_intake_frame(struct exchange *exchange, const Collega__FromBroker *frame,
                                        struct bytes packed, collega_time now,
                                        struct told_head *told, struct arena *arena,
                                        struct intake_outcome *outcome,
                                        struct collega_error *error) {
  for (size_t i = 0; play.seen != NULL && i < play.world->count; i++)
    if (play.world->home[i].exchange == exchange)
      play.seen(play.context, play.last, (int)i, false, packed);
  return __real_intake_frame(exchange, frame, packed, now, told, arena, outcome, error);
}

void __wrap_request_prepare(struct request *request, struct members *members, collega_time now) {
  int home = -1;
  for (size_t i = 0; play.world != NULL && i < play.world->count; i++)
    if (id_equal(&play.world->home[i].party, &request->home)) home = (int)i;
  if (play.seen != NULL) play.seen(play.context, play.last, home, true, request->packed);
  __real_request_prepare(request, members, now);
}

/* ---- the play */

static collega_date day(const char *text) {
  collega_date date = 0;
  fuzz_must(date_read(text, &date));
  return date;
}

static void talk(struct home *from, const struct id *match, const char *text) {
  struct id envelope;
  must(match_interest(from->exchange, &from->party, match, text, play.world->now, &envelope,
                      &error));
  world_settle(play.world);
}

static void accepted(struct home *home, const struct id *deal) {
  must(deal_accept(home->exchange, &home->party, deal, NULL, play.world->now, &error));
  world_settle(play.world);
}

static void changes(struct home *lender, struct home *borrower, const struct id *deal) {
  struct proposal more = {.headcount = 8};
  struct id amendment, last;
  must(deal_amend(lender->exchange, &lender->party, deal, &more, play.world->now, &amendment,
                  &error));
  world_settle(play.world);
  put_aside(SCENE_AMENDING);
  accepted(borrower, &amendment);
  must(deal_release(lender->exchange, &lender->party, deal, DEAL_RELEASE_ASK, play.world->now,
                    &error));
  world_settle(play.world);
  must(deal_release(borrower->exchange, &borrower->party, deal, DEAL_RELEASE_KEEP, play.world->now,
                    &error));
  world_settle(play.world);
  must(deal_terminate(borrower->exchange, &borrower->party, deal, day("2027-02-11"), 0, NULL,
                      play.world->now, &last, &error));
  world_settle(play.world);
}

static void act(void) {
  struct world *world = play.world;
  struct home *lender = world_home(world, "Snijder BV", "12345678", true);
  struct home *borrower = world_home(world, "Kwekerij De Vries", "87654321", true);
  struct short_id lends =
      world_publish(world, lender, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, 12);
  struct short_id borrows =
      world_publish(world, borrower, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN, 10);
  world_settle(world);
  struct id match = world_match(lender, &lends, &borrows), deal, counter;
  (void)world_match(borrower, &borrows, &lends);
  put_aside(SCENE_OFFERS);
  talk(borrower, &match, "Past dit bij u?");
  talk(lender, &match, "Jazeker.");
  struct proposal proposal = {.match = &match, .headcount = 6}, fewer = {.headcount = 5};
  must(deal_propose(lender->exchange, &lender->party, &proposal, world->now, &deal, &error));
  world_settle(world);
  put_aside(SCENE_PROPOSED);
  must(deal_counter(borrower->exchange, &borrower->party, &deal, &fewer, world->now, &counter,
                    &error));
  world_settle(world);
  accepted(lender, &counter);
  put_aside(SCENE_AGREED);
  changes(lender, borrower, &counter);
}

void stage_make(struct stage *stage, stage_seen seen, void *context) {
  void *state = NULL;
  (void)fuzz_begin(NULL, 0);
  memset(stage, 0, sizeof *stage);
  snprintf(stage->directory, sizeof stage->directory, "%s", fuzz_directory());
  fuzz_must(world_setup(&state) == 0);
  play.world = state;
  play.stage = stage;
  play.seen = seen;
  play.context = context;
  act();
  play.seen = NULL;
  stage->now = play.world->now;
  for (size_t i = 0; i < STAGE_HOMES; i++) {
    struct home *home = &play.world->home[i];
    stage->home[i] = home->party;
    memcpy(stage->link_key[i],
           identity_public(exchange_identity(home->exchange, &home->party))->link, 32);
  }
  stage->broker = play.world->broker;
  play.world->broker = NULL;
  play.world = NULL;
  fuzz_must(world_teardown(&state) == 0);
}
