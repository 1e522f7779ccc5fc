/* The log. A line is put together in one array and written with one write(2), so that lines of
 * several threads and processes do not mix. */
#include "base/log.h"
#include "base/bytes.h"
#include "base/clock.h"
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES 2048 /* longer ones are cut: a log is read by people */
#define UNSET      (-1)

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARNING] = "warning", [LOG_ERROR] = "error"};

static atomic_int threshold = UNSET;

/* What COLLEGA_LOG names, else `fallback`. */
static int chosen_level(enum log_level fallback) {
  const char *text = getenv("COLLEGA_LOG");
  if (text != NULL)
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++)
      if (strcmp(text, level_names[i]) == 0) return (int)i;
  return (int)fallback;
}

void log_threshold(enum log_level level) {
  atomic_store(&threshold, chosen_level(level));
}

/* Copies `text` into `line` (which has room for `capacity`), controls and broken UTF-8 as \xNN. */
static size_t escape(char *line, size_t capacity, const char *text, size_t length) {
  size_t written = 0;
  uint32_t point;
  for (size_t at = 0, size; at < length; at += size) {
    size = utf8_next((const uint8_t *)text + at, length - at, &point);
    bool plain = size > 0 && !utf8_control(point);
    if (size == 0) size = 1;
    if (capacity - written < 4 * size) break;
    if (plain) {
      memcpy(line + written, text + at, size);
      written += size;
      continue;
    }
    for (size_t i = 0; i < size; i++, written += 4) {
      static const char digits[] = "0123456789abcdef";
      uint8_t byte = (uint8_t)text[at + i];
      memcpy(line + written, (char[]){'\\', 'x', digits[byte >> 4], digits[byte & 15]}, 4);
    }
  }
  return written;
}

void log_line(enum log_level level, const char *event, const char *format, ...) {
  int kept = errno; /* a log line must not change what its caller is about to look at */
  int lowest = atomic_load(&threshold);
  if (lowest == UNSET) {
    lowest = chosen_level(LOG_INFO);
    atomic_store(&threshold, lowest);
  }
  if ((int)level < lowest) return;
  char message[LINE_BYTES], line[LINE_BYTES + 1], now[32];
  va_list list;
  va_start(list, format);
  int length = vsnprintf(message, sizeof message, format, list);
  va_end(list);
  if (length < 0) length = 0;
  if ((size_t)length >= sizeof message) length = (int)sizeof message - 1;
  time_write(now, sizeof now, clock_now());
  int head = snprintf(line, LINE_BYTES / 2, "%s %s %s%s", now, level_names[level], event,
                      length == 0 ? "" : " ");
  size_t used = (size_t)head < LINE_BYTES / 2 ? (size_t)head : LINE_BYTES / 2 - 1;
  used += escape(line + used, LINE_BYTES - used, message, (size_t)length);
  line[used++] = '\n';
  while (write(STDERR_FILENO, line, used) < 0 && errno == EINTR)
    continue;
  errno = kept;
}
