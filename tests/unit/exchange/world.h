/* A broker and some homes in one process, without sockets: frames are carried by hand between
 * the exchange and the broker's commit room. Every frame to a home is delivered twice: the
 * second must change nothing. */
#ifndef COLLEGA_TESTS_EXCHANGE_WORLD_H
#define COLLEGA_TESTS_EXCHANGE_WORLD_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "broker/commit/commit.h"
#include "client/exchange/exchange.h"

#define WORLD_HOMES  12
#define WORLD_HOSTED 3

struct home {
  char path[128];
  const char *name;
  struct id party;
  struct exchange *exchange;
  struct told_head told;
  uint64_t sent;        /* outbox number sent last in this session */
  uint64_t mail, board; /* how far the broker has delivered in this session */
  uint8_t filter[1024]; /* packed, as the home has sent it */
  size_t filter_length;
  uint32_t resets;                /* how often the broker said so */
  struct id hosted[WORLD_HOSTED]; /* parties that live here besides `party` */
  uint64_t hosted_mail[WORLD_HOSTED];
  size_t hosted_count;
  bool welcomed;
  bool restored; /* it may be behind, and caught up or fenced: world_deliver notes it */
  bool behind, caught_up, fenced;
  struct collega_error intake_error;
};
struct world {
  char directory[64];
  collega_time now;
  struct identity *broker;
  struct store *store;
  struct commit *commit;
  struct members *members; /* the broker's worker's */
  struct id broker_id;
  struct home home[WORLD_HOMES];
  size_t count;
  unsigned restores; /* names of directories */
};

#define must(call)                                                                                 \
  do {                                                                                             \
    struct collega_error error = {.status = COLLEGA_OK};                                           \
    enum collega_status status_of_call = (call);                                                   \
    if (status_of_call != COLLEGA_OK) world_print_error(&error);                                   \
    assert_int_equal(status_of_call, COLLEGA_OK);                                                  \
  } while (0)
void world_print_error(const struct collega_error *error);

int world_setup(void **state);
int world_teardown(void **state);
/* Makes a home; `join` also enrols it and opens its session. */
struct home *world_home(struct world *world, const char *name, const char *kvk, bool join);
/* A home of a network, enrolled, with its session open; and another party that lives there. */
struct home *world_network(struct world *world, const char *name, const char *kvk);
void world_host(struct world *world, struct home *host, const char *name, const char *kvk);
/* The home as its party `index` sees it: to read, publish and act as that party. Until the home is opened anew. */
struct home world_hosted(const struct home *host, size_t index);
/* An invitation by the world's broker, which has not heard of it. */
void world_token(struct world *world, const char *name, const char *kvk,
                 char token[INVITATION_TEXT_BYTES]);
void world_reopen(struct home *home);
/* Signs, sends what waits, and delivers board and mail, for all homes, until nothing moves. */
void world_settle(struct world *world);
/* A new session of the home: Welcome, and everything from its cursors. */
void world_welcome(struct world *world, struct home *home);
/* One packed frame from the broker to the home; the status of the intake. */
enum collega_status world_deliver(struct world *world, struct home *home, struct bytes frame);
/* The broker takes one packed frame of the home; its answers to the home are delivered. */
void world_send(struct world *world, struct home *home, struct bytes frame);

/* The broker's store as it is now, in a new directory; and a broker that lives on in such a copy, with
 * all sessions gone. The copy stays as it is: it may be restored more than once. */
void world_backup_broker(struct world *world, const char *path);
void world_restore_broker(struct world *world, const char *path);
/* The home lives on in a new directory, made of a backup, and catches up. */
void world_restore_home(struct world *world, struct home *home, const char *backup);
void world_catch_up(struct world *world, struct home *home);

/* One frame of mail, of the board; false: there was none. */
bool world_mail(struct world *world, struct home *home);
bool world_board(struct world *world, struct home *home);

/* One frame of the home's outbox; false: nothing waits. */
bool world_send_waiting(struct world *world, struct home *home);

/* Offers, deals. */
struct short_id world_publish(struct world *world, struct home *home, Collega__OfferKind kind,
                              uint32_t headcount);
void world_offer(Collega__Offer *offer, Collega__OfferKind kind,
                 uint32_t headcount); /* parts are static */
/* The home's party takes an offer back. */
enum collega_status world_withdraw(const struct world *world, const struct home *home,
                                   const struct short_id *offer,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* Writes the match of two offers as the matcher would. */
struct id world_match(struct home *home, const struct short_id *mine,
                      const struct short_id *theirs);
/* NULL: the home has no such deal. */
CollegaStore__DealRow *world_deal_row(struct home *home, const struct id *deal,
                                      struct arena *arena);
/* The row of the deal's root. */
CollegaStore__RootRow *world_root_row(struct home *home, const struct id *deal,
                                      struct arena *arena);
CollegaStore__DealState world_deal_state(struct home *home, const struct id *deal, char why[64]);
CollegaStore__OfferRow *world_offer_row(struct home *home, const struct short_id *offer,
                                        struct arena *arena);
uint64_t world_entries(struct home *home);
/* A hash over all derived tables but the matches. */
struct id world_tables(struct home *home);
/* A rebuild gives the same tables. */
void world_rebuilds(struct home *home);
/* The most people that the party has agreed or holds for its offer on a day of the first quarter of 2027. */
uint64_t world_standing(struct home *home, const struct short_id *offer);
#endif
