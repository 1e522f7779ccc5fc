/* A recorder of what a program does to its files, for LD_PRELOAD: every change and every sync of a file under
 * COLLEGA_RECORD_ROOT, of all processes in one order, goes to the file COLLEGA_RECORD_LOG. tests/support/power.py
 * builds of it the files as a machine would find them after its power was cut at any point.
 *
 * An entry: kind (1), flags (1), path length (2), offset (8), data length (4), path, data; numbers little-endian,
 * paths relative to the root. Kinds: C created, W written, T cut or lengthened to `offset`, S synced, R renamed
 * (data: the new path), U unlinked (a directory too), M directory made. Flag 1: the descriptor syncs with every
 * write (O_DSYNC, O_SYNC).
 *
 * A lock over all processes is held around the call and its entry, so the order of entries is the order of calls.
 * An entry is written after its call came back: what was not synced then may be lost, what was synced is not.
 * Writes through a map are not seen; LMDB maps its data read-only, and of lock.mdb nothing survives a cut anyway. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SYNCS_ITSELF 1
#define HEAD_BYTES   16

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static const char *root;
static int log_fd = -1;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_pwritev)(int, const struct iovec *, int, off_t);
static int (*real_open)(const char *, int, ...);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int), (*real_fdatasync)(int);
static int (*real_rename)(const char *, const char *);
static int (*real_renameat2)(int, const char *, int, const char *, unsigned);
static int (*real_unlink)(const char *), (*real_rmdir)(const char *);
static int (*real_mkdir)(const char *, mode_t);
static int (*real_mkostemp)(char *, int);
static FILE *(*real_fdopen)(int, const char *);
static int (*real_fileno)(FILE *);

static void *next(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (found == NULL) abort();
  return found;
}

static void start(void) {
  real_write = next("write");
  real_pwrite = next("pwrite64");
  real_writev = next("writev");
  real_pwritev = next("pwritev64");
  real_open = next("open64");
  real_ftruncate = next("ftruncate64");
  real_fsync = next("fsync");
  real_fdatasync = next("fdatasync");
  real_rename = next("rename");
  real_renameat2 = next("renameat2");
  real_unlink = next("unlink");
  real_rmdir = next("rmdir");
  real_mkdir = next("mkdir");
  real_mkostemp = next("mkostemp64");
  real_fdopen = next("fdopen");
  real_fileno = next("fileno");
  root = getenv("COLLEGA_RECORD_ROOT");
  const char *log = getenv("COLLEGA_RECORD_LOG");
  if (root != NULL && log != NULL)
    log_fd = real_open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

/* ---- the lock, and what an entry is about */

static void enter(void) {
  pthread_mutex_lock(&mutex);
  while (flock(log_fd, LOCK_EX) != 0)
    if (errno != EINTR) abort();
}

static void leave(void) {
  int number = errno;
  flock(log_fd, LOCK_UN);
  pthread_mutex_unlock(&mutex);
  errno = number;
}

/* A path under the root, relative to it; NULL: another, or one that is not kept. */
static const char *inside(const char *path) {
  size_t length = root == NULL ? 0 : strlen(root);
  if (log_fd < 0 || strncmp(path, root, length) != 0 || path[length] != '/') return NULL;
  const char *name = strrchr(path, '/') + 1;
  if (strcmp(name, "lock.mdb") == 0) return NULL;
  return path + length + 1;
}

static const char *path_of(int fd, char out[PATH_MAX]) {
  char link[32];
  pthread_once(&once, start);
  if (log_fd < 0 || fd < 0) return NULL;
  int number = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, out, PATH_MAX - 1);
  errno = number;
  if (length <= 0) return NULL;
  out[length] = '\0';
  return inside(out);
}

static const char *whole_path(const char *path, char out[PATH_MAX]) {
  pthread_once(&once, start);
  if (log_fd < 0) return NULL;
  if (path[0] == '/') {
    snprintf(out, PATH_MAX, "%s", path);
  } else {
    char directory[PATH_MAX / 2];
    if (getcwd(directory, sizeof directory) == NULL) return NULL;
    int printed = snprintf(out, PATH_MAX, "%s/%s", directory, path);
    if (printed < 0 || printed >= PATH_MAX) return NULL;
  }
  return inside(out);
}

