/* The file: a line of magic with the format's number, so that people and programs see what it is, then
 * messages, each behind its length as a varint. For example, the first bytes of an entry's message:
 *
 *   cd 01                       205 bytes follow
 *   0a 0f 08 02 ...             field 1, 15 bytes: ChainEntry {number 2, ...}
 *   12 20 ...                   field 2, 32 bytes: the hash
 *   1a 10 ... 22 .. ...         salt and payload
 */
#include "client/exchange/ledger_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process/process.h"

#define MAGIC        "collega-ledger-"
#define FORMAT       "1"
#define HEAD_BYTES   (sizeof MAGIC - 1 + 8) /* magic, number, line end */
#define BUFFER_BYTES ((size_t)1 << 20)
#define VARINT_MOST  5

struct ledger_file {
  int fd;
  char *path;
  size_t start, end;
  uint8_t data[BUFFER_BYTES];
};

/* ---- reading */

/* What the buffer holds next; at the file's end it holds nothing. */
static enum collega_status refill(struct ledger_file *file, struct collega_error *error) {
  file->start = file->end = 0;
  for (;;) {
    ssize_t got = read(file->fd, file->data, sizeof file->data);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error_system(error, file->path, errno);
    file->end = (size_t)got;
    return COLLEGA_OK;
  }
}

/* *got: fewer than `length` at the file's end. */
static enum collega_status take(struct ledger_file *file, uint8_t *out, size_t length, size_t *got,
                                struct collega_error *error) {
  for (*got = 0; *got < length;) {
    if (file->start == file->end) {
      enum collega_status status = refill(file, error);
      if (status != COLLEGA_OK) return status;
      if (file->end == 0) return COLLEGA_OK;
    }
    size_t piece = file->end - file->start;
    if (piece > length - *got) piece = length - *got;
    memcpy(out + *got, file->data + file->start, piece);
    file->start += piece;
    *got += piece;
  }
  return COLLEGA_OK;
}

static enum collega_status read_magic(struct ledger_file *file, struct collega_error *error) {
  char number[HEAD_BYTES] = {0};
  uint8_t magic[sizeof MAGIC - 1];
  size_t got, length = 0;
  enum collega_status status = take(file, magic, sizeof magic, &got, error);
  if (status != COLLEGA_OK) return status;
  bool fits = got == sizeof magic && memcmp(magic, MAGIC, sizeof magic) == 0;
  for (; fits && length < 6; length++) {
    uint8_t byte;
    status = take(file, &byte, 1, &got, error);
    if (status != COLLEGA_OK) return status;
    if (got == 0 || byte == '\n') break;
    fits = byte >= '0' && byte <= '9';
    number[length] = (char)byte;
  }
  if (!fits || got == 0 || length == 0 || length == 6)
    return error_set(error, COLLEGA_INVALID, RULE_import_not_one, NULL, file->path, NULL);
  if (strcmp(number, FORMAT) != 0)
    return error_set(error, COLLEGA_INVALID, RULE_import_version, NULL, number, FORMAT, NULL);
  return COLLEGA_OK;
}

enum collega_status ledger_file_open(const char *path, struct ledger_file **out,
                                     struct collega_error *error) {
  *out = NULL;
  struct ledger_file *file = malloc(sizeof *file);
  char *name = strdup(path);
  if (!file || !name) {
    free(file);
    free(name);
    return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  }
  file->path = name;
  file->start = file->end = 0;
  file->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  enum collega_status status = COLLEGA_OK;
  if (file->fd < 0) status = error_system(error, path, errno);
  if (status == COLLEGA_OK) status = read_magic(file, error);
  if (status == COLLEGA_OK)
    *out = file;
  else
    ledger_file_close(&file);
  return status;
}

void ledger_file_close(struct ledger_file **file) {
  struct ledger_file *own = *file;
  if (!own) return;
  if (own->fd > STDIN_FILENO) close(own->fd);
  free(own->path);
  free(own);
  *file = NULL;
}

/* *any false: the file is at its end. */
static enum collega_status read_length(struct ledger_file *file, uint64_t *out, bool *any,
                                       struct collega_error *error) {
  *out = 0;
  *any = false;
  for (unsigned i = 0; i < VARINT_MOST; i++) {
    uint8_t byte;
    size_t got;
    enum collega_status status = take(file, &byte, 1, &got, error);
    if (status != COLLEGA_OK) return status;
    if (got == 0 && i == 0) return COLLEGA_OK;
    if (got == 0) return error_set(error, COLLEGA_INVALID, RULE_wire_truncated, NULL, NULL);
    *any = true;
    *out |= (uint64_t)(byte & 0x7f) << (7 * i);
    if (byte < 0x80)
      return byte > 0 || i == 0 ? COLLEGA_OK
                                : error_set(error, COLLEGA_INVALID, RULE_wire_varint, NULL, NULL);
  }
  return error_set(error, COLLEGA_INVALID, RULE_wire_varint, NULL, NULL);
}

