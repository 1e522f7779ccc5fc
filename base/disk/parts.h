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

/* A descriptor that holds LMDB's lock file to the exclusion of every opener; closing it lets go.
 * -1: somebody has the environment open (or errno says that the file cannot be opened). */
int disk_alone(const char *path);
/* Moves the directory to PATH.damaged-N. Always returns a failure: what was moved where. */
enum collega_status disk_quarantine(const char *path,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;

/* Watches the map of an open environment, if the program has asked for it. The slot for the other
 * two; -1: it is not watched. */
int damage_watch(const char *path);
void damage_forget(int slot);
/* LMDB itself found its file impossible, and would abort: ends the program in words, if watched. */
void damage_told(int slot);
#endif
