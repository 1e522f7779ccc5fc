/* A broker without sockets for one test: a store in a directory of its own, the committer, a
 * worker's table of members, and parties that sign and seal as nodes do. */
#ifndef COLLEGA_TESTS_BROKER_WORLD_H
#define COLLEGA_TESTS_BROKER_WORLD_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "broker/commit/commit.h"
#include "broker/store/log_rows.h"
#include "broker/store/member_rows.h"
#include "proto/guard.h"
#include "proto/limits.h"

#define TEST_TIME INT64_C(1800000000000) /* 2027-01-15 */

struct world {
  char directory[64];
  uint64_t map_bytes;
  struct store *store;
  struct identity *identity;
  struct commit *commit;
  struct member_source source;
  struct members *members; /* a worker's */
  struct arena *arena;     /* of the test */
  collega_time now;
  struct commit_result result; /* of the last batch */
};
/* A party on its side: keys, sequence, ledger head. */
struct party {
  struct identity *identity;
  struct id id;
  struct epoch epoch;
  uint64_t seq; /* given last */
  uint64_t session;
  uint32_t kvk; /* 0: a number of its own */
  uint8_t invitation_key[32], link_key[32];
  bool told;
  struct id head;
  uint64_t head_number;
};

#define must(call)                                                                                 \
  do {                                                                                             \
    struct collega_error error = {.status = COLLEGA_OK};                                           \
    enum collega_status status_of_call = (call);                                                   \
    if (status_of_call != COLLEGA_OK) test_print_error(&error);                                    \
    assert_int_equal(status_of_call, COLLEGA_OK);                                                  \
  } while (0)
void test_print_error(const struct collega_error *error);

int world_setup(void **state);
int world_teardown(void **state);
/* Closes and opens the store, as a restarted broker does. */
void world_close(struct world *world);
void world_open(struct world *world);
struct broker_state world_state(struct world *world);

/* A party that the broker does not know; one that has joined. */
void party_make(struct world *world, struct party *party, uint64_t session);
void party_join(struct world *world, struct party *party, uint64_t session);
void party_free(struct party *party);
/* As a member of this role; `host` NULL: at a node of its own. */
void party_invite_as(struct world *world, struct party *party, const char *name, Collega__Role role,
                     const struct id *host);
void party_invite(struct world *world, struct party *party, const char *name, collega_time expires);

/* Bodies, packed in the world's arena, with the party's next sequence number. */
struct bytes offer_body(struct world *world, struct party *party, const Collega__Offer *offer,
                        const struct short_id *id, uint32_t revision);
struct bytes plain_offer_body(struct world *world, struct party *party, const char *title);
struct bytes body_of(struct world *world, struct party *party, Collega__Body *body);
/* A complete offer that checks; to be changed before it is packed. */
struct test_offer {
  Collega__Offer offer;
  Collega__Occupation occupation;
  Collega__Period period;
  Collega__Hours hours;
  Collega__Place place;
};
void test_offer_fill(struct test_offer *offer, const char *title);

/* Requests as a worker has prepared them. The frame's head follows the party's last one. */
struct request *publish_request(struct world *world, struct party *party, const Collega__Run *run);
struct request *frame_request(struct world *world, const struct party *party,
                              Collega__ToBroker *frame);
Collega__Head *next_head(struct world *world, struct party *party);
Collega__Run *sign_run(struct world *world, const struct party *party, const struct bytes *bodies,
                       size_t count);
/* Commits; the requests are destroyed. The result stays in world->result until the next commit. */
enum collega_status commit_requests(struct world *world, struct request **requests, size_t count);
void commit_one(struct world *world, struct request *request);
/* Publishes `count` bodies as one run. */
void publish(struct world *world, struct party *party, const struct bytes *bodies, size_t count);

/* The answers of the last commit, unpacked. */
const Collega__FromBroker *answer_at(struct world *world, size_t index);
const Collega__FromBroker *unpack_answer(struct world *world, struct bytes packed);
/* The only answer is a Refusal of this code. */
void assert_refused(struct world *world, Collega__RefusalCode code);
/* Verifies receipts with the broker's key; the ids must be those given. Returns the first seq. */
uint64_t assert_receipts(struct world *world, const Collega__FromBroker *answer,
                         const struct id *ids, size_t count);
void bodies_ids(const struct bytes *bodies, size_t count, struct id *ids);

/* Everything on the board that passes `filter`, page by page: each run and receipt verified; record
 * ids and tombstones in order. */
struct board_seen {
  struct id *ids;
  uint64_t *seqs;
  size_t count;
  Collega__Tombstone **tombstones;
  size_t tombstone_count;
  size_t frames;
};
void read_board(struct world *world, const Collega__Filter *filter, uint64_t after,
                struct board_seen *out);
void read_live(struct world *world, const struct log_part *part, const Collega__Filter *filter,
               uint64_t after, struct board_seen *out);
struct store_txn *world_read(struct world *world);
#endif