enum collega_status ledger_file_next(struct ledger_file *file, size_t most, struct arena *arena,
                                     struct bytes *out, struct collega_error *error) {
  uint64_t length;
  bool any;
  enum collega_status status = read_length(file, &length, &any, error);
  if (status != COLLEGA_OK) return status;
  if (!any) return COLLEGA_NOT_FOUND;
  if (length > most) {
    char told[24], limit[24];
    snprintf(told, sizeof told, "%llu", (unsigned long long)length);
    snprintf(limit, sizeof limit, "%zu", most);
    return error_set(error, COLLEGA_INVALID, RULE_import_too_long, NULL, told, limit, NULL);
  }
  size_t got;
  uint8_t *data = arena_take(arena, length ? (size_t)length : 1);
  if (!data) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  status = take(file, data, (size_t)length, &got, error);
  if (status != COLLEGA_OK) return status;
  if (got < length) return error_set(error, COLLEGA_INVALID, RULE_wire_truncated, NULL, NULL);
  *out = bytes_of(data, (size_t)length);
  return COLLEGA_OK;
}

/* ---- writing */

struct ledger_sink {
  FILE *out;
  char *path; /* NULL: standard output */
  char beside[PATH_MAX];
  struct buffer scratch;
};

static enum collega_status sink_failed(const struct ledger_sink *sink,
                                       struct collega_error *error) {
  return error_system(error, sink->path ? sink->path : "stdout", errno);
}

static enum collega_status open_beside(struct ledger_sink *sink, const char *path,
                                       struct collega_error *error) {
  struct stat found;
  sink->path = strdup(path);
  if (!sink->path) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  if (lstat(path, &found) == 0)
    return error_set(error, COLLEGA_EXISTS, RULE_file_exists, NULL, path, NULL);
  int printed = snprintf(sink->beside, sizeof sink->beside, "%s.new-XXXXXX", path);
  if (printed < 0 || (size_t)printed >= sizeof sink->beside) {
    sink->beside[0] = '\0';
    return error_system(error, path, ENAMETOOLONG);
  }
  int fd = mkostemp(sink->beside, O_CLOEXEC); /* 0600 */
  if (fd < 0) {
    int number = errno;
    sink->beside[0] = '\0';
    return error_system(error, path, number);
  }
  sink->out = fdopen(fd, "wb");
  return sink->out ? COLLEGA_OK : error_system(error, path, errno);
}

enum collega_status ledger_sink_open(const char *path, struct ledger_sink **out,
                                     struct collega_error *error) {
  *out = NULL;
  struct ledger_sink *sink = calloc(1, sizeof *sink);
  if (!sink) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  buffer_init(&sink->scratch, 0);
  enum collega_status status = COLLEGA_OK;
  if (strcmp(path, "-") == 0)
    sink->out = stdout;
  else
    status = open_beside(sink, path, error);
  if (status == COLLEGA_OK && fputs(MAGIC FORMAT "\n", sink->out) == EOF)
    status = sink_failed(sink, error);
  if (status != COLLEGA_OK) return ledger_sink_close(&sink, status, error);
  *out = sink;
  return COLLEGA_OK;
}

enum collega_status ledger_sink_put(struct ledger_sink *sink, const ProtobufCMessage *message,
                                    struct collega_error *error) {
  size_t length = protobuf_c_message_get_packed_size(message);
  uint8_t prefix[10];
  size_t count = 0;
  sink->scratch.length = 0;
  for (uint64_t rest = length; count == 0 || rest > 0; rest >>= 7)
    prefix[count++] = (uint8_t)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
  uint8_t *packed = buffer_extend(&sink->scratch, length);
  if (!packed) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  protobuf_c_message_pack(message, packed);
  bool written = fwrite(prefix, 1, count, sink->out) == count &&
                 fwrite(packed, 1, length, sink->out) == length;
  return written ? COLLEGA_OK : sink_failed(sink, error);
}

static enum collega_status settle(struct ledger_sink *sink, struct collega_error *error) {
  if (fflush(sink->out) != 0) return sink_failed(sink, error);
  if (!sink->path) return COLLEGA_OK;
  if (fsync(fileno(sink->out)) != 0 || rename(sink->beside, sink->path) != 0)
    return sink_failed(sink, error);
  sink->beside[0] = '\0';
  return directory_of_sync(sink->path, error);
}

enum collega_status ledger_sink_close(struct ledger_sink **sink, enum collega_status status,
                                      struct collega_error *error) {
  struct ledger_sink *own = *sink;
  if (status == COLLEGA_OK) status = settle(own, error);
  if (own->out && own->path) (void)fclose(own->out); /* it was flushed, or is of no use */
  if (own->beside[0]) unlink(own->beside);
  buffer_free(&own->scratch);
  free(own->path);
  free(own);
  *sink = NULL;
  return status;
}
