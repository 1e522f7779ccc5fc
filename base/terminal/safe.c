/* What came from outside, made harmless for a terminal: nothing in it can move the cursor, change
 * colours or turn the direction of writing. */
#include "base/terminal/parts.h"
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

void safe_append(struct buffer *buffer, const char *text) {
  const uint8_t *data = (const uint8_t *)text;
  size_t length = strlen(text);
  uint32_t point;
  for (size_t at = 0, size; at < length; at += size) {
    size = utf8_next(data + at, length - at, &point);
    if (size == 0) {
      size = 1;
      buffer_print(buffer, "\\x%02x", data[at]);
    } else if (point == '\n') {
      buffer_print(buffer, "\\n");
    } else if (point == '\t') {
      buffer_print(buffer, "\\t");
    } else if (utf8_control(point)) {
      buffer_print(buffer, point < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)point);
    } else {
      buffer_append(buffer, data + at, size);
    }
  }
}

const char *terminal_safe(struct arena *arena, const char *text) {
  if (utf8_text((const uint8_t *)text, strlen(text), false)) {
    const char *copy = arena_text(arena, text);
    return copy != NULL ? copy : "";
  }
  struct buffer buffer;
  buffer_init(&buffer, 0);
  safe_append(&buffer, text);
  const char *copy = arena_text(arena, buffer_text(&buffer));
  buffer_free(&buffer);
  return copy != NULL ? copy : "";
}

bool terminal_colour(FILE *stream) {
  const char *refused = getenv("NO_COLOR");
  if (refused != NULL && refused[0] != '\0') return false;
  const char *kind = getenv("TERM");
  if (kind != NULL && strcmp(kind, "dumb") == 0) return false;
  return isatty(fileno(stream)) == 1;
}

size_t terminal_columns(FILE *stream) {
  struct winsize size;
  if (isatty(fileno(stream)) != 1 || ioctl(fileno(stream), TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}
