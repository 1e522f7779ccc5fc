/* One line at a time. A line is read character by character, because nothing of an endless one is
 * to be kept beyond what an answer may be. */
#include "client/cli/ask.h"

#include <stdio.h>
#include <string.h>

const char *ask_words(struct desk *desk, enum rule rule) {
  char text[1024];
  words_render(desk->language, rule, NULL, 0, text, sizeof text);
  const char *copy = arena_text(desk->arena, text);
  return copy ? copy : "";
}

void ask_object(struct desk *desk, const struct collega_error *wrong) {
  char text[1024];
  error_render(desk->language, wrong, text, sizeof text);
  fprintf(stderr, "  ! %s\n", safe(desk, text));
}

/* False: the input has ended with nothing before it. *whole false: the line was too long. */
static bool read_line(char *line, size_t capacity, bool *whole) {
  size_t length = 0;
  int c;
  *whole = true;
  while ((c = getchar()) != EOF && c != '\n') {
    if (length + 1 < capacity)
      line[length++] = c ? (char)c : '\x01'; /* a NUL is no answer; the rules refuse this too */
    else
      *whole = false;
  }
  line[length] = '\0';
  return c != EOF || length > 0;
}

static char *trim(char *line) {
  line += strspn(line, " \t\r");
  size_t length = strlen(line);
  while (length > 0 && strchr(" \t\r", line[length - 1]))
    length--;
  line[length] = '\0';
  return line;
}

enum collega_status ask(struct desk *desk, enum rule question, const char *field,
                        const char *fallback, const char **answer, struct collega_error *error) {
  for (;;) {
    char line[ANSWER_BYTES];
    bool whole;
    fputs(ask_words(desk, question), stderr);
    if (fallback) fprintf(stderr, " [%s]", safe(desk, fallback));
    fputs(": ", stderr);
    fflush(stderr);
    if (!read_line(line, sizeof line, &whole)) {
      fputc('\n', stderr);
      return error_set(error, COLLEGA_INVALID, RULE_answers_ended, field, NULL);
    }
    struct collega_error wrong;
    const char *text = trim(line);
    if (!whole)
      error_set(&wrong, COLLEGA_INVALID, RULE_answer_long, field, NULL);
    else if (!utf8_valid((const uint8_t *)text, strlen(text)))
      error_set(&wrong, COLLEGA_INVALID, RULE_answer_utf8, field, NULL);
    else {
      *answer = arena_text(desk->arena, *text || !fallback ? text : fallback);
      return *answer ? COLLEGA_OK : error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
    }
    ask_object(desk, &wrong);
  }
}
