/* Finding an occupation by what people call it. The list is short and a person waits for the answer,
 * so every label is looked at. */
#include "proto/lists.h"

#include <stdint.h>
#include <string.h>

#include "proto/lists_tables.h"

#define WORDS_MOST  8
#define LABEL_BYTES 192 /* the longest label has 130 */

/* Lower case for the letters of both languages: ASCII, and the accented capitals of Latin-1, which
 * UTF-8 writes as C3 80 to C3 9E. Returns false when it does not fit. */
static bool lower(char *out, size_t capacity, const char *text) {
  size_t i = 0;
  for (; text[i] && i + 1 < capacity; i++) {
    uint8_t c = (uint8_t)text[i];
    bool accented = i > 0 && (uint8_t)text[i - 1] == 0xc3 && c >= 0x80 && c <= 0x9e && c != 0x97;
    if ((c >= 'A' && c <= 'Z') || accented) c = (uint8_t)(c + 0x20);
    out[i] = (char)c;
  }
  out[i] = '\0';
  return text[i] == '\0';
}

static bool starts_word(const char *label, const char *at) {
  return at == label || strchr(" -/(,'", at[-1]) != NULL;
}

/* 0: does not hold it; 1: somewhere; 2: at the start of a word; 3: at the start of the label. */
static unsigned rank_word(const char *label, const char *word) {
  unsigned best = 0;
  for (const char *at = strstr(label, word); at; at = strstr(at + 1, word)) {
    unsigned rank = at == label ? 3 : starts_word(label, at) ? 2 : 1;
    if (rank > best) best = rank;
  }
  return best;
}

static unsigned rank_label(const char *label, char *const *words, size_t count) {
  char text[LABEL_BYTES];
  lower(text, sizeof text, label);
  unsigned best = 0;
  for (size_t i = 0; i < count; i++) {
    unsigned rank = rank_word(text, words[i]);
    if (!rank) return 0;
    if (i == 0) best = rank;
  }
  return best;
}

/* Twice the place of the match, one more in the user's own language: 7 best, 2 worst, 0 no match. */
static uint8_t rank_row(const struct isco_row *row, enum language language, char *const *words,
                        size_t count) {
  if (strlen(row->code) != 4) return 0;
  unsigned own = rank_label(language == LANGUAGE_NL ? row->nl : row->en, words, count);
  unsigned other = rank_label(language == LANGUAGE_NL ? row->en : row->nl, words, count);
  unsigned rank = own ? 2 * own + 1 : 0;
  return (uint8_t)(2 * other > rank ? 2 * other : rank);
}

size_t isco_search(const char *words, enum language language, const struct isco_row **out,
                   size_t capacity) {
  char text[LABEL_BYTES], *word[WORDS_MOST], *rest = text;
  size_t words_count = 0, filled = 0;
  if (!lower(text, sizeof text, words)) return 0;
  while (words_count < WORDS_MOST && (word[words_count] = strtok_r(rest, " \t", &rest)) != NULL)
    words_count++;
  if (!words_count) return 0;
  uint8_t ranks[ISCO_ROWS];
  for (size_t i = 0; i < ISCO_ROWS; i++)
    ranks[i] = rank_row(&isco_rows[i], language, word, words_count);
  for (unsigned wanted = 7; wanted >= 2; wanted--)
    for (size_t i = 0; i < ISCO_ROWS && filled < capacity; i++)
      if (ranks[i] == wanted) out[filled++] = &isco_rows[i];
  return filled;
}
