/* Sentences on a terminal: broken between words, never in one. */
#include "base/terminal/terminal.h"

#include <string.h>

#include "base/bytes.h"

void terminal_print(FILE *out, const char *lead, size_t indent, const char *text) {
  fputs(lead, out);
  terminal_go_on(out, utf8_columns(lead), indent, text);
}

void terminal_go_on(FILE *out, size_t column, size_t indent, const char *text) {
  size_t width = terminal_columns(out);
  for (const char *at = text; *at != '\0';) {
    size_t length = strcspn(at, " ");
    char word[512];
    snprintf(word, sizeof word, "%.*s", (int)length, at);
    size_t columns =
        utf8_columns(word); /* of one that is longer still, the line is broken anyway */
    if (at != text) {
      bool fits = width == 0 || column + 1 + columns <= width;
      if (fits)
        fputc(' ', out);
      else
        fprintf(out, "\n%*s", (int)indent, "");
      column = fits ? column + 1 : indent;
    }
    fprintf(out, "%.*s", (int)length, at);
    column += columns;
    at += length + (at[length] == ' ');
  }
  fputc('\n', out);
}
