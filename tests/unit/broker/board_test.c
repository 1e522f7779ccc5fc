/* The board: what a follower reads equals what a plain filter over all records says, from the store
 * and live. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the test remembers of each record, in log order. */
struct known {
  struct id id;
  uint64_t seq;
  bool passes_always; /* members */
  Collega__OfferKind kind;
  char isco[5], region[5], sector[8];
  bool revises;  /* has a content before it */
  size_t before; /* its index */
  struct short_id offer;
};
struct oracle {
  struct known *known;
  size_t count;
  uint64_t first;
  uint32_t random;
};

static uint32_t next_random(struct oracle *oracle, uint32_t below) {
  oracle->random = oracle->random * 1664525u + 1013904223u;
  return (oracle->random >> 8) % below;
}

static const char *const iscos[] = {"4321", "4322", "5120", "9412"};
static const char *const regions[] = {"AM25", "AM01", ""};
static const char *const sectors[] = {"52.10", "52", "47.1", ""};

static bool in_prefixes(char **prefixes, size_t count, const char *value) {
  if (!count) return true;
  for (size_t i = 0; i < count; i++)
    if (value[0] && !strncmp(value, prefixes[i], strlen(prefixes[i]))) return true;
  return false;
}

static bool plain_passes(const Collega__Filter *filter, const struct known *known) {
  if (known->passes_always) return true;
  bool kind = !filter->n_kinds;
  for (size_t i = 0; i < filter->n_kinds; i++)
    kind |= filter->kinds[i] == known->kind;
  bool region = !filter->n_regions;
  for (size_t i = 0; i < filter->n_regions; i++)
    region |= !strcmp(filter->regions[i], known->region);
  return kind && region && in_prefixes(filter->occupations, filter->n_occupations, known->isco) &&
         in_prefixes(filter->sectors, filter->n_sectors, known->sector);
}

static struct known *remember(struct oracle *oracle) {
  oracle->known = realloc(oracle->known, (oracle->count + 1) * sizeof *oracle->known);
  assert_non_null(oracle->known);
  struct known *known = &oracle->known[oracle->count];
  *known = (struct known){.seq = oracle->first + oracle->count};
  oracle->count++;
  return known;
}

static struct bytes random_offer(struct world *world, struct party *party, struct oracle *oracle,
                                 const struct known *revised, size_t revised_index) {
  struct test_offer offer;
  struct short_id id;
  test_offer_fill(&offer, "Willekeurig");
  random_fill(&id, sizeof id);
  if (revised) id = revised->offer;
  const char *isco = iscos[next_random(oracle, 4)], *region = regions[next_random(oracle, 3)],
             *sector = sectors[next_random(oracle, 4)];
  offer.offer.kind = (Collega__OfferKind)(1 + next_random(oracle, 4));
  offer.occupation.isco = (char *)(uintptr_t)isco;
  offer.place.region = region[0] ? (char *)(uintptr_t)region : NULL;
  offer.offer.sector = sector[0] ? (char *)(uintptr_t)sector : NULL;
  struct bytes body = offer_body(world, party, &offer.offer, &id, revised ? 2 : 1);
  struct known *known = remember(oracle);
  record_id(&known->id, body);
  known->kind = offer.offer.kind;
  snprintf(known->isco, sizeof known->isco, "%s", isco);
  snprintf(known->region, sizeof known->region, "%s", region);
  snprintf(known->sector, sizeof known->sector, "%s", sector);
  known->offer = id;
  known->revises = revised != NULL;
  known->before = revised_index;
  return body;
}

static struct bytes status_of(struct world *world, struct party *party, struct oracle *oracle,
                              size_t content) {
  Collega__OfferStatus of = COLLEGA__OFFER_STATUS__INIT;
  of.id = (ProtobufCBinaryData){SHORT_ID_BYTES, oracle->known[content].offer.byte};
  of.number = 1;
  of.state = COLLEGA__OFFER_STATE__OFFER_STATE_PAUSED;
  of.content = (ProtobufCBinaryData){ID_BYTES, oracle->known[content].id.byte};
  Collega__Body body = COLLEGA__BODY__INIT;
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_STATUS;
  body.status = &of;
  struct bytes packed = body_of(world, party, &body);
  struct known *known = remember(oracle);
  struct known *named = &oracle->known[content];
  *known = (struct known){.seq = known->seq, .kind = named->kind};
  memcpy(known->isco, named->isco, sizeof known->isco);
  memcpy(known->region, named->region, sizeof known->region);
  memcpy(known->sector, named->sector, sizeof known->sector);
  record_id(&known->id, packed);
  return packed;
}

static struct bytes a_mandate(struct world *world, struct party *party, struct oracle *oracle) {
  Collega__Mandate mandate = COLLEGA__MANDATE__INIT;
  mandate.person = (char *)(uintptr_t) "A. Jansen";
  mandate.function = (char *)(uintptr_t) "directeur";
  mandate.valid_from = world->now;
  Collega__Body body = COLLEGA__BODY__INIT;
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_MANDATE;
  body.mandate = &mandate;
  struct bytes packed = body_of(world, party, &body);
  struct known *known = remember(oracle);
  record_id(&known->id, packed);
  known->passes_always = true;
  return packed;
}

