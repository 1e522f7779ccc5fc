/* Tables of short courses: reading one, and looking up what closes a gap. */
#include "client/match/courses.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/process/process.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct course_row {
  struct course course;
  struct isco_span from, to; /* of an occupation */
};

/* Customary lengths, for those who begin. The taxi drivers are those of the Werkroute's retraining. */
static const struct course_row built_in[] = {
    {{COURSE_CREDENTIAL, "forklift", "", 2, COURSE_DAY, "heftruckcursus", "fork-lift course"},
     {0, 0},
     {0, 0}},
    {{COURSE_CREDENTIAL, "reachtruck", "", 2, COURSE_DAY, "reachtruckcursus", "reach truck course"},
     {0, 0},
     {0, 0}},
    {{COURSE_CREDENTIAL, "vca", "", 1, COURSE_DAY, "cursus VCA basis", "VCA basic safety course"},
     {0, 0},
     {0, 0}},
    {{COURSE_CREDENTIAL, "bhv", "", 2, COURSE_DAY, "BHV-cursus", "emergency response course"},
     {0, 0},
     {0, 0}},
    {{COURSE_CREDENTIAL, "haccp", "", 1, COURSE_DAY, "cursus HACCP", "HACCP course"},
     {0, 0},
     {0, 0}},
    {{COURSE_CREDENTIAL, "nen-3140", "", 1, COURSE_DAY, "cursus NEN 3140 VOP",
      "course NEN 3140, instructed person"},
     {0, 0},
     {0, 0}},
    {{COURSE_OCCUPATION, "9621", "8322", 5, COURSE_HALF_DAY,
      "omscholing van taxichauffeur tot koerier", "retraining from taxi driver to courier"},
     {8322, 8322},
     {9621, 9621}},
};
_Static_assert(COUNT(built_in) <= COURSES_REACH - COURSES_MOST, "room for all");

struct courses {
  char *text; /* what the rows point to */
  struct course_row *rows;
  size_t count;
  uint64_t stamp;
};

const char *course_closes_name(enum course_closes closes) {
  static const char *const names[COURSE_KINDS] = {"credential", "skill", "occupation"};
  return names[closes];
}

const char *course_unit_name(enum course_unit unit) {
  static const char *const names[COURSE_UNITS] = {"half-day", "day", "week", "month"};
  return names[unit];
}

const char *course_field_name(enum course_field field) {
  static const char *const names[COURSE_FIELDS] = {"closes", "what", "from", "length",
                                                   "unit",   "nl",   "en"};
  return names[field];
}

/* ---- one course */

static bool plain_text(const char *text, size_t most) {
  size_t length = strlen(text);
  return length > 0 && length <= most && utf8_text((const uint8_t *)text, length, false);
}

static bool is_prefix(const char *isco) {
  size_t length = strlen(isco);
  return length >= 1 && length <= 4 && strspn(isco, "0123456789") == length;
}

static bool number_of(const char *text, unsigned *out) {
  size_t length = strlen(text);
  *out = 0;
  if (length == 0 || length > 3 || strspn(text, "0123456789") != length) return false;
  *out = (unsigned)strtoul(text, NULL, 10);
  return *out >= 1 && *out <= COURSE_LENGTH_MOST;
}

static enum collega_status wrong(enum course_field field, enum rule rule, const char *text,
                                 enum course_field *at, struct collega_error *error) {
  *at = field;
  return error_set(error, COLLEGA_INVALID, rule, course_field_name(field), text, NULL);
}

