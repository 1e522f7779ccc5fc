/* The sentences: one table, Dutch and English, by rule. Errors, refusals, match reasons and pages share it. A
 * sentence may contain %1 .. %4, replaced by the arguments, and %w1 .. %w4, replaced by the sentence that the
 * argument is the name of, or by the argument itself when there is none of that name. Nothing is looked up in the
 * system's locales. The table is words.def, which includes one section for each room. */
#ifndef COLLEGA_BASE_WORDS_H
#define COLLEGA_BASE_WORDS_H
#include "error.h"

enum language { LANGUAGE_EN = 0, LANGUAGE_NL = 1 };

/* "nl" or "en" when `wanted` says so; else from LC_ALL, LC_MESSAGES, LANG (nl* is Dutch); else English. */
enum language language_choose(const char *wanted);
/* The rule's stable name as it travels in a Refusal ("headcount_range"), and back (RULE_NONE: unknown). */
const char *rule_name(enum rule rule);
enum rule rule_from_name(const char *name);
/* Renders the sentence of `rule` with `count` arguments into `out` (always ended by NUL). Returns the
 * length written, cut at capacity - 1 on a character boundary. */
size_t words_render(enum language language, enum rule rule, const char *const *arguments,
                    size_t count, char *out, size_t capacity);
/* A fraction with two decimals, half up: "0,83" in Dutch, "0.83" in English; what does not fit is cut. */
#define FRACTION_BYTES 24
void fraction_write(char out[FRACTION_BYTES], enum language language, double value);
/* "field: sentence" (or the sentence alone). */
size_t error_render(enum language language, const struct collega_error *error, char *out,
                    size_t capacity);
#endif