/* Contents of this party that no later one has revised. */
static bool newest_content(const struct oracle *oracle, size_t index) {
  for (size_t i = index + 1; i < oracle->count; i++)
    if (oracle->known[i].revises && oracle->known[i].before == index) return false;
  return true;
}

static struct bytes random_record(struct world *world, struct party *party, struct oracle *oracle,
                                  size_t mine) {
  static const struct short_id none;
  uint32_t what = next_random(oracle, 10);
  if (oracle->count > mine && what < 4) {
    size_t content = mine + next_random(oracle, (uint32_t)(oracle->count - mine));
    struct known known = oracle->known[content];
    bool is_content = memcmp(&known.offer, &none, sizeof none) != 0;
    if (is_content && what < 2) return status_of(world, party, oracle, content);
    if (is_content && newest_content(oracle, content))
      return random_offer(world, party, oracle, &known, content);
  }
  if (what == 9) return a_mandate(world, party, oracle);
  return random_offer(world, party, oracle, NULL, 0);
}

static void random_filter(struct oracle *oracle, Collega__Filter *filter, char *storage[4],
                          Collega__OfferKind kinds[2]) {
  static char occupations[3][5] = {"43", "4321", "5"}, region[2][5] = {"AM25", "AM01"},
              sector[3][6] = {"52", "52.1", "47"};
  collega__filter__init(filter);
  if (next_random(oracle, 2)) {
    filter->n_kinds = 2;
    filter->kinds = kinds;
    kinds[0] = (Collega__OfferKind)(1 + next_random(oracle, 4));
    kinds[1] = (Collega__OfferKind)(1 + next_random(oracle, 4));
  }
  if (next_random(oracle, 2)) {
    filter->n_occupations = 1;
    storage[0] = occupations[next_random(oracle, 3)];
    filter->occupations = &storage[0];
  }
  if (next_random(oracle, 2)) {
    filter->n_regions = 1;
    storage[1] = region[next_random(oracle, 2)];
    filter->regions = &storage[1];
  }
  if (next_random(oracle, 2)) {
    filter->n_sectors = 1;
    storage[2] = sector[next_random(oracle, 3)];
    filter->sectors = &storage[2];
  }
}

static void assert_seen(const struct oracle *oracle, const Collega__Filter *filter, uint64_t after,
                        const struct board_seen *seen) {
  size_t at = 0, tombstone = 0;
  for (size_t i = 0; i < oracle->count; i++) {
    const struct known *known = &oracle->known[i];
    if (known->seq <= after) continue;
    if (plain_passes(filter, known)) {
      assert_true(at < seen->count);
      assert_memory_equal(&seen->ids[at], &known->id, ID_BYTES);
      assert_int_equal(seen->seqs[at], known->seq);
      at++;
    } else if (known->revises && plain_passes(filter, &oracle->known[known->before])) {
      assert_true(tombstone < seen->tombstone_count);
      assert_int_equal(seen->tombstones[tombstone]->seq, known->seq);
      assert_memory_equal(seen->tombstones[tombstone]->offer.data, known->offer.byte,
                          SHORT_ID_BYTES);
      tombstone++;
    }
  }
  assert_int_equal(at, seen->count);
  assert_int_equal(tombstone, seen->tombstone_count);
}

static void seen_free(struct board_seen *seen) {
  free(seen->ids);
  free(seen->seqs);
  free(seen->tombstones);
}

static void every_filter_reads_what_a_plain_one_would(void **state) {
  struct world *world = *state;
  struct party parties[3];
  for (size_t i = 0; i < 3; i++)
    party_join(world, &parties[i], i + 1);
  for (uint32_t seed = 1; seed <= 6; seed++) {
    struct oracle oracle = {.first = world_state(world).log_seq + 1, .random = seed};
    uint64_t start = oracle.first - 1;
    /* One party at a time for each seed, so that its own contents are the ones it revises. */
    struct party *party = &parties[seed % 3];
    for (size_t batch = 0; batch < 4; batch++) {
      struct request *requests[5];
      uint64_t part_start = oracle.first + oracle.count - 1;
      for (size_t i = 0; i < 5; i++) {
        struct bytes bodies[12];
        size_t count = 1 + next_random(&oracle, 12);
        for (size_t j = 0; j < count; j++)
          bodies[j] = random_record(world, party, &oracle, 0);
        requests[i] = publish_request(world, party, sign_run(world, party, bodies, count));
      }
      assert_int_equal(commit_requests(world, requests, 5), COLLEGA_OK);
      for (size_t i = 0; i < world->result.answer_count; i++)
        assert_non_null(answer_at(world, i)->receipts);
      for (size_t i = 0; i < 6; i++) {
        Collega__Filter filter;
        char *storage[4];
        Collega__OfferKind kinds[2];
        struct board_seen seen;
        random_filter(&oracle, &filter, storage, kinds);
        uint64_t after =
            part_start + next_random(&oracle, (uint32_t)(world->result.log->last_seq - part_start));
        read_live(world, world->result.log, &filter, after, &seen);
        assert_seen(&oracle, &filter, after, &seen);
        seen_free(&seen);
      }
    }
    for (size_t i = 0; i < 20; i++) {
      Collega__Filter filter;
      char *storage[4];
      Collega__OfferKind kinds[2];
      struct board_seen seen;
      random_filter(&oracle, &filter, storage, kinds);
      uint64_t after = start + next_random(&oracle, (uint32_t)oracle.count);
      read_board(world, &filter, after, &seen);
      assert_seen(&oracle, &filter, after, &seen);
      seen_free(&seen);
    }
    free(oracle.known);
  }
  for (size_t i = 0; i < 3; i++)
    party_free(&parties[i]);
}