static void put(char kind, uint8_t flags, const char *path, uint64_t offset,
                const struct iovec *data, int count, size_t length) {
  uint8_t head[HEAD_BYTES];
  uint16_t path_length = (uint16_t)strlen(path);
  uint32_t data_length = (uint32_t)length;
  head[0] = (uint8_t)kind;
  head[1] = flags;
  memcpy(head + 2, &path_length, 2);
  memcpy(head + 4, &offset, 8);
  memcpy(head + 12, &data_length, 4);
  if (real_write(log_fd, head, sizeof head) != (ssize_t)sizeof head ||
      real_write(log_fd, path, path_length) != (ssize_t)path_length)
    abort(); /* a log with holes would prove nothing */
  for (int i = 0; i < count && length > 0; i++) {
    size_t part = data[i].iov_len < length ? data[i].iov_len : length;
    if (part > 0 && real_write(log_fd, data[i].iov_base, part) != (ssize_t)part) abort();
    length -= part;
  }
}

static uint8_t flags_of(int fd) {
  int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_DSYNC) ? SYNCS_ITSELF : 0;
}

/* Where a write without offset goes. */
static off_t place_of(int fd) {
  int flags = fcntl(fd, F_GETFL);
  struct stat about;
  if (flags >= 0 && (flags & O_APPEND)) return fstat(fd, &about) == 0 ? about.st_size : 0;
  return lseek(fd, 0, SEEK_CUR);
}

/* ---- the calls */

typedef ssize_t (*write_call)(int fd, const struct iovec *data, int count, off_t offset);

static ssize_t plainly(int fd, const struct iovec *data, int count, off_t offset) {
  (void)offset;
  return count == 1 ? real_write(fd, data[0].iov_base, data[0].iov_len)
                    : real_writev(fd, data, count);
}

static ssize_t at_offset(int fd, const struct iovec *data, int count, off_t offset) {
  return real_pwritev(fd, data, count, offset);
}

static ssize_t recorded(write_call call, int fd, const struct iovec *data, int count,
                        off_t offset) {
  char path[PATH_MAX];
  const char *relative = path_of(fd, path);
  if (relative == NULL) return call(fd, data, count, offset);
  enter();
  if (call == plainly) offset = place_of(fd);
  ssize_t written = call(fd, data, count, offset);
  if (written > 0) put('W', flags_of(fd), relative, (uint64_t)offset, data, count, (size_t)written);
  leave();
  return written;
}

ssize_t write(int fd, const void *data, size_t length) {
  struct iovec one = {(void *)(uintptr_t)data, length};
  return recorded(plainly, fd, &one, 1, 0);
}
ssize_t writev(int fd, const struct iovec *data, int count) {
  return recorded(plainly, fd, data, count, 0);
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
  struct iovec one = {(void *)(uintptr_t)data, length};
  return recorded(at_offset, fd, &one, 1, offset);
}
ssize_t pwrite64(int fd, const void *data, size_t length, off_t offset) {
  return pwrite(fd, data, length, offset);
}
ssize_t pwritev(int fd, const struct iovec *data, int count, off_t offset) {
  return recorded(at_offset, fd, data, count, offset);
}
ssize_t pwritev64(int fd, const struct iovec *data, int count, off_t offset) {
  return recorded(at_offset, fd, data, count, offset);
}

static int opened(const char *path, int flags, mode_t mode) {
  char whole[PATH_MAX];
  const char *relative = whole_path(path, whole);
  if (relative == NULL || !(flags & (O_CREAT | O_TRUNC))) return real_open(path, flags, mode);
  enter();
  bool there = access(path, F_OK) == 0;
  int fd = real_open(path, flags, mode);
  if (fd >= 0 && !there) put('C', 0, relative, mode, NULL, 0, 0);
  if (fd >= 0 && there && (flags & O_TRUNC)) put('T', 0, relative, 0, NULL, 0, 0);
  leave();
  return fd;
}

