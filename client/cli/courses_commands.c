/* courses import, list: the short courses that matches name. Neither opens the ledger; import replaces
 * HOME/courses whole, under the eyes of a running daemon if need be. */
#include <inttypes.h>
#include <string.h>

#include "base/process/process.h"
#include "client/cli/common.h"
#include "client/library/courses_import.h"

static enum collega_status courses_path(const struct desk *desk, char path[4096],
                                        struct collega_error *error) {
  return path_join(path, 4096, desk->home, COURSES_FILE, error);
}

/* Read as every reader does before it replaces what is there. */
static enum collega_status put_courses(const struct desk *desk, const struct buffer *bytes,
                                       struct collega_error *error) {
  char path[4096];
  struct courses *courses = NULL;
  enum collega_status status = courses_read(bytes_of(bytes->data, bytes->length), &courses, error);
  courses_close(&courses);
  if (status == COLLEGA_OK) status = courses_path(desk, path, error);
  if (status == COLLEGA_OK) status = file_write(path, bytes->data, bytes->length, 0600, error);
  if (status == COLLEGA_OK) status = bell_ring(desk->home, error);
  return status;
}

enum collega_status command_courses_import(const struct arguments *arguments,
                                           struct collega_error *error) {
  struct desk desk;
  struct buffer bytes;
  size_t count = 0;
  enum collega_status status = desk_open_bare(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = courses_import(argument_at(arguments, 0), &bytes, &count, error);
  if (status == COLLEGA_OK) status = put_courses(&desk, &bytes, error);
  buffer_free(&bytes);
  if (status == COLLEGA_OK && argument_json(arguments))
    status = json_print(json_pack("{s:I}", "courses", (json_int_t)count), error);
  else if (status == COLLEGA_OK)
    say(&desk, RULE_said_courses, count_text(&desk, count), NULL);
  desk_close(&desk);
  return status;
}

static json_t *course_json(const struct course *course) {
  return json_pack("{s:s,s:s,s:s,s:I,s:s,s:s,s:s}", "closes", course_closes_name(course->closes),
                   "what", course->what, "from", course->from, "length", (json_int_t)course->length,
                   "unit", course_unit_name(course->unit), "nl", course->nl, "en", course->en);
}

static enum collega_status print_courses(struct desk *desk, const struct courses *courses,
                                         struct collega_error *error) {
  static const char *const dutch[] = {"soort", "wat", "van", "lengte", "eenheid", "naam"};
  static const char *const english[] = {"closes", "what", "from", "length", "unit", "name"};
  bool is_dutch = desk->language == LANGUAGE_NL;
  struct table *table = table_new(6, is_dutch ? dutch : english, 1u << 3);
  if (!table) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  for (size_t i = 0; i < courses_count(courses); ++i) {
    const struct course *course = courses_at(courses, i);
    char length[16];
    snprintf(length, sizeof length, "%u", course->length);
    table_row(table,
              (const char *const[]){course_closes_name(course->closes), safe(desk, course->what),
                                    course->from, length, course_unit_name(course->unit),
                                    safe(desk, is_dutch ? course->nl : course->en)});
  }
  table_print(table, stdout);
  table_destroy(&table);
  return COLLEGA_OK;
}

enum collega_status command_courses_list(const struct arguments *arguments,
                                         struct collega_error *error) {
  struct desk desk;
  char path[4096];
  struct courses *courses = NULL;
  enum collega_status status = desk_open_bare(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = courses_path(&desk, path, error);
  if (status == COLLEGA_OK) status = courses_open(path, &courses, error);
  if (status == COLLEGA_OK && argument_json(arguments)) {
    json_t *list = json_array();
    for (size_t i = 0; list && i < courses_count(courses); ++i)
      list = json_add(list, course_json(courses_at(courses, i)));
    status = json_print(json_named("courses", list), error);
  } else if (status == COLLEGA_OK) {
    status = print_courses(&desk, courses, error);
  }
  courses_close(&courses);
  desk_close(&desk);
  return status;
}
