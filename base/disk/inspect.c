/* A look at data.mdb before LMDB maps it.
 *
 * LMDB 0.9 believes its two meta pages: a page size of zero divides by zero, a root beyond the end
 * of the file is a bus error at the first read. So the meta pages are read here as bytes first.
 * Their layout: pages.c.
 *
 * A sound file may end before its last page: pages that a transaction took and gave back are never
 * written. A file cut short looks the same. Lengthening it (sparse, in an instant) makes both
 * harmless: what is missing reads as zeroes, which LMDB reports as corruption where a tree needed
 * it. */
#include "base/disk/parts.h"
#include "base/bytes.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define MAGIC  UINT32_C(0xBEEFC0DE)
#define FORMAT 1
/* Not in every linux/magic.h. */
#define SMB2_MAGIC 0xFE534D42
#define CIFS_MAGIC 0xFF534D42

static bool read_meta(int fd, off_t offset, struct disk_meta *out) {
  uint8_t page[DISK_META_BYTES];
  if (pread(fd, page, sizeof page, offset) != (ssize_t)sizeof page) return false;
  *out = disk_meta_of(page);
  return true;
}

/* Judges both meta pages; *end is where the file should end. */
static enum disk_look look_at(int fd, off_t *size, off_t *end) {
  struct disk_meta first, second;
  if (!read_meta(fd, 0, &first) || first.magic != MAGIC) return DISK_LOOK_DAMAGED;
  if (first.version != FORMAT) return DISK_LOOK_FOREIGN;
  if (!disk_page_size_sound(first.page_size)) return DISK_LOOK_DAMAGED;
  if (!read_meta(fd, (off_t)first.page_size, &second) || second.magic != MAGIC ||
      second.version != FORMAT || second.page_size != first.page_size)
    return DISK_LOOK_DAMAGED;
  const struct disk_meta *newest = second.transaction > first.transaction ? &second : &first;
  /* Only after the meta pages: a file that is being written to only grows. */
  struct stat about;
  if (fstat(fd, &about) != 0) return DISK_LOOK_DAMAGED;
  uint64_t pages = (uint64_t)about.st_size / first.page_size;
  bool roots = (newest->main_root == DISK_NO_PAGE || newest->main_root < pages) &&
               (newest->free_root == DISK_NO_PAGE || newest->free_root < pages);
  uint64_t map_pages = newest->map_size / first.page_size;
  if (!roots || pages < 2 || newest->last_page < 1 || newest->last_page >= map_pages ||
      newest->map_size > INT64_MAX)
    return DISK_LOOK_DAMAGED;
  *size = about.st_size;
  *end = (off_t)((newest->last_page + 1) * first.page_size);
  return DISK_LOOK_SOUND;
}

enum collega_status disk_inspect(const char *path, bool repair, enum disk_look *look,
                                 struct collega_error *error) {
  char file[PATH_MAX];
  *look = DISK_LOOK_NEW;
  int printed = snprintf(file, sizeof file, "%s/data.mdb", path);
  if (printed < 0 || (size_t)printed >= sizeof file) return error_system(error, path, ENAMETOOLONG);
  int fd = open(file, (repair ? O_RDWR : O_RDONLY) | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return COLLEGA_OK;
  if (fd < 0) return error_system(error, file, errno);
  int number = 0;
  struct stat about;
  off_t size = 0, end = 0;
  if (fstat(fd, &about) != 0)
    number = errno;
  else if (about.st_size > 0)
    *look = look_at(fd, &size, &end);
  if (number == 0 && *look == DISK_LOOK_SOUND && size < end && repair) {
    /* Never while another process writes: it may have grown the file by now. */
    int alone = disk_alone(path);
    if (alone >= 0 && fstat(fd, &about) == 0 && about.st_size < end && ftruncate(fd, end) != 0)
      number = errno;
    if (alone >= 0) close(alone);
  }
  close(fd);
  return number == 0 ? COLLEGA_OK : error_system(error, file, number);
}

enum collega_status disk_refuse_remote(const char *path, struct collega_error *error) {
  static const struct {
    unsigned long magic;
    const char *name;
  } remote[] = {{NFS_SUPER_MAGIC, "NFS"}, {SMB_SUPER_MAGIC, "SMB"}, {SMB2_MAGIC, "SMB"},
                {CIFS_MAGIC, "CIFS"},     {AFS_SUPER_MAGIC, "AFS"}, {CODA_SUPER_MAGIC, "Coda"},
                {NCP_SUPER_MAGIC, "NCP"}};
  struct statfs about;
  if (statfs(path, &about) != 0) return error_system(error, path, errno);
  for (size_t i = 0; i < sizeof remote / sizeof remote[0]; i++)
    if ((uint32_t)about.f_type == remote[i].magic)
      return error_set(error, COLLEGA_REFUSED, RULE_disk_remote, NULL, path, remote[i].name, NULL);
  return COLLEGA_OK;
}
