/* Short courses that close a gap between two offers: a credential or a skill that is missing, or another occupation.
 *
 * A few are built in, with their customary length. A network's own go first: HOME/courses, made by `collega
 * courses import` of a table, one line a course, fields separated by tabs, after a first line COURSES_FIRST_LINE:
 *
 *   closes   credential, skill or occupation
 *   what     a credential's code; a skill's label or address; the ISCO code that the course leads to, or its beginning
 *   from     of an occupation: the ISCO code of who follows it, or its beginning; of the others empty
 *   length   1 .. 999
 *   unit     half-day, day, week or month
 *   nl, en   its name, in Dutch and English
 *
 * A table may be shared by threads. Every function takes NULL courses, and answers for those that are built in. */
#ifndef COLLEGA_CLIENT_COURSES_H
#define COLLEGA_CLIENT_COURSES_H
#include <stdbool.h>
#include "base/bytes.h"
#include "base/error.h"

#define COURSES_FILE       "courses" /* in the home */
#define COURSES_FIRST_LINE "collega courses 1"
#define COURSES_MOST       1000u
#define COURSES_FILE_BYTES (1024u * 1024u)
#define COURSE_WHAT_BYTES  160u
#define COURSE_NAME_BYTES  120u
#define COURSE_LENGTH_MOST 999u

enum course_closes { COURSE_CREDENTIAL, COURSE_SKILL, COURSE_OCCUPATION, COURSE_KINDS };
enum course_unit { COURSE_HALF_DAY, COURSE_DAY, COURSE_WEEK, COURSE_MONTH, COURSE_UNITS };
enum course_field {
  COURSE_FIELD_CLOSES,
  COURSE_FIELD_WHAT,
  COURSE_FIELD_FROM,
  COURSE_FIELD_LENGTH,
  COURSE_FIELD_UNIT,
  COURSE_FIELD_NL,
  COURSE_FIELD_EN,
  COURSE_FIELDS
};
struct course {
  enum course_closes closes;
  const char *what, *from;
  unsigned length;
  enum course_unit unit;
  const char *nl, *en;
};
const char *course_closes_name(enum course_closes closes); /* "credential", as in the table */
const char *course_unit_name(enum course_unit unit);
const char *course_field_name(enum course_field field); /* "closes" */

/* One course of its fields, whose texts *out then points to. What is wrong: COLLEGA_INVALID, and *at the field. */
enum collega_status course_of(const char *const fields[COURSE_FIELDS], struct course *out,
                              enum course_field *at,
                              struct collega_error *error) COLLEGA_MUST_CHECK;

struct courses;
/* The file's bytes, which are copied. What is not in this form: COLLEGA_DAMAGED, rule courses_damaged. */
enum collega_status courses_read(struct bytes bytes, struct courses **out,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* No file: COLLEGA_OK and *out NULL. */
enum collega_status courses_open(const char *path, struct courses **out,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
void courses_close(struct courses **courses);
/* Another number for other contents; 0 for NULL. */
uint64_t courses_stamp(const struct courses *courses);
/* All of them, the network's own first. */
size_t courses_count(const struct courses *courses);
const struct course *courses_at(const struct courses *courses, size_t at);

/* The first that fits; NULL: none. Codes and labels without regard to case, addresses as they are written. esco:
 * or NULL. */
const struct course *courses_for_credential(const struct courses *courses, const char *code);
const struct course *courses_for_skill(const struct courses *courses, const char *label,
                                       const char *esco);
/* ISCO codes as numbers, 0 .. 9999. */
const struct course *courses_for_occupation(const struct courses *courses, uint16_t from,
                                            uint16_t to);
/* All ISCO codes to which a course leads from this one; or, not `forward`, from which one leads to it. Returns how many
 * spans. */
struct isco_span {
  uint16_t first, last;
};
#define COURSES_REACH (COURSES_MOST + 16u) /* those built in included */
size_t courses_reach(const struct courses *courses, uint16_t isco, bool forward,
                     struct isco_span out[COURSES_REACH]);
#endif
