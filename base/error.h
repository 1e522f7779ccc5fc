/* Errors as values.
 *
 * A function that can fail returns an enum collega_status and fills a struct collega_error: a status
 * (what a program acts on), a rule (what was broken; its sentence in Dutch and English stands once, in
 * words.def), the path of the field that broke it, and up to four arguments for the sentence. The
 * struct has a fixed size and no heap; it may be copied. `error` may be NULL where the caller does not
 * want the words. */
#ifndef COLLEGA_BASE_ERROR_H
#define COLLEGA_BASE_ERROR_H
#include <stddef.h>

#define COLLEGA_MUST_CHECK __attribute__((warn_unused_result))

enum collega_status {
  COLLEGA_OK = 0,
  COLLEGA_USAGE,       /* the command line is wrong                      exit 2 */
  COLLEGA_INVALID,     /* a value breaks a rule of form or of meaning    exit 1 */
  COLLEGA_REFUSED,     /* the state of things forbids it                 exit 1 */
  COLLEGA_NOT_FOUND,   /* no such offer, match, deal, party              exit 1 */
  COLLEGA_EXISTS,      /* is there already                               exit 1 */
  COLLEGA_UNREACHABLE, /* broker or daemon cannot be reached, time out   exit 3 */
  COLLEGA_BUSY,        /* locked by another process                      exit 3 */
  COLLEGA_FULL,        /* disk, quota, memory allowance                  exit 1 */
  COLLEGA_DAMAGED,     /* what is stored does not verify                 exit 1 */
  COLLEGA_FORGED,      /* a signature or hash does not fit               exit 1 */
  COLLEGA_SYSTEM,      /* the operating system said no                   exit 1 */
};

/* The rules, generated from words.def (see words.h). */
enum rule {
  RULE_NONE = 0,
#define WORDS(name, nl, en) RULE_##name,
#include "words.def"
#undef WORDS
  RULE_COUNT
};

#define COLLEGA_ERROR_ARGUMENTS 4
struct collega_error {
  enum collega_status status;
  enum rule rule;
  char field[96]; /* "offer.hours.per_week_min"; empty when no field is meant */
  char argument[COLLEGA_ERROR_ARGUMENTS][120];
};

/* Fills *error (if not NULL) and returns `status`. `field` may be NULL. The arguments are strings, at
 * most four, ended by NULL: error_set(e, COLLEGA_INVALID, RULE_RANGE, "headcount", "1", "10000", NULL). */
enum collega_status error_set(struct collega_error *error, enum collega_status status,
                              enum rule rule, const char *field, ...) __attribute__((sentinel));
/* For a failed system call: rule `system_call`, arguments `what` and system_reason(number). */
enum collega_status error_system(struct collega_error *error, const char *what, int number);
/* Standard output could not be written: rule `output_failed`. */
enum collega_status error_output(struct collega_error *error, int number);
/* Why the system said no, as an argument of a sentence that takes it with %w (words.h): the name of a rule
 * ("reason_permission") for the errors that people meet, which is said in their language; else `otherwise`, the text
 * that the system or a library has for it. */
const char *system_reason(int number, const char *otherwise);
/* Puts "prefix." (or "prefix" when the path is empty or begins with '[') before the field path. */
void error_prefix(struct collega_error *error, const char *prefix);
void error_clear(struct collega_error *error);
/* 0, 1, 2 or 3 as the command line promises. */
int error_exit_status(enum collega_status status);
#endif
