/* The one table of sentences, and how a sentence and its arguments become text.
 *
 * Arguments are put in as they are: what came from outside is made safe for a terminal where it is
 * shown (terminal_safe), for a page where it is written, because here nobody knows the reader. */
#include "base/words.h"
#include "base/bytes.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sentence {
  const char *name, *nl, *en;
};

static const struct sentence sentences[RULE_COUNT] = {
    [RULE_NONE] = {"none", "onbekende reden", "unknown reason"},
#define WORDS(name, nl, en) [RULE_##name] = {#name, nl, en},
#include "words.def"
#undef WORDS
};

static const struct sentence *sentence_of(enum rule rule) {
  /* A rule may come from a peer that knows more rules than we do. */
  return (unsigned)rule < RULE_COUNT ? &sentences[rule] : &sentences[RULE_NONE];
}

enum language language_choose(const char *wanted) {
  if (wanted != NULL && strcmp(wanted, "nl") == 0) return LANGUAGE_NL;
  if (wanted != NULL && strcmp(wanted, "en") == 0) return LANGUAGE_EN;
  static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
  for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
    const char *value = getenv(variables[i]);
    if (value == NULL || value[0] == '\0') continue; /* the first that is set decides */
    bool dutch = strncmp(value, "nl", 2) == 0 && (value[2] == '\0' || strchr("_.@", value[2]));
    return dutch ? LANGUAGE_NL : LANGUAGE_EN;
  }
  return LANGUAGE_EN;
}

const char *rule_name(enum rule rule) {
  return sentence_of(rule)->name;
}

enum rule rule_from_name(const char *name) {
  for (unsigned i = 1; i < RULE_COUNT; i++)
    if (strcmp(sentences[i].name, name) == 0) return (enum rule)i;
  return RULE_NONE;
}

/* Text that is being written into a caller's array; what no longer fits is dropped. */
struct output {
  char *text;
  size_t length, capacity;
  bool full;
};

static void put(struct output *output, const char *text, size_t length) {
  if (output->full) return;
  size_t room = output->capacity - 1 - output->length;
  if (length > room) {
    while (room > 0 && ((unsigned char)text[room] & 0xC0) == 0x80)
      room--;
    length = room;
    output->full = true;
  }
  memcpy(output->text + output->length, text, length);
  output->length += length;
}

static size_t finish(struct output *output) {
  output->text[output->length] = '\0';
  return output->length;
}

/* A sentence within a sentence; it takes no arguments. */
static const char *words_for(enum language language, const char *name) {
  enum rule rule = rule_from_name(name);
  if (rule == RULE_NONE) return name;
  return language == LANGUAGE_NL ? sentence_of(rule)->nl : sentence_of(rule)->en;
}

static void put_sentence(struct output *output, enum language language, enum rule rule,
                         const char *const *arguments, size_t count) {
  const struct sentence *sentence = sentence_of(rule);
  const char *rest = language == LANGUAGE_NL ? sentence->nl : sentence->en;
  for (;;) {
    const char *mark = strchr(rest, '%');
    if (mark == NULL) break;
    put(output, rest, (size_t)(mark - rest));
    bool named = mark[1] == 'w';
    const char *digit = mark + 1 + named;
    if (*digit >= '1' && *digit <= '0' + COLLEGA_ERROR_ARGUMENTS) {
      size_t index = (size_t)(*digit - '1');
      bool given = index < count && arguments[index] != NULL;
      const char *argument = given ? arguments[index] : "?";
      if (named) argument = words_for(language, argument);
      put(output, argument, strlen(argument));
      rest = digit + 1;
    } else {
      put(output, "%", 1);
      rest = mark + 1;
    }
  }
  put(output, rest, strlen(rest));
}

size_t words_render(enum language language, enum rule rule, const char *const *arguments,
                    size_t count, char *out, size_t capacity) {
  if (capacity == 0) return 0;
  struct output output = {out, 0, capacity, false};
  put_sentence(&output, language, rule, arguments, count);
  return finish(&output);
}

void fraction_write(char out[FRACTION_BYTES], enum language language, double value) {
  /* What is written with few digits is seldom exact in binary: 0.925 is a little less. */
  static const double half_up = 1e-9;
  snprintf(out, FRACTION_BYTES, "%.2f", value + half_up);
  char *point = strchr(out, '.');
  if (point != NULL && language == LANGUAGE_NL) *point = ',';
}

size_t error_render(enum language language, const struct collega_error *error, char *out,
                    size_t capacity) {
  if (capacity == 0) return 0;
  struct output output = {out, 0, capacity, false};
  if (error->field[0] != '\0') {
    put(&output, error->field, strlen(error->field));
    put(&output, ": ", 2);
  }
  const char *arguments[COLLEGA_ERROR_ARGUMENTS];
  for (size_t i = 0; i < COLLEGA_ERROR_ARGUMENTS; i++)
    arguments[i] = error->argument[i];
  put_sentence(&output, language, error->rule, arguments, COLLEGA_ERROR_ARGUMENTS);
  return finish(&output);
}
