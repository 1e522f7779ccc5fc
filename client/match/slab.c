/* Blocks by size, cut from chunks (slab.h). The first chunks are small, so that a board of a few offers takes little. */
#include "client/match/slab.h"

#include <stdlib.h>
#include <sys/mman.h>

#define FIRST_CHUNK (64u * 1024u)
#define LARGE_PAGE  (2u * 1024u * 1024u)

struct slab_chunk {
  struct slab_chunk *next;
  size_t bytes;
};
struct slab_block {
  struct slab_block *next;
};

static size_t rounded(size_t bytes) {
  return (bytes + SLAB_GRAIN - 1) / SLAB_GRAIN * SLAB_GRAIN;
}

/* What is left of the former chunk, less than SLAB_MOST, is lost. */
static void *chunk_add(struct slab *slab) {
  size_t bytes = slab->chunks ? slab->chunks->bytes * 2 : FIRST_CHUNK;
  if (bytes > LARGE_PAGE) bytes = LARGE_PAGE;
  struct slab_chunk *chunk = aligned_alloc(bytes, bytes);
  if (!chunk) return NULL;
  /* Refused, it is memory all the same. */
  if (bytes == LARGE_PAGE) (void)madvise(chunk, bytes, MADV_HUGEPAGE);
  *chunk = (struct slab_chunk){slab->chunks, bytes};
  slab->chunks = chunk;
  slab->next = (uint8_t *)(chunk + 1);
  slab->left = bytes - sizeof *chunk;
  slab->bytes += sizeof *chunk;
  return chunk;
}

void *slab_take(struct slab *slab, size_t bytes) {
  bytes = rounded(bytes);
  if (bytes > SLAB_MOST) {
    void *block = malloc(bytes);
    if (block) slab->bytes += bytes + 16; /* malloc's own */
    return block;
  }
  struct slab_block *kept = slab->kept[bytes / SLAB_GRAIN];
  if (kept) {
    slab->kept[bytes / SLAB_GRAIN] = kept->next;
    return kept;
  }
  if (slab->left < bytes && !chunk_add(slab)) return NULL;
  uint8_t *block = slab->next;
  slab->next += bytes;
  slab->left -= bytes;
  slab->bytes += bytes;
  return block;
}

void slab_give(struct slab *slab, void *block, size_t bytes) {
  bytes = rounded(bytes);
  if (!block) return;
  if (bytes > SLAB_MOST) {
    slab->bytes -= bytes + 16;
    free(block);
    return;
  }
  struct slab_block *kept = block;
  kept->next = slab->kept[bytes / SLAB_GRAIN];
  slab->kept[bytes / SLAB_GRAIN] = kept;
}

void slab_free(struct slab *slab) {
  for (struct slab_chunk *chunk = slab->chunks, *next; chunk; chunk = next) {
    next = chunk->next;
    free(chunk);
  }
}
