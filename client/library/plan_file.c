/* The files that keep a home's plans: written, found by the beginning of their id, read and judged. A file may
 * have been changed since it was written; of what is read, every figure that is reckoned with or told is checked
 * here. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process/process.h"
#include "client/library/planning.h"
#include "proto/lists.h"

#define FIGURE_MOST 1e12 /* people, hours, or these times a score, of a whole board */

/* ---- a plan's document */

/* A member that is there is such a number; one that is not counts as 0. */
static bool is_figure(const json_t *object, const char *name) {
  const json_t *number = json_object_get(object, name);
  double value = json_number_value(number);
  return !number || (json_is_number(number) && value >= 0 && value <= FIGURE_MOST);
}

static bool is_count(const json_t *object, const char *name, json_int_t least) {
  const json_t *number = json_object_get(object, name);
  return json_is_integer(number) && json_integer_value(number) >= least &&
         json_integer_value(number) <= INT32_MAX;
}

static bool is_id(const json_t *text, size_t size) {
  uint8_t bytes[ID_BYTES];
  const char *digits = json_string_value(text);
  return digits && strlen(digits) == 2 * size && hex_read(bytes, size, digits);
}

static bool is_text(const json_t *object, const char *name) {
  const json_t *text = json_object_get(object, name);
  return !text || json_is_string(text);
}

static bool is_side(const json_t *side) {
  const json_t *party = json_object_get(side, "party");
  return is_id(json_object_get(side, "offer"), SHORT_ID_BYTES) &&
         is_id(json_object_get(party, "id"), ID_BYTES) && is_text(party, "name") &&
         is_text(side, "title") && is_text(side, "place");
}

static bool are_texts(const json_t *list, const char *name) {
  if (!list) return true;
  size_t index;
  json_t *item;
  json_array_foreach(list, index, item) if (name ? !json_is_string(json_object_get(item, name))
                                                 : !json_is_string(item)) return false;
  return json_is_array(list);
}

static bool is_loan(const json_t *loan) {
  return is_side(json_object_get(loan, "supply")) && is_side(json_object_get(loan, "demand")) &&
         is_count(loan, "people", 1) && is_count(loan, "hours", 0) && is_figure(loan, "score") &&
         (!json_object_get(loan, "ring") || is_count(loan, "ring", 1)) &&
         are_texts(json_object_get(loan, "slots"), NULL) &&
         are_texts(json_object_get(loan, "reasons"), "text") &&
         are_texts(json_object_get(loan, "gaps"), "text");
}

static bool is_single(const json_t *single) {
  return !single || json_is_null(single) ||
         (is_count(single, "people", 0) && is_count(single, "hours", 0) &&
          is_figure(single, "score") && is_side(json_object_get(single, "supply")) &&
          is_side(json_object_get(single, "demand")));
}

static bool is_plan(const json_t *plan) {
  static const char *const figures[] = {"people",    "people_offered", "people_asked",
                                        "employers", "hours",          "hours_asked",
                                        "value",     "bound",          "milliseconds"};
  for (size_t i = 0; i < sizeof figures / sizeof figures[0]; ++i)
    if (!is_figure(plan, figures[i])) return false;
  size_t index;
  json_t *loan, *loans = json_object_get(plan, "loans");
  json_array_foreach(loans, index, loan) if (!is_loan(loan)) return false;
  return json_is_array(loans) && is_id(json_object_get(plan, "id"), PLAN_ID_BYTES) &&
         is_text(plan, "kind") && is_single(json_object_get(plan, "best_single"));
}

enum collega_status plan_read(struct bytes text, const char *name, json_t **out,
                              struct collega_error *error) {
  *out = json_loadb((const char *)text.data, text.length, 0, NULL);
  if (is_plan(*out)) return COLLEGA_OK;
  json_decref(*out);
  *out = NULL;
  return error_set(error, COLLEGA_DAMAGED, RULE_plan_damaged, NULL, name, NULL);
}

/* ---- files */

