/* A broker and two employers who come to an agreement, change it and end it, always with the same
 * keys, numbers and bytes: randomness is fixed. Along the way their homes and the broker's store
 * are put aside as scenes; a target takes a copy of one and feeds it frames. The frames that were
 * really sent after a scene are the seeds. */
#ifndef COLLEGA_TESTS_FUZZ_STAGE_H
#define COLLEGA_TESTS_FUZZ_STAGE_H
#include "tests/fuzz/fuzz.h"
#include "tests/unit/exchange/world.h"

enum scene { SCENE_OFFERS, SCENE_PROPOSED, SCENE_AGREED, SCENE_AMENDING, SCENES };
#define STAGE_HOMES 2 /* 0 lends and proposes, 1 borrows */

struct stage {
  char directory[64]; /* scenes, and "now": the copy that is played on */
  struct id home[STAGE_HOMES];
  uint8_t link_key[STAGE_HOMES][32];
  struct identity *broker;
  collega_time now;
};
/* A frame on its way, while the play is made: `home` as above, or -1: nobody's yet. */
typedef void (*stage_seen)(void *context, enum scene last, int home, bool to_broker,
                           struct bytes packed);
/* Plays everything once. Aborts when a step fails. */
void stage_make(struct stage *stage, stage_seen seen, void *context);
/* Copies a part of a scene ("broker", "home0", "home1"); the path stays as it is until the next. */
const char *stage_copy(const struct stage *stage, enum scene scene, const char *part);
#endif
