/* The log holds only what verified when it came, so nothing is verified again here: one walk over the
 * party's few records of class members. What a stolen key signed with a card that the recovery key has
 * put aside since does not count, as for everybody else (proto/members.c). */
#include "broker/commit/mandates.h"

#include <stdio.h>
#include <string.h>

#include "proto/limits.h"

#define WALK_FIRST_BYTES 4096u
#define PERSON_BYTES     121 /* as the schema allows, and its end */

struct walk {
  struct arena *arena; /* of one record */
  const struct id *wanted;
  struct known_mandate found; /* without its texts */
  char person[PERSON_BYTES];
  bool any;
  uint32_t count, key_epoch;
};

static void take(struct walk *walk, const struct member_record *record,
                 const struct run_view *view) {
  const Collega__Body *body = view->records[record->index].body;
  const struct id *id = &view->records[record->index].id;
  if (body->card && view->run->has_recovery && view->run->recovery && walk->any &&
      walk->key_epoch >= body->card->number)
    walk->any = false;
  if (body->mandate) walk->count++;
  if (!walk->wanted) return;
  if (body->mandate && id_equal(id, walk->wanted)) {
    const Collega__Mandate *mandate = body->mandate;
    walk->any = true;
    walk->key_epoch = view->run->key_epoch;
    snprintf(walk->person, sizeof walk->person, "%s", mandate->person);
    walk->found = (struct known_mandate){
        .record = *id, .jointly = mandate->jointly, .valid_from = mandate->valid_from};
    if (mandate->has_valid_until) walk->found.valid_until = mandate->valid_until;
  } else if (body->mandate_end && walk->any &&
             !memcmp(body->mandate_end->mandate.data, walk->wanted->byte, ID_BYTES)) {
    collega_time ended = body->mandate_end->time;
    if (record->anchor.time > ended) ended = record->anchor.time;
    if (walk->found.ended == 0 || ended < walk->found.ended) walk->found.ended = ended;
  }
}

static enum collega_status visit(void *context, const struct member_record *record,
                                 struct collega_error *error) {
  struct walk *walk = context;
  struct run_view view;
  arena_reset(walk->arena);
  enum collega_status status = run_read_bytes(record->run, walk->arena, &view, error);
  if (!status && record->index < view.count) take(walk, record, &view);
  return status;
}

static enum collega_status look(struct batch *batch, const struct id *party, struct walk *walk,
                                struct collega_error *error) {
  walk->arena = arena_new(WALK_FIRST_BYTES, LIMIT_ARENA_BYTES);
  if (!walk->arena) return batch_exhausted(error);
  /* Records of the tree that is still open have no receipt to read yet. */
  enum collega_status status = batch_sign(batch, error);
  if (!status)
    status = member_records_walk(batch->txn, &batch->state.broker, party, visit, walk, error);
  arena_destroy(&walk->arena);
  return status;
}

enum collega_status mandate_judge(struct batch *batch, const struct id *party,
                                  const struct id *mandate, struct collega_error *why,
                                  struct collega_error *error) {
  struct walk walk = {.wanted = mandate};
  error_clear(why);
  enum collega_status status = look(batch, party, &walk, error);
  if (status) return status;
  if (walk.any) {
    walk.found.person = walk.person;
    why->status = mandate_covers(&walk.found, mandate_time(&walk.found, batch->now), 0, why);
  } else {
    why->status = error_set(why, COLLEGA_REFUSED, RULE_mandate_unknown, "mandate", NULL);
  }
  return COLLEGA_OK;
}

enum collega_status mandates_count(struct batch *batch, const struct id *party, uint32_t *out,
                                   struct collega_error *error) {
  struct walk walk = {.wanted = NULL};
  enum collega_status status = look(batch, party, &walk, error);
  *out = walk.count;
  return status;
}
