/* A home's files are known by number, size and time: an import replaces its file, so one of them changes. */
#include "client/match/imports.h"

#include <string.h>

#include "base/log.h"
#include "base/process/process.h"
#include "base/words.h"

static bool same_file(const struct stat *one, const struct stat *other) {
  return one->st_dev == other->st_dev && one->st_ino == other->st_ino &&
         one->st_size == other->st_size && one->st_mtim.tv_sec == other->st_mtim.tv_sec &&
         one->st_mtim.tv_nsec == other->st_mtim.tv_nsec;
}

static bool file_is_new(const char *home, const char *name, struct stat *known, char path[4096]) {
  struct stat now = {0};
  if (path_join(path, 4096, home, name, NULL) != COLLEGA_OK) return false;
  if (stat(path, &now) != 0) memset(&now, 0, sizeof now);
  if (same_file(&now, known)) return false;
  *known = now;
  return true;
}

static bool follow_places(struct imports *imports, const char *home) {
  char path[4096];
  struct places *fresh = NULL;
  struct collega_error error;
  if (!file_is_new(home, PLACES_FILE, &imports->places_file, path)) return false;
  if (places_open(path, &fresh, &error) != COLLEGA_OK) {
    log_warning("places_not_read", "rule=%s", rule_name(error.rule));
    return false;
  }
  places_close(&imports->places);
  imports->places = fresh;
  return true;
}

static bool follow_taxonomy(struct imports *imports, const char *home) {
  char path[4096];
  struct taxonomy *fresh = NULL;
  struct collega_error error;
  if (!file_is_new(home, TAXONOMY_FILE, &imports->taxonomy_file, path)) return false;
  enum collega_status status = taxonomy_open(path, &fresh, &error);
  if (status != COLLEGA_OK && status != COLLEGA_NOT_FOUND) {
    log_warning("taxonomy_not_read", "rule=%s", rule_name(error.rule));
    return false;
  }
  taxonomy_close(&imports->taxonomy);
  imports->taxonomy = fresh;
  return true;
}

static bool follow_courses(struct imports *imports, const char *home) {
  char path[4096];
  struct courses *fresh = NULL;
  struct collega_error error;
  if (!file_is_new(home, COURSES_FILE, &imports->courses_file, path)) return false;
  if (courses_open(path, &fresh, &error) != COLLEGA_OK) {
    log_warning("courses_not_read", "rule=%s", rule_name(error.rule));
    return false;
  }
  courses_close(&imports->courses);
  imports->courses = fresh;
  return true;
}

bool imports_follow(struct imports *imports, const char *home) {
  bool places = follow_places(imports, home), taxonomy = follow_taxonomy(imports, home),
       courses = follow_courses(imports, home);
  return places || taxonomy || courses;
}

struct match_sources imports_sources(const struct imports *imports) {
  return (struct match_sources){imports->places, imports->taxonomy, imports->courses};
}

void imports_close(struct imports *imports) {
  places_close(&imports->places);
  taxonomy_close(&imports->taxonomy);
  courses_close(&imports->courses);
}
