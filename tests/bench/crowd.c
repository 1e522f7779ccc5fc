/* Fills a broker's home while no broker runs in it, by the same commits: members by the thousand, a log of a
 * million records, without the hours that their links would take.
 *
 *   crowd HOME MEMBERS                 members 1 .. MEMBERS (offers.h) are invited and join
 *   crowd HOME MEMBERS RECORDS RUN     and member 1 publishes RECORDS offers in runs of RUN */
#include "broker/commit/commit.h"

#include <stdio.h>
#include <string.h>
#include "base/words.h"
#include "broker/store/member_rows.h"
#include "proto/guard.h"
#include "proto/limits.h"
#include "tests/bench/measure.h"
#include "tests/bench/offers.h"

#define BATCH       256u
#define ARENA_BYTES ((size_t)1 << 30)

struct filling {
  struct store *store;
  struct identity *identity;
  struct commit *commit;
  struct member_source source;
  struct members *members;
};

static void must(enum collega_status status, const struct collega_error *error) {
  if (status != COLLEGA_OK) give_up("rule %s, field %s", rule_name(error->rule), error->field);
}

static void open_home(struct filling *filling, const char *home) {
  struct collega_error error;
  char path[512];
  NEED(snprintf(path, sizeof path, "%s/store", home) < (int)sizeof path);
  struct store_options options = {.path = path, .must_exist = true};
  must(store_open(&options, &filling->store, &error), &error);
  must(identity_load(home, &filling->identity, &error), &error);
  must(commit_open(filling->store, filling->identity, "Meting", &filling->commit, &error), &error);
  filling->source = (struct member_source){filling->store, *identity_party(filling->identity)};
  filling->members = members_new(member_source_load, &filling->source);
  NEED(filling->members != NULL);
}

static void commit_all(struct filling *filling, struct request **batch, size_t count) {
  struct collega_error error;
  struct commit_result result;
  must(commit_batch(filling->commit, batch, count, clock_now(), &result, &error), &error);
  commit_result_free(&result);
  for (size_t i = 0; i < count; i++)
    request_destroy(&batch[i]);
}

static struct request *invite(const Collega__Invitation *invitation) {
  struct request *request = request_new(REQUEST_INVITE);
  NEED(request != NULL);
  request->invitation = invitation;
  random_fill(request->invitation_public, sizeof request->invitation_public);
  return request;
}

static struct request *join(struct filling *filling, uint32_t number, const uint8_t link_key[32]) {
  struct employer employer;
  struct request *request = request_new(REQUEST_JOIN);
  NEED(request != NULL);
  employer_make(&employer, number);
  memcpy(request->link_key, link_key, sizeof request->link_key);
  Collega__Join content = COLLEGA__JOIN__INIT;
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  content.card = employer_card(&employer, request->arena);
  frame.join = &content;
  request->packed = message_pack(&frame.base, request->arena);
  request_prepare(request, filling->members, clock_now());
  if (request->prepared != COLLEGA_OK) must(request->prepared, &request->error);
  employer_clear(&employer);
  return request;
}

static void add_members(struct filling *filling, uint32_t from, uint32_t count) {
  struct request *batch[BATCH];
  uint8_t keys[BATCH][32];
  char names[BATCH][32], numbers[BATCH][16];
  Collega__Invitation invitations[BATCH];
  for (uint32_t i = 0; i < count; i++) {
    collega__invitation__init(&invitations[i]);
    snprintf(names[i], sizeof names[i], "Meting %u BV", from + i);
    snprintf(numbers[i], sizeof numbers[i], "%08u", 10000000u + from + i);
    invitations[i].name = names[i];
    invitations[i].kvk = numbers[i];
    invitations[i].expires = clock_now() + DAY_MS;
    batch[i] = invite(&invitations[i]);
    memcpy(keys[i], batch[i]->invitation_public, sizeof keys[i]);
  }
  commit_all(filling, batch, count);
  for (uint32_t i = 0; i < count; i++)
    batch[i] = join(filling, from + i, keys[i]);
  commit_all(filling, batch, count);
}

static void add_records(struct filling *filling, size_t records, size_t run) {
  struct employer employer;
  struct arena *arena = arena_new((size_t)1 << 20, ARENA_BYTES);
  NEED(arena != NULL && run <= COMMIT_MOST_RECORDS);
  employer_make(&employer, 1);
  size_t each = COMMIT_MOST_BYTES / (run * (OFFER_BODY_BYTES + 16) + 512);
  if (each > BATCH) each = BATCH;
  if (each < 1) each = 1;
  for (size_t done = 0; done < records;) {
    struct request *batch[BATCH];
    size_t count = 0;
    for (; count < each && done < records; count++, done += run) {
      batch[count] = request_new(REQUEST_PUBLISH);
      NEED(batch[count] != NULL);
      batch[count]->home = *identity_party(employer.identity);
      batch[count]->packed = employer_publish(&employer, run, arena);
      request_prepare(batch[count], filling->members, clock_now());
      if (batch[count]->prepared != COLLEGA_OK) must(batch[count]->prepared, &batch[count]->error);
    }
    commit_all(filling, batch, count);
    arena_reset(arena);
  }
  employer_clear(&employer);
  arena_destroy(&arena);
}

int main(int count, char **arguments) {
  if ((count != 3 && count != 5) || bytes_start(NULL) != COLLEGA_OK)
    give_up("usage: %s HOME MEMBERS [RECORDS RUN]", arguments[0]);
  struct filling filling = {0};
  open_home(&filling, arguments[1]);
  uint32_t members = (uint32_t)number_argument(arguments[2]);
  for (uint32_t from = 1; from <= members; from += BATCH)
    add_members(&filling, from, members - from + 1 < BATCH ? members - from + 1 : BATCH);
  if (count == 5)
    add_records(&filling, number_argument(arguments[3]), number_argument(arguments[4]));
  members_destroy(&filling.members);
  commit_close(&filling.commit);
  identity_destroy(&filling.identity);
  store_close(&filling.store);
  return 0;
}
