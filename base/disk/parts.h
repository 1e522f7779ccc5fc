/* The parts of base/disk that disk.c puts together. Not for other rooms. */
#ifndef COLLEGA_BASE_DISK_PARTS_H
#define COLLEGA_BASE_DISK_PARTS_H
#include <stdbool.h>
#include <sys/types.h>
#include "base/disk/disk.h"

/* Which directories this process has open. LMDB's locks break when a process opens one twice. */
bool registry_claim(dev_t device, ino_t inode); /* false: is open already, or out of memory */
void registry_release(dev_t device, ino_t inode);

/* What data.mdb looks like before LMDB maps it. */
enum disk_look {
  DISK_LOOK_NEW,     /* there is none, or it is empty */
  DISK_LOOK_SOUND,   /* LMDB may open it */
  DISK_LOOK_DAMAGED, /* LMDB would refuse it, or crash on it */
  DISK_LOOK_FOREIGN, /* an LMDB file of another format version */
};
/* With `repair` a file that ends before its last page is lengthened (see inspect.c). */
enum collega_status disk_inspect(const char *path, bool repair, enum disk_look *look,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* COLLEGA_REFUSED when the directory is on a file system shared over a network. */
enum collega_status disk_refuse_remote(const char *path,
                                       struct collega_error *error) COLLEGA_MUST_CHECK;

/* What a meta page says, of which there are two; the one with the higher number of a transaction counts. */
#define DISK_META_BYTES 152 /* of the page, that are read */
#define DISK_NO_PAGE    UINT64_MAX
struct disk_meta {
  uint32_t magic, version, page_size;
  uint64_t map_size, free_root, main_root, last_page,
      transaction; /* a root: a page, or DISK_NO_PAGE */
};
struct disk_meta disk_meta_of(const uint8_t *page);
bool disk_page_size_sound(uint32_t size);
/* Are the pages of the newest commit what LMDB takes them for? `map`: data.mdb from its beginning, of which `length` bytes
 * may be looked at; the file reaches to its last page (disk_inspect has seen to it). Safe in a handler of a signal. */
bool disk_pages_sound(const void *map, uint64_t length);

/* A descriptor that holds LMDB's lock file to the exclusion of every opener; closing it lets go.
 * -1: somebody has the environment open (or errno says that the file cannot be opened). */
int disk_alone(const char *path);
/* Moves the directory to PATH.damaged-N. Always returns a failure: what was moved where. */
enum collega_status disk_quarantine(const char *path,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;

/* Who watches the maps of open environments for damaged pages, once a program has asked for it
 * (disk_watch_damage). A table of functions, so that a library which only opens environments holds
 * nothing that could take a signal. */
struct damage_watcher {
  int (*watch)(const char *path); /* the slot for the other two; -1: it is not watched */
  void (*forget)(int slot);
  /* LMDB itself found its file impossible, and would abort: ends the program in words, if watched. */
  void (*told)(int slot);
};
void disk_set_watcher(const struct damage_watcher *watcher);
#endif
