/* Memory for very many small blocks, of a million offers and the cells they are in: their owner knows how large
 * each is.
 *
 * Blocks are cut from chunks, without malloc's header and rounding, and what is given back is kept for others of
 * the same size. Chunks are large pages where the system has them: a search looks at some thousand blocks all over
 * memory, and finding their pages was a fifth of its time. */
#ifndef COLLEGA_CLIENT_SLAB_H
#define COLLEGA_CLIENT_SLAB_H
#include <stddef.h>
#include <stdint.h>

#define SLAB_GRAIN   8u    /* blocks are multiples of it, and aligned to it */
#define SLAB_MOST    2048u /* larger ones are malloc's */
#define SLAB_CLASSES (SLAB_MOST / SLAB_GRAIN + 1)

struct slab_chunk;
struct slab_block;
struct slab {
  struct slab_chunk *chunks; /* the newest first */
  uint8_t *next;
  size_t left, bytes; /* of the newest chunk; taken of the system and in use, or kept for use */
  struct slab_block *kept[SLAB_CLASSES];
};

/* Zeroed, a slab is ready. NULL: out of memory. */
void *slab_take(struct slab *slab, size_t bytes);
/* `bytes` as it was taken; NULL is nothing. */
void slab_give(struct slab *slab, void *block, size_t bytes);
/* Frees all but blocks above SLAB_MOST, which are to be given back before. */
void slab_free(struct slab *slab);
#endif
