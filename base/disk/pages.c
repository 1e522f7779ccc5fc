/* What the pages of an environment say, and whether they are what LMDB takes them for, by their structure alone. That is
 * asked when the program has come to grief (damage.c), so nothing here allocates, locks or formats.
 *
 * LMDB's data format 1, as its mdb.c has it, on a 64-bit little-endian machine. The two meta pages, offsets from the start
 * of the page:
 *
 *    16 magic (4)     40 page size (4)            88 main tree: 40 more bytes as for the free tree
 *    20 version (4)   80 root of the free tree    128 root of the main tree
 *    32 map size      136 last page               144 transaction number
 *
 * Any other page begins with its number (8 bytes), two bytes that say nothing, its flags (2), and where the list of its
 * nodes ends and its nodes begin (2, 2; of an overflow page: how many pages it is, 4); then comes that list (2 each). A
 * node: the low and the high half of the size of its value (2, 2), flags (2), the size of its key (2), key, value. In a
 * branch the first three are the number of the page below. A value on pages of its own is the number of the first; a named
 * tree is a value of 48 bytes whose last 8 are its root. In the tree of free pages a value is a list of page numbers
 * behind its length. */
#include "base/disk/parts.h"
#include <string.h>

#define PAGE_HEAD   16u
#define NODE_HEAD   8u
#define TREE_BYTES  48u
#define META_PAGES  2u
#define PAGE_BRANCH 0x01u
#define PAGE_LEAF   0x02u
#define PAGE_BIG    0x04u
#define NODE_BIG    0x01u
#define NODE_TREE   0x02u
#define MOST_DEPTH  32 /* LMDB's own */
#define MOST_LOOKS  3  /* somebody may be writing: what is damaged stays so */

enum tree_kind { TREE_FREE, TREE_MAIN, TREE_NAMED };

struct walk {
  const uint8_t *map;
  uint64_t last_page, left; /* left: pages that may yet be looked at; a ring of pages ends */
  uint32_t page_size;
};

static uint16_t at16(const uint8_t *from) {
  uint16_t value;
  memcpy(&value, from, sizeof value);
  return value;
}

static uint32_t at32(const uint8_t *from) {
  uint32_t value;
  memcpy(&value, from, sizeof value);
  return value;
}

static uint64_t at64(const uint8_t *from) {
  uint64_t value;
  memcpy(&value, from, sizeof value);
  return value;
}

struct disk_meta disk_meta_of(const uint8_t *page) {
  return (struct disk_meta){.magic = at32(page + 16),
                            .version = at32(page + 20),
                            .page_size = at32(page + 40),
                            .map_size = at64(page + 32),
                            .free_root = at64(page + 80),
                            .main_root = at64(page + 128),
                            .last_page = at64(page + 136),
                            .transaction = at64(page + 144)};
}

bool disk_page_size_sound(uint32_t size) {
  return size >= 512 && size <= 32768 && (size & (size - 1)) == 0;
}

static const uint8_t *page_at(const struct walk *walk, uint64_t number) {
  return walk->map + number * walk->page_size;
}

static bool is_page(const struct walk *walk, uint64_t number) {
  return number >= META_PAGES && number <= walk->last_page;
}

static bool tree_sound(struct walk *walk, uint64_t root, enum tree_kind kind, int depth);

/* A value on pages of its own. */
static bool big_sound(const struct walk *walk, uint64_t number, uint64_t size) {
  if (!is_page(walk, number)) return false;
  const uint8_t *page = page_at(walk, number);
  uint64_t pages = at32(page + 12), wanted = (PAGE_HEAD - 1 + size) / walk->page_size + 1;
  return at64(page) == number && at16(page + 10) == PAGE_BIG && pages >= wanted &&
         pages <= walk->last_page - number + 1;
}

static bool free_list_sound(const struct walk *walk, const uint8_t *value, uint64_t size) {
  if (size < sizeof(uint64_t) || at64(value) > size / sizeof(uint64_t) - 1) return false;
  for (uint64_t i = 1; i <= at64(value); i++)
    if (!is_page(walk, at64(value + i * sizeof(uint64_t)))) return false;
  return true;
}

