/* Bytes: ids, arenas, growing buffers, big-endian numbers, hexadecimal, UTF-8. */
#ifndef COLLEGA_BASE_BYTES_H
#define COLLEGA_BASE_BYTES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "error.h"

struct bytes {
  const uint8_t *data;
  size_t length;
}; /* borrowed: whoever made it owns it */

#define ID_BYTES       32
#define EPOCH_BYTES    8
#define SHORT_ID_BYTES 16
struct id {
  uint8_t byte[ID_BYTES];
}; /* party, record, deal, match, root */
struct epoch {
  uint8_t byte[EPOCH_BYTES];
};
struct short_id {
  uint8_t byte[SHORT_ID_BYTES];
}; /* offer, capacity */

static inline struct bytes bytes_of(const void *data, size_t length) {
  return (struct bytes){(const uint8_t *)data, length};
}
bool bytes_equal(struct bytes a, struct bytes b);
bool id_equal(const struct id *a, const struct id *b);
bool id_is_zero(const struct id *a);
/* Copies; false (and *out zeroed) when length is not the form's. */
bool id_from(struct id *out, const uint8_t *data, size_t length);
bool epoch_from(struct epoch *out, const uint8_t *data, size_t length);
bool short_id_from(struct short_id *out, const uint8_t *data, size_t length);

/* out must hold 2 * length + 1 characters. */
void hex_write(char *out, const uint8_t *data, size_t length);
/* Exactly 2 * length hexadecimal digits, nothing after them. */
bool hex_read(uint8_t *out, size_t length, const char *text);
/* A prefix as a user types it, 1 to 64 digits; fills *out (rest zero) and *digits. */
bool hex_prefix_read(struct id *out, size_t *digits, const char *text);
bool hex_prefix_fits(const uint8_t *data, size_t length, const struct id *prefix, size_t digits);
/* The one id of many that begins with what a user typed. Begin (false: no hexadecimal prefix), give it
 * every id of `length` bytes (the same again counts once; false: more are of no use), and ask. */
#define ID_CANDIDATES 6
struct id_search {
  struct id prefix;
  size_t digits, length;
  struct id found[ID_CANDIDATES];
  size_t count;
};
bool id_search_begin(struct id_search *search, const char *typed, size_t length);
bool id_search_give(struct id_search *search, const uint8_t *data);
bool id_search_take(struct id_search *search, const uint8_t *data); /* fits for another reason */
/* `out`: length bytes. COLLEGA_NOT_FOUND id_unknown, COLLEGA_REFUSED id_ambiguous with the candidates
 * as second argument, each as far as it takes to tell them apart. */
enum collega_status id_search_end(const struct id_search *search, const char *typed, uint8_t *out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
/* The candidates alone: "1a2b3c4d, 1a2b9f00, ...". */
void id_search_list(const struct id_search *search, char *out, size_t capacity);
/* base64url without padding. Returns the length written, 0 when it does not fit or is malformed.
 * Writing ends with NUL: capacity counts it. */
size_t base64_write(char *out, size_t capacity, const uint8_t *data, size_t length);
size_t base64_read(uint8_t *out, size_t capacity, const char *text, size_t length);

void put_be32(uint8_t *out, uint32_t value);
void put_be64(uint8_t *out, uint64_t value);
uint32_t get_be32(const uint8_t *in);
uint64_t get_be64(const uint8_t *in);

/* Strict UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
bool utf8_valid(const uint8_t *data, size_t length);
/* UTF-8 and no control character (C0, DEL, C1, U+2028, U+2029, bidirectional overrides and isolates
 * U+202A..202E, U+2066..2069); with `lines` the line feed may occur. */
bool utf8_text(const uint8_t *data, size_t length, bool lines);
/* How many bytes from the start are printable ASCII, blanks included: of most texts all. */
size_t utf8_plain(const uint8_t *data, size_t length);
/* Terminal columns of a UTF-8 string: a code point is one column, combining marks none, East Asian
 * wide characters and pictures two. */
size_t utf8_columns(const char *text);
/* The bytes of text that fit in `most` columns, where a character ends, with the marks over it;
 * *columns is what they take. */
size_t utf8_fit(const char *text, size_t most, size_t *columns);

/* The next code point of data: returns the bytes it takes, 0 at the end or when malformed. */
size_t utf8_next(const uint8_t *data, size_t length, uint32_t *point);
/* One of the control characters that utf8_text refuses. */
bool utf8_control(uint32_t point);
/* The length of text, cut to at most `most` bytes where a character ends. */
size_t utf8_cut(const char *text, size_t most);

/* An arena: memory of one frame, request or command, which dies with it. A bump allocator over blocks;
 * it refuses to pass `limit` bytes in all (arena_take then returns NULL and arena_exhausted is true).
 * Its fields are for base/arena.c and arena_take alone. */
#define ARENA_ALIGNMENT 16
struct arena {
  _Alignas(ARENA_ALIGNMENT) uint8_t *at; /* in the current block: what is taken next */
  size_t room;  /* from there on, at once; what is left of the limit, where that is less */
  size_t begun; /* `room`, when `used` was counted last */
  size_t limit, used;
  struct arena_block *current;
  bool exhausted;
};
struct arena *arena_new(size_t first_block, size_t limit); /* NULL: out of memory */
void arena_destroy(struct arena **arena);
void arena_reset(struct arena *arena); /* keeps the first block */
/* What a piece of `size` bytes takes; 0: too much for a size_t. */
static inline size_t arena_rounded(size_t size) {
  return ((size ? size : 1) + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
}
/* As arena_take, where the current block may not have the room. */
void *arena_take_beyond(struct arena *arena, size_t size);
/* Aligned to ARENA_ALIGNMENT, not cleared. */
static inline void *arena_take(struct arena *arena, size_t size) {
  size_t rounded = arena_rounded(size);
  if (rounded - 1 >= arena->room) return arena_take_beyond(arena, size);
  uint8_t *data = arena->at;
  arena->at += rounded;
  arena->room -= rounded;
  return data;
}
void *arena_zero(struct arena *arena, size_t size);
void *arena_copy(struct arena *arena, const void *data, size_t size);
char *arena_text(struct arena *arena, const char *text); /* a copy */
char *arena_print(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
size_t arena_used(const struct arena *arena);
bool arena_exhausted(const struct arena *arena);

/* A growing buffer; `failed` sticks once memory or the limit was refused (check it once, at the end). */
struct buffer {
  uint8_t *data;
  size_t length, capacity, limit;
  bool failed;
};
void buffer_init(struct buffer *buffer, size_t limit); /* limit 0: 1 GiB */
void buffer_free(struct buffer *buffer);
uint8_t *buffer_extend(struct buffer *buffer,
                       size_t size); /* room at the end, counted; NULL: failed */
void buffer_append(struct buffer *buffer, const void *data, size_t size);
void buffer_print(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
const char *buffer_text(struct buffer *buffer); /* ended by NUL (not counted); "" when failed */

/* BLAKE2b-256 of tag (its text without NUL) then the parts. */
void hash_parts(struct id *out, const char *tag, const struct bytes *parts, size_t count);
static inline void hash_one(struct id *out, const char *tag, const void *data, size_t length) {
  struct bytes part = bytes_of(data, length);
  hash_parts(out, tag, &part, 1);
}
/* Fresh randomness (libsodium); the process has called bytes_start() once. */
enum collega_status bytes_start(struct collega_error *error) COLLEGA_MUST_CHECK; /* sodium_init */
void random_fill(void *out, size_t length);
#endif