int open(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return opened(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return opened(path, flags, mode);
}

int mkostemp(char *template, int flags) {
  char whole[PATH_MAX];
  if (whole_path(template, whole) == NULL) return real_mkostemp(template, flags);
  enter();
  int fd = real_mkostemp(template, flags);
  const char *relative = whole_path(template, whole);
  if (fd >= 0 && relative != NULL) put('C', 0, relative, 0600, NULL, 0, 0);
  leave();
  return fd;
}
int mkostemp64(char *template, int flags) {
  return mkostemp(template, flags);
}

int ftruncate(int fd, off_t length) {
  char path[PATH_MAX];
  const char *relative = path_of(fd, path);
  if (relative == NULL) return real_ftruncate(fd, length);
  enter();
  int result = real_ftruncate(fd, length);
  if (result == 0) put('T', 0, relative, (uint64_t)length, NULL, 0, 0);
  leave();
  return result;
}
int ftruncate64(int fd, off_t length) {
  return ftruncate(fd, length);
}

static int synced(int (*call)(int), int fd) {
  char path[PATH_MAX];
  const char *relative = path_of(fd, path);
  if (relative == NULL) return call(fd);
  enter();
  int result = call(fd);
  if (result == 0) put('S', 0, relative, 0, NULL, 0, 0);
  leave();
  return result;
}

int fsync(int fd) {
  pthread_once(&once, start);
  return synced(real_fsync, fd);
}
int fdatasync(int fd) {
  pthread_once(&once, start);
  return synced(real_fdatasync, fd);
}

static void put_renamed(const char *old_name, const char *new_name) {
  struct iovec data = {(void *)(uintptr_t)new_name, strlen(new_name)};
  put('R', 0, old_name, 0, &data, 1, data.iov_len);
}

int rename(const char *from, const char *to) {
  char whole_from[PATH_MAX], whole_to[PATH_MAX];
  const char *old_name = whole_path(from, whole_from), *new_name = whole_path(to, whole_to);
  if (old_name == NULL || new_name == NULL) return real_rename(from, to);
  enter();
  int result = real_rename(from, to);
  if (result == 0) put_renamed(old_name, new_name);
  leave();
  return result;
}

/* With paths that need no directory to start from, as everywhere here. */
int renameat2(int old_fd, const char *from, int new_fd, const char *to, unsigned flags) {
  char whole_from[PATH_MAX], whole_to[PATH_MAX];
  const char *old_name = whole_path(from, whole_from), *new_name = whole_path(to, whole_to);
  if (old_name == NULL || new_name == NULL) return real_renameat2(old_fd, from, new_fd, to, flags);
  enter();
  int result = real_renameat2(old_fd, from, new_fd, to, flags);
  if (result == 0) put_renamed(old_name, new_name);
  leave();
  return result;
}

static int removed(int (*call)(const char *), const char *path) {
  char whole[PATH_MAX];
  const char *relative = whole_path(path, whole);
  if (relative == NULL) return call(path);
  enter();
  int result = call(path);
  if (result == 0) put('U', 0, relative, 0, NULL, 0, 0);
  leave();
  return result;
}

int unlink(const char *path) {
  pthread_once(&once, start);
  return removed(real_unlink, path);
}
int rmdir(const char *path) {
  pthread_once(&once, start);
  return removed(real_rmdir, path);
}

int mkdir(const char *path, mode_t mode) {
  char whole[PATH_MAX];
  const char *relative = whole_path(path, whole);
  if (relative == NULL) return real_mkdir(path, mode);
  enter();
  int result = real_mkdir(path, mode);
  if (result == 0) put('M', 0, relative, mode, NULL, 0, 0);
  leave();
  return result;
}

/* The C library writes streams behind our back: one that goes under the root gets calls of ours. It has no
 * descriptor then, so the one by which it is to be synced is kept here. */
#define STREAMS 16

static struct stream {
  FILE *stream; /* NULL: free */
  int fd;
} streams[STREAMS];

static struct stream *find_stream(const FILE *stream) {
  for (size_t i = 0; i < STREAMS; i++)
    if (streams[i].stream == stream) return &streams[i];
  return NULL;
}

static ssize_t stream_write(void *context, const char *data, size_t length) {
  return write(((struct stream *)context)->fd, data, length);
}

static int stream_close(void *context) {
  struct stream *closing = context;
  pthread_mutex_lock(&mutex);
  int fd = closing->fd;
  closing->stream = NULL;
  pthread_mutex_unlock(&mutex);
  return close(fd);
}

FILE *fdopen(int fd, const char *mode) {
  char path[PATH_MAX];
  if (path_of(fd, path) == NULL || mode[0] == 'r') {
    pthread_once(&once, start);
    return real_fdopen(fd, mode);
  }
  cookie_io_functions_t calls = {.write = stream_write, .close = stream_close};
  pthread_mutex_lock(&mutex);
  struct stream *place = find_stream(NULL);
  if (place == NULL) abort();
  place->fd = fd;
  place->stream = fopencookie(place, mode, calls);
  FILE *stream = place->stream;
  pthread_mutex_unlock(&mutex);
  return stream;
}

int fileno(FILE *stream) {
  pthread_once(&once, start);
  pthread_mutex_lock(&mutex);
  const struct stream *place = find_stream(stream);
  int fd = place == NULL ? -1 : place->fd;
  pthread_mutex_unlock(&mutex);
  return place == NULL ? real_fileno(stream) : fd;
}