static enum collega_status plans_path(const struct view *view, const char *name, char path[4096],
                                      struct collega_error *error) {
  char directory[4096];
  enum collega_status status =
      path_join(directory, sizeof directory, ledger_home(exchange_ledger(view->exchange)),
                PLANS_DIRECTORY, error);
  if (status == COLLEGA_OK && mkdir(directory, 0700) != 0 && errno != EEXIST)
    return error_system(error, directory, errno);
  if (status == COLLEGA_OK && !name) memcpy(path, directory, strlen(directory) + 1);
  return status == COLLEGA_OK && name ? path_join(path, 4096, directory, name, error) : status;
}

static bool is_plan_name(const char *name) {
  return strlen(name) == 2 * PLAN_ID_BYTES && strspn(name, "0123456789abcdef") == 2 * PLAN_ID_BYTES;
}

/* What is older than PLANS_KEPT_DAYS goes when a new one comes. What cannot be removed stays. */
static void drop_old(const struct view *view, const char *directory) {
  DIR *entries = opendir(directory);
  if (!entries) return;
  for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
    struct stat about;
    if (!is_plan_name(entry->d_name) || fstatat(dirfd(entries), entry->d_name, &about, 0) != 0 ||
        (int64_t)about.st_mtime * SECOND_MS > view->now - PLANS_KEPT_DAYS * DAY_MS)
      continue;
    unlinkat(dirfd(entries), entry->d_name, 0);
  }
  closedir(entries);
}

enum collega_status plan_file_write(const struct view *view, const json_t *plan,
                                    struct collega_error *error) {
  char path[4096];
  const char *id = json_string_value(json_object_get(plan, "id"));
  char *text = json_dumps(plan, JSON_INDENT(1) | JSON_SORT_KEYS);
  enum collega_status status = text && id
                                   ? plans_path(view, NULL, path, error)
                                   : error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  if (status == COLLEGA_OK) drop_old(view, path);
  if (status == COLLEGA_OK) status = plans_path(view, id, path, error);
  if (status == COLLEGA_OK) status = file_write(path, text, strlen(text), 0600, error);
  free(text);
  return status;
}

static enum collega_status find_name(const struct view *view, const char *typed,
                                     char name[2 * PLAN_ID_BYTES + 1],
                                     struct collega_error *error) {
  char directory[4096];
  struct id_search search;
  uint8_t found[PLAN_ID_BYTES];
  enum collega_status status = plans_path(view, NULL, directory, error);
  if (status != COLLEGA_OK) return status;
  if (!id_search_begin(&search, typed, PLAN_ID_BYTES))
    return error_set(error, COLLEGA_INVALID, RULE_id_malformed, NULL, typed, NULL);
  DIR *entries = opendir(directory);
  if (!entries) return error_system(error, directory, errno);
  for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
    uint8_t id[PLAN_ID_BYTES];
    if (is_plan_name(entry->d_name) && hex_read(id, PLAN_ID_BYTES, entry->d_name) &&
        !id_search_give(&search, id))
      break;
  }
  closedir(entries);
  status = id_search_end(&search, typed, found, error);
  if (status == COLLEGA_NOT_FOUND)
    return error_set(error, COLLEGA_NOT_FOUND, RULE_plan_unknown, NULL, typed, NULL);
  if (status == COLLEGA_OK) hex_write(name, found, PLAN_ID_BYTES);
  return status;
}

enum collega_status plan_file_read(const struct view *view, const char *typed, json_t **out,
                                   struct collega_error *error) {
  char name[2 * PLAN_ID_BYTES + 1], path[4096];
  struct buffer text;
  *out = NULL;
  enum collega_status status = find_name(view, typed, name, error);
  if (status == COLLEGA_OK) status = plans_path(view, name, path, error);
  if (status != COLLEGA_OK) return status;
  status = file_read(path, PLAN_FILE_BYTES, &text, error);
  if (status == COLLEGA_OK) status = plan_read(bytes_of(text.data, text.length), path, out, error);
  buffer_free(&text);
  return status;
}
