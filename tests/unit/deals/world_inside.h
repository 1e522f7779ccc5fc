/* What the parts of the world share. */
#ifndef TESTS_DEALS_WORLD_INSIDE_H
#define TESTS_DEALS_WORLD_INSIDE_H
#include "world.h"

#define NO_DEAL    WORLD_DEALS
#define NO_MESSAGE WORLD_MESSAGES

/* ---- chance, clocks, messages (world.c) */
/* 0 .. below - 1, from the world's own sequence. */
uint64_t world_chance(struct world *world, uint64_t below);
bool world_one_in(struct world *world, uint64_t count);
void world_note(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct id world_number_id(uint8_t kind, size_t number);
/* What the clock of a side says. */
collega_time world_clock(const struct world *world, size_t root, enum side side);
/* Up to so many seconds, before or after. */
collega_time world_some_skew(struct world *world, uint64_t seconds);
/* A message on its way; it may be lost. */
struct message *world_post(struct world *world, enum message_kind kind, size_t root, enum side side,
                           size_t deal);
void world_remove_message(struct world *world, size_t index);

/* ---- a side (world_side.c). Texts: NULL, or what went wrong. */
bool world_room_for(struct world *world, size_t deal);
unsigned world_people_left(const struct world *world, const struct world_side *side, size_t deal);
const char *world_side_step(struct world *world, size_t root, enum side who,
                            struct deal_event *event, bool *taken);
void world_proposal_event(const struct world_deal *deal, struct deal_event *event);
const char *world_side_takes(struct world *world, const struct message *message, bool *taken);

/* ---- the decider (world_decider.c) */
const char *world_decider_takes(struct world *world, const struct message *message, bool *taken);
void world_restore_decider(struct world *world);
void world_back_up_decider(struct world *world);

/* ---- the users (world_users.c) */
bool world_user_acts(struct world *world, size_t root, enum side who, const char **wrong);
#endif