enum collega_status course_of(const char *const fields[COURSE_FIELDS], struct course *out,
                              enum course_field *at, struct collega_error *error) {
  unsigned closes = 0, unit = 0;
  while (closes < COURSE_KINDS &&
         strcmp(fields[COURSE_FIELD_CLOSES], course_closes_name((enum course_closes)closes)) != 0)
    ++closes;
  while (unit < COURSE_UNITS &&
         strcmp(fields[COURSE_FIELD_UNIT], course_unit_name((enum course_unit)unit)) != 0)
    ++unit;
  *out = (struct course){.closes = (enum course_closes)closes,
                         .what = fields[COURSE_FIELD_WHAT],
                         .from = fields[COURSE_FIELD_FROM],
                         .unit = (enum course_unit)unit,
                         .nl = fields[COURSE_FIELD_NL],
                         .en = fields[COURSE_FIELD_EN]};
  if (closes == COURSE_KINDS)
    return wrong(COURSE_FIELD_CLOSES, RULE_courses_closes, fields[COURSE_FIELD_CLOSES], at, error);
  if (!plain_text(out->what, COURSE_WHAT_BYTES))
    return wrong(COURSE_FIELD_WHAT, RULE_courses_what, "", at, error);
  if (out->closes == COURSE_OCCUPATION && !is_prefix(out->what))
    return wrong(COURSE_FIELD_WHAT, RULE_courses_isco, out->what, at, error);
  if (out->closes == COURSE_OCCUPATION && !is_prefix(out->from))
    return wrong(COURSE_FIELD_FROM, RULE_courses_isco, out->from, at, error);
  if (out->closes != COURSE_OCCUPATION && *out->from)
    return wrong(COURSE_FIELD_FROM, RULE_courses_from, "", at, error);
  if (!number_of(fields[COURSE_FIELD_LENGTH], &out->length))
    return wrong(COURSE_FIELD_LENGTH, RULE_courses_length, fields[COURSE_FIELD_LENGTH], at, error);
  if (unit == COURSE_UNITS)
    return wrong(COURSE_FIELD_UNIT, RULE_courses_unit, fields[COURSE_FIELD_UNIT], at, error);
  if (!plain_text(out->nl, COURSE_NAME_BYTES))
    return wrong(COURSE_FIELD_NL, RULE_courses_name, "", at, error);
  if (!plain_text(out->en, COURSE_NAME_BYTES))
    return wrong(COURSE_FIELD_EN, RULE_courses_name, "", at, error);
  return COLLEGA_OK;
}

/* ---- a table */

/* "83": 8300 .. 8399. */
static struct isco_span span_of(const char *prefix) {
  unsigned first = (unsigned)strtoul(prefix, NULL, 10), width = 1;
  for (size_t i = strlen(prefix); i < 4; ++i) {
    first *= 10;
    width *= 10;
  }
  return (struct isco_span){(uint16_t)first, (uint16_t)(first + width - 1)};
}

/* Cuts a line into its fields, in place. */
static bool split(char *line, const char *fields[COURSE_FIELDS]) {
  size_t count = 0;
  for (char *at = line; at && count < COURSE_FIELDS; ++count) {
    fields[count] = at;
    at = strchr(at, '\t');
    if (at) *at++ = '\0';
    if (at && count + 1 == COURSE_FIELDS) return false;
  }
  return count == COURSE_FIELDS;
}

static bool take_line(struct courses *courses, char *line) {
  const char *fields[COURSE_FIELDS];
  enum course_field at;
  struct course_row *row = &courses->rows[courses->count];
  if (courses->count == COURSES_MOST || !split(line, fields) ||
      course_of(fields, &row->course, &at, NULL) != COLLEGA_OK)
    return false;
  if (row->course.closes == COURSE_OCCUPATION) {
    row->to = span_of(row->course.what);
    row->from = span_of(row->course.from);
  }
  ++courses->count;
  return true;
}

/* Every line ends by a newline. */
static bool take_lines(struct courses *courses) {
  char *line = courses->text;
  for (size_t number = 0; *line; ++number) {
    char *end = strchr(line, '\n');
    if (!end) return false;
    *end = '\0';
    if (number == 0 ? strcmp(line, COURSES_FIRST_LINE) != 0 : !take_line(courses, line))
      return false;
    line = end + 1;
  }
  return line > courses->text;
}