static void members_are_on_the_board_from_the_start(void **state) {
  struct world *world = *state;
  struct party party;
  party_join(world, &party, 1);
  Collega__Filter filter = COLLEGA__FILTER__INIT;
  Collega__OfferKind kind = COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_IN;
  filter.n_kinds = 1;
  filter.kinds = &kind;
  struct board_seen seen;
  read_board(world, &filter, 0, &seen);
  /* The broker's card and epoch, the party's card and certificate. */
  assert_int_equal(seen.count, 4);
  seen_free(&seen);
  party_free(&party);
}

static void large_runs_come_in_frames_that_fit(void **state) {
  struct world *world = *state;
  struct party party;
  party_join(world, &party, 1);
  uint64_t start = world_state(world).log_seq;
  enum { COUNT = 240 };
  static char description[4000];
  memset(description, 'x', sizeof description - 1);
  struct bytes bodies[COUNT];
  struct id ids[COUNT];
  for (size_t i = 0; i < COUNT; i++) {
    struct test_offer offer;
    struct short_id id;
    test_offer_fill(&offer, "Lang verhaal");
    random_fill(&id, sizeof id);
    offer.offer.description = description;
    if (i % 3 == 0) offer.place.region = (char *)(uintptr_t) "AM01";
    bodies[i] = offer_body(world, &party, &offer.offer, &id, 1);
  }
  bodies_ids(bodies, COUNT, ids);
  publish(world, &party, bodies, COUNT); /* nearly a megabyte */
  assert_non_null(answer_at(world, 0)->receipts);
  Collega__Filter all = COLLEGA__FILTER__INIT, some = COLLEGA__FILTER__INIT;
  char *region = (char *)(uintptr_t) "AM25";
  some.n_regions = 1;
  some.regions = &region;
  struct board_seen seen;
  read_board(world, &all, start, &seen);
  assert_int_equal(seen.count, COUNT);
  assert_memory_equal(seen.ids, ids, sizeof ids);
  seen_free(&seen);
  read_live(world, world->result.log, &all, start + 100, &seen);
  assert_int_equal(seen.count, COUNT - 100);
  seen_free(&seen);
  read_live(world, world->result.log, &some, start, &seen);
  assert_int_equal(seen.count, COUNT / 3 * 2);
  assert_true(seen.frames > 1);
  seen_free(&seen);
  party_free(&party);
}

static void single_records_of_one_commit_each_carry_their_path(void **state) {
  struct world *world = *state;
  struct party party;
  party_join(world, &party, 1);
  uint64_t start = world_state(world).log_seq;
  enum { COUNT = 1200 };
  struct request *requests[COUNT];
  for (size_t i = 0; i < COUNT; i++) {
    struct bytes body = plain_offer_body(world, &party, "Los");
    requests[i] = publish_request(world, &party, sign_run(world, &party, &body, 1));
  }
  assert_int_equal(commit_requests(world, requests, COUNT), COLLEGA_OK);
  Collega__Filter all = COLLEGA__FILTER__INIT;
  struct board_seen seen, live;
  read_board(world, &all, start, &seen);
  read_live(world, world->result.log, &all, start, &live);
  assert_int_equal(seen.count, COUNT);
  assert_int_equal(live.count, COUNT);
  assert_true(seen.frames > 1);
  assert_memory_equal(seen.ids, live.ids, COUNT * sizeof *seen.ids);
  seen_free(&seen);
  seen_free(&live);
  party_free(&party);
}

static void a_board_that_is_read_to_its_end_gives_no_frame(void **state) {
  struct world *world = *state;
  struct broker_state broker = world_state(world);
  struct store_txn *txn = world_read(world);
  Collega__Filter all = COLLEGA__FILTER__INIT;
  struct bytes frame;
  uint32_t records;
  uint64_t through;
  must(board_read(txn, &broker.broker, &broker.epoch, 1, &all, broker.log_seq, world->arena, &frame,
                  &records, &through, &error));
  store_end(&txn);
  assert_null(frame.data);
  assert_int_equal(through, broker.log_seq);
  assert_int_equal(records, 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
  const struct CMUnitTest tests[] = {
      TEST(every_filter_reads_what_a_plain_one_would),
      TEST(members_are_on_the_board_from_the_start),
      TEST(large_runs_come_in_frames_that_fit),
      TEST(single_records_of_one_commit_each_carry_their_path),
      TEST(a_board_that_is_read_to_its_end_gives_no_frame),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
