/* The arena: a bump allocator over a list of blocks.
 *
 * Bytes handed out (rounded up to 16) are what the limit counts, so that a caller can foretell when
 * it refuses. Blocks double in size; a request that is large beside the current block gets a block
 * of its own, so little of a block is left unused and the memory taken stays below about twice the
 * limit.
 *
 * With the address sanitizer, what has not been handed out is poisoned: a read past the end of a
 * piece is found although the whole block is one allocation. That costs time for each byte of a block,
 * also of those that nobody takes: first blocks are kept small then. */
#include "base/bytes.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_SANITIZED
#endif
#ifdef ARENA_SANITIZED
#include <sanitizer/asan_interface.h>
#define FIRST_MOST           ((size_t)256 * 1024)
#define POISON(data, size)   ASAN_POISON_MEMORY_REGION(data, size)
#define UNPOISON(data, size) ASAN_UNPOISON_MEMORY_REGION(data, size)
#define ROOM_AT_ONCE(room)   (0 * (room))
#else
#define FIRST_MOST           SIZE_MAX
#define POISON(data, size)   ((void)(data), (void)(size))
#define UNPOISON(data, size) ((void)(data), (void)(size))
#define ROOM_AT_ONCE(room)   (room)
#endif

#define SMALLEST_BLOCK 256

struct arena_block {
  struct arena_block *next; /* the one before it in time */
  size_t size, used;
  _Alignas(ARENA_ALIGNMENT) uint8_t data[];
};

/* The arena lies in front of its first block, in one piece of memory with it. */
static struct arena_block *first_block_of(struct arena *arena) {
  return (struct arena_block *)(arena + 1);
}

static void block_start(struct arena_block *block, size_t size) {
  block->next = NULL;
  block->size = size;
  block->used = 0;
  POISON(block->data, size);
}

static struct arena_block *block_new(size_t size) {
  if (size > SIZE_MAX - sizeof(struct arena_block)) return NULL;
  struct arena_block *block = malloc(sizeof *block + size);
  if (block != NULL) block_start(block, size);
  return block;
}

static void block_free(struct arena_block *block) {
  UNPOISON(block->data, block->size);
  free(block);
}

/* ---- what arena_take takes without asking: nothing, where every piece is unpoisoned by itself */

static void room_open(struct arena *arena) {
  struct arena_block *current = arena->current;
  size_t room = current->size - current->used, left = arena->limit - arena->used;
  if (room > left) room = left;
  arena->at = current->data + current->used;
  arena->begun = arena->room = ROOM_AT_ONCE(room);
}

static size_t room_taken(const struct arena *arena) {
  return arena->begun - arena->room;
}

static void room_close(struct arena *arena) {
  arena->current->used += room_taken(arena);
  arena->used += room_taken(arena);
  arena->begun = arena->room = 0;
}

/* ---- the arena */

struct arena *arena_new(size_t first_block, size_t limit) {
  if (first_block > limit) first_block = limit;
  if (first_block > FIRST_MOST) first_block = FIRST_MOST;
  if (first_block < SMALLEST_BLOCK) first_block = SMALLEST_BLOCK;
  const size_t heads = sizeof(struct arena) + sizeof(struct arena_block);
  struct arena *arena = first_block > SIZE_MAX - heads ? NULL : malloc(heads + first_block);
  if (arena == NULL) return NULL;
  *arena = (struct arena){.current = first_block_of(arena), .limit = limit};
  block_start(arena->current, first_block);
  room_open(arena);
  return arena;
}

void arena_reset(struct arena *arena) {
  struct arena_block *next, *first = first_block_of(arena);
  room_close(arena);
  for (struct arena_block *block = arena->current; block != first; block = next) {
    next = block->next;
    block_free(block);
  }
  arena->current = first;
  POISON(first->data, first->used);
  first->used = 0;
  arena->used = 0;
  arena->exhausted = false;
  room_open(arena);
}

void arena_destroy(struct arena **arena) {
  if (*arena == NULL) return;
  arena_reset(*arena);
  UNPOISON(first_block_of(*arena)->data, first_block_of(*arena)->size);
  free(*arena);
  *arena = NULL;
}

/* A block with room for `size`; NULL when memory is refused. */
static struct arena_block *block_for(struct arena *arena, size_t size) {
  struct arena_block *current = arena->current;
  if (current->size - current->used >= size) return current;
  if (size > current->size / 4 && current != first_block_of(arena)) {
    /* Behind the current block, which goes on being filled. */
    struct arena_block *own = block_new(size);
    if (own == NULL) return NULL;
    own->next = current->next;
    current->next = own;
    return own;
  }
  size_t wanted = current->size > arena->limit / 2 ? arena->limit : 2 * current->size;
  size_t left = arena->limit - arena->used;
  if (wanted > left) wanted = left;
  if (wanted < size) wanted = size;
  struct arena_block *block = block_new(wanted);
  if (block == NULL) return NULL;
  block->next = current;
  arena->current = block;
  return block;
}

void *arena_take_beyond(struct arena *arena, size_t size) {
  size_t rounded = arena_rounded(size);
  struct arena_block *block = NULL;
  uint8_t *data = NULL;
  room_close(arena);
  if (rounded != 0 && rounded <= arena->limit - arena->used) block = block_for(arena, rounded);
  if (block != NULL) {
    data = block->data + block->used;
    block->used += rounded;
    arena->used += rounded;
    UNPOISON(data, size);
  } else {
    arena->exhausted = true;
  }
  room_open(arena);
  return data;
}

void *arena_zero(struct arena *arena, size_t size) {
  void *data = arena_take(arena, size);
  if (data != NULL) memset(data, 0, size);
  return data;
}

void *arena_copy(struct arena *arena, const void *data, size_t size) {
  void *copy = arena_take(arena, size);
  if (copy != NULL && size > 0) memcpy(copy, data, size);
  return copy;
}

char *arena_text(struct arena *arena, const char *text) {
  return arena_copy(arena, text, strlen(text) + 1);
}

char *arena_print(struct arena *arena, const char *format, ...) {
  va_list list, again;
  va_start(list, format);
  va_copy(again, list);
  int length = vsnprintf(NULL, 0, format, list);
  char *text = length < 0 ? NULL : arena_take(arena, (size_t)length + 1);
  if (text != NULL) vsnprintf(text, (size_t)length + 1, format, again);
  va_end(again);
  va_end(list);
  return text;
}

size_t arena_used(const struct arena *arena) {
  return arena->used + room_taken(arena);
}

bool arena_exhausted(const struct arena *arena) {
  return arena->exhausted;
}
