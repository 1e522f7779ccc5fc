/* A packed Run seen in place: where its bodies lie, and the run that holds only some of them. No
 * body is unpacked or copied until the cut is written. For runs that passed the guard once. */
#ifndef COLLEGA_BROKER_PACKED_RUN_H
#define COLLEGA_BROKER_PACKED_RUN_H
#include "broker/board/frame.h"

struct packed_run {
  struct bytes signer, signature;
  uint32_t key_epoch, tree_size;
  bool recovery;
  uint32_t *leaves; /* NULL: all of the tree */
  struct id *rest;
  size_t rest_count;
  struct bytes *bodies;
  uint32_t count;
};
/* Slices in the arena, over `packed`. COLLEGA_DAMAGED when it is no run. */
enum collega_status packed_run_read(struct bytes packed, struct arena *arena,
                                    struct packed_run *out,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
/* The packed Run with only the bodies at the ascending positions `picks`, in the arena. `ids`:
 * record ids of all bodies, or NULL to have them hashed. */
enum collega_status packed_run_cut(const struct packed_run *run, const struct id *ids,
                                   const uint32_t *picks, uint32_t count, struct arena *arena,
                                   struct bytes *out,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
