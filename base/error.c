/* Errors as values: filling, prefixing and copying them. Rendering is in words.c. */
#include "base/error.h"
#include "base/bytes.h"
#include "base/words.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Copies what fits, cut where a character ends; a byte that is no UTF-8 becomes "\xff". What
 * somebody typed may be quoted, and an error travels to other machines as UTF-8. */
static void copy_text(char *out, size_t capacity, const char *text) {
  size_t length = strnlen(text, capacity);
  size_t at = utf8_plain((const uint8_t *)text, length < capacity ? length : capacity - 1);
  uint32_t point;
  memcpy(out, text, at);
  for (size_t read = at; read < length;) {
    /* A character that goes on beyond `length` counts as none: what stands for it does not fit either. */
    size_t size = utf8_next((const uint8_t *)text + read, length - read, &point);
    char escaped[] = "\\x00";
    if (size == 0) hex_write(escaped + 2, (const uint8_t *)text + read, 1);
    const char *piece = size == 0 ? escaped : text + read;
    size_t room = size == 0 ? sizeof escaped - 1 : size;
    if (at + room >= capacity) break;
    memcpy(out + at, piece, room);
    at += room;
    read += size == 0 ? 1 : size;
  }
  out[at] = '\0';
}

enum collega_status error_set(struct collega_error *error, enum collega_status status,
                              enum rule rule, const char *field, ...) {
  if (error == NULL) return status;
  /* Built aside, because field and arguments may point into *error itself. */
  struct collega_error fresh = {.status = status, .rule = rule};
  if (field != NULL) copy_text(fresh.field, sizeof fresh.field, field);
  va_list list;
  va_start(list, field);
  for (size_t i = 0; i < COLLEGA_ERROR_ARGUMENTS; i++) {
    const char *argument = va_arg(list, const char *);
    if (argument == NULL) break;
    copy_text(fresh.argument[i], sizeof fresh.argument[i], argument);
  }
  va_end(list);
  *error = fresh;
  return status;
}

/* What people meet; the sentences say it in their language. */
static const struct {
  int number;
  enum rule reason;
} reasons[] = {{ENOENT, RULE_reason_no_such_file},
               {EACCES, RULE_reason_permission},
               {EPERM, RULE_reason_not_permitted},
               {ENOSPC, RULE_reason_disk_full},
               {EDQUOT, RULE_reason_quota},
               {EROFS, RULE_reason_read_only},
               {EEXIST, RULE_reason_exists},
               {ENOTDIR, RULE_reason_no_directory},
               {EISDIR, RULE_reason_is_directory},
               {ENOTEMPTY, RULE_reason_not_empty},
               {ENAMETOOLONG, RULE_reason_name_long},
               {ELOOP, RULE_reason_links_loop},
               {EXDEV, RULE_reason_other_disk},
               {EFBIG, RULE_reason_file_large},
               {EIO, RULE_reason_disk_error},
               {EBUSY, RULE_reason_busy},
               {EMFILE, RULE_reason_many_files},
               {ENFILE, RULE_reason_many_files_all},
               {ENOMEM, RULE_reason_memory},
               {EINVAL, RULE_reason_invalid},
               {EPIPE, RULE_reason_pipe},
               {ECONNREFUSED, RULE_reason_refused},
               {ECONNRESET, RULE_reason_reset},
               {ETIMEDOUT, RULE_reason_timeout},
               {EHOSTUNREACH, RULE_reason_no_route},
               {ENETUNREACH, RULE_reason_no_network},
               {EADDRINUSE, RULE_reason_address_in_use},
               {EADDRNOTAVAIL, RULE_reason_no_such_address},
               {ENODEV, RULE_reason_no_such_device}};

const char *system_reason(int number, const char *otherwise) {
  for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
    if (reasons[i].number == number) return rule_name(reasons[i].reason);
  return otherwise;
}

enum collega_status error_system(struct collega_error *error, const char *what, int number) {
  char text[120];
  /* The GNU form: returns the text, which need not be in the array. */
  const char *reason = system_reason(number, strerror_r(number, text, sizeof text));
  enum collega_status status = number == ENOSPC || number == EDQUOT ? COLLEGA_FULL : COLLEGA_SYSTEM;
  return error_set(error, status, RULE_system_call, NULL, what, reason, NULL);
}

enum collega_status error_output(struct collega_error *error, int number) {
  char text[120];
  return error_set(error, COLLEGA_SYSTEM, RULE_output_failed, NULL,
                   system_reason(number, strerror_r(number, text, sizeof text)), NULL);
}

void error_prefix(struct collega_error *error, const char *prefix) {
  if (error == NULL) return;
  bool joined = error->field[0] == '\0' || error->field[0] == '[';
  char path[2 * sizeof error->field + 2];
  snprintf(path, sizeof path, "%.*s%s%s", (int)sizeof error->field, prefix, joined ? "" : ".",
           error->field);
  copy_text(error->field, sizeof error->field, path);
}

void error_clear(struct collega_error *error) {
  if (error != NULL) memset(error, 0, sizeof *error);
}

int error_exit_status(enum collega_status status) {
  switch (status) {
  case COLLEGA_OK:
    return 0;
  case COLLEGA_USAGE:
    return 2;
  case COLLEGA_UNREACHABLE:
  case COLLEGA_BUSY:
    return 3;
  case COLLEGA_INVALID:
  case COLLEGA_REFUSED:
  case COLLEGA_NOT_FOUND:
  case COLLEGA_EXISTS:
  case COLLEGA_FULL:
  case COLLEGA_DAMAGED:
  case COLLEGA_FORGED:
  case COLLEGA_SYSTEM:
    return 1;
  }
  return 1;
}