/* `room`: from the node to the end of its page. *used: how much of that it takes. */
static bool leaf_node_sound(struct walk *walk, const uint8_t *node, uint32_t room,
                            enum tree_kind kind, int depth, uint32_t *used) {
  uint32_t key = at16(node + 6), flags = at16(node + 4),
           size = at16(node) | (uint32_t)at16(node + 2) << 16;
  if (NODE_HEAD + key > room) return false;
  uint32_t in_page = flags & NODE_BIG ? (uint32_t)sizeof(uint64_t) : size;
  if (in_page > room - NODE_HEAD - key) return false;
  *used = NODE_HEAD + key + in_page;
  const uint8_t *value = node + NODE_HEAD + key;
  if (flags & NODE_BIG) {
    uint64_t number = at64(value);
    if (!big_sound(walk, number, size)) return false;
    value = page_at(walk, number) + PAGE_HEAD;
  }
  if (kind == TREE_FREE) return key == sizeof(uint64_t) && free_list_sound(walk, value, size);
  if (kind == TREE_NAMED || !(flags & NODE_TREE)) return (flags & ~NODE_BIG) == 0;
  return size == TREE_BYTES &&
         tree_sound(walk, at64(value + TREE_BYTES - sizeof(uint64_t)), TREE_NAMED, depth + 1);
}

static bool branch_node_sound(struct walk *walk, const uint8_t *node, uint32_t room,
                              enum tree_kind kind, int depth, uint32_t *used) {
  uint64_t below = at16(node) | (uint64_t)at16(node + 2) << 16 | (uint64_t)at16(node + 4) << 32;
  *used = NODE_HEAD + at16(node + 6);
  return *used <= room && is_page(walk, below) && tree_sound(walk, below, kind, depth + 1);
}

static bool tree_sound(struct walk *walk, uint64_t root, enum tree_kind kind, int depth) {
  if (root == DISK_NO_PAGE) return true;
  if (!is_page(walk, root) || depth > MOST_DEPTH || walk->left-- == 0) return false;
  const uint8_t *page = page_at(walk, root);
  uint32_t flags = at16(page + 10), lower = at16(page + 12), upper = at16(page + 14), taken = 0;
  if (at64(page) != root || (flags != PAGE_BRANCH && flags != PAGE_LEAF) || lower < PAGE_HEAD ||
      lower % 2 != 0 || upper < lower || upper > walk->page_size)
    return false;
  for (uint32_t at = PAGE_HEAD; at < lower; at += 2) {
    uint32_t place = at16(page + at), used = 0;
    if (place < upper || place > walk->page_size - NODE_HEAD) return false;
    uint32_t room = walk->page_size - place;
    bool sound = flags == PAGE_LEAF
                     ? leaf_node_sound(walk, page + place, room, kind, depth, &used)
                     : branch_node_sound(walk, page + place, room, kind, depth, &used);
    if (!sound) return false;
    taken += used;
  }
  return taken <= walk->page_size - upper; /* no two nodes lie on each other */
}

static bool look(const uint8_t *map, uint64_t length) {
  struct disk_meta first = disk_meta_of(map);
  uint32_t size = first.page_size;
  if (!disk_page_size_sound(size) || length / size < META_PAGES) return false;
  struct disk_meta second = disk_meta_of(map + size);
  const struct disk_meta *newest = second.transaction > first.transaction ? &second : &first;
  if (newest->last_page >= length / size) return false;
  struct walk walk = {
      .map = map, .last_page = newest->last_page, .left = newest->last_page + 1, .page_size = size};
  return tree_sound(&walk, newest->free_root, TREE_FREE, 0) &&
         tree_sound(&walk, newest->main_root, TREE_MAIN, 0);
}

bool disk_pages_sound(const void *map, uint64_t length) {
  for (int i = 0; i < MOST_LOOKS; i++)
    if (look(map, length)) return true;
  return false;
}