enum collega_status courses_read(struct bytes bytes, struct courses **out,
                                 struct collega_error *error) {
  struct courses *courses = calloc(1, sizeof *courses);
  *out = NULL;
  if (courses) courses->text = malloc(bytes.length + 1);
  if (courses) courses->rows = calloc(COURSES_MOST, sizeof *courses->rows);
  if (!courses || !courses->text || !courses->rows) {
    courses_close(&courses);
    return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  }
  if (bytes.length) memcpy(courses->text, bytes.data, bytes.length);
  courses->text[bytes.length] = '\0';
  struct id hash;
  hash_one(&hash, "collega/courses/1", bytes.data, bytes.length);
  courses->stamp = get_be64(hash.byte);
  if (strlen(courses->text) != bytes.length || !take_lines(courses)) {
    courses_close(&courses);
    return error_set(error, COLLEGA_DAMAGED, RULE_courses_damaged, NULL, COURSES_FILE, NULL);
  }
  *out = courses;
  return COLLEGA_OK;
}

enum collega_status courses_open(const char *path, struct courses **out,
                                 struct collega_error *error) {
  struct buffer bytes;
  *out = NULL;
  enum collega_status status = file_read(path, COURSES_FILE_BYTES, &bytes, error);
  if (status == COLLEGA_OK) status = courses_read(bytes_of(bytes.data, bytes.length), out, error);
  buffer_free(&bytes);
  return status == COLLEGA_NOT_FOUND ? COLLEGA_OK : status;
}

void courses_close(struct courses **place) {
  struct courses *courses = place ? *place : NULL;
  if (!courses) return;
  free(courses->text);
  free(courses->rows);
  free(courses);
  *place = NULL;
}

uint64_t courses_stamp(const struct courses *courses) {
  return courses ? courses->stamp : 0;
}

size_t courses_count(const struct courses *courses) {
  return COUNT(built_in) + (courses ? courses->count : 0);
}

static const struct course_row *row_at(const struct courses *courses, size_t at) {
  size_t own = courses ? courses->count : 0;
  return at < own ? &courses->rows[at] : &built_in[at - own];
}

const struct course *courses_at(const struct courses *courses, size_t at) {
  return &row_at(courses, at)->course;
}

/* ---- looking up */

const struct course *courses_for_credential(const struct courses *courses, const char *code) {
  for (size_t i = 0; i < courses_count(courses); ++i) {
    const struct course *course = courses_at(courses, i);
    if (course->closes == COURSE_CREDENTIAL && strcasecmp(course->what, code) == 0) return course;
  }
  return NULL;
}

const struct course *courses_for_skill(const struct courses *courses, const char *label,
                                       const char *esco) {
  for (size_t i = 0; i < courses_count(courses); ++i) {
    const struct course *course = courses_at(courses, i);
    if (course->closes != COURSE_SKILL) continue;
    if (strcasecmp(course->what, label) == 0 || (esco && strcmp(course->what, esco) == 0))
      return course;
  }
  return NULL;
}

static bool within(struct isco_span span, uint16_t isco) {
  return isco >= span.first && isco <= span.last;
}

const struct course *courses_for_occupation(const struct courses *courses, uint16_t from,
                                            uint16_t to) {
  for (size_t i = 0; i < courses_count(courses); ++i) {
    const struct course_row *row = row_at(courses, i);
    if (row->course.closes == COURSE_OCCUPATION && within(row->from, from) && within(row->to, to))
      return &row->course;
  }
  return NULL;
}

size_t courses_reach(const struct courses *courses, uint16_t isco, bool forward,
                     struct isco_span out[COURSES_REACH]) {
  size_t count = 0;
  for (size_t i = 0; i < courses_count(courses); ++i) {
    const struct course_row *row = row_at(courses, i);
    if (row->course.closes == COURSE_OCCUPATION && within(forward ? row->from : row->to, isco))
      out[count++] = forward ? row->to : row->from;
  }
  return count;
}
