/* What a home keeps beside its ledger: HOME/taxonomy, HOME/places, HOME/courses and HOME/plans/ID, with any bytes
 * in them. They are refused as damaged, or can be used without leading their reader astray.
 *
 * An input: a byte (which file; 4: length and checksum are made to fit, as a file can be made with any; 8: a
 * taxonomy is searched), then its bytes. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "client/library/planning.h"
#include "client/match/places_file.h"
#include "client/match/taxonomy_file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/imported.h"

/* The length and the checksum of the head, over all that follows the first `unchecked` bytes. */
static void make_fit(struct buffer *file, size_t length_at, size_t checksum_at, size_t unchecked,
                     size_t head, const char *tag) {
  if (file->length < head) return;
  uint64_t length = file->length;
  struct id checksum;
  memcpy(file->data + length_at, &length, sizeof length);
  hash_one(&checksum, tag, file->data + unchecked, file->length - unchecked);
  memcpy(file->data + checksum_at, checksum.byte, ID_BYTES);
}

static void read_taxonomy(struct buffer *file, bool fit, bool searched) {
  struct taxonomy *taxonomy = NULL;
  struct collega_error error;
  if (fit)
    make_fit(file, offsetof(struct file_head, length), offsetof(struct file_head, checksum),
             FILE_UNCHECKED, sizeof(struct file_head), FILE_CHECKSUM_TAG);
  if (taxonomy_of_taken(file, &taxonomy, &error) != COLLEGA_OK) {
    fuzz_check_error(&error);
    return;
  }
  look_at_taxonomy(taxonomy, false);
  if (searched) search_taxonomy(taxonomy, false);
  taxonomy_close(&taxonomy);
}

static void read_places(struct buffer *file, bool fit) {
  struct places *places = NULL;
  struct collega_error error;
  if (fit)
    make_fit(file, offsetof(struct places_head, length), offsetof(struct places_head, checksum),
             PLACES_UNCHECKED, sizeof(struct places_head), PLACES_CHECKSUM_TAG);
  if (places_read(bytes_of(file->data, file->length), &places, &error) != COLLEGA_OK) {
    fuzz_check_error(&error);
    return;
  }
  look_at_places(places, false);
  places_close(&places);
}

static void read_courses(struct bytes file) {
  struct courses *courses = NULL;
  struct collega_error error;
  if (courses_read(file, &courses, &error) != COLLEGA_OK) {
    fuzz_check_error(&error);
    return;
  }
  look_at_courses(courses);
  courses_close(&courses);
}

static void read_plan(struct bytes file) {
  struct collega_error error;
  json_t *plan = NULL, *sentence;
  if (plan_read(file, "plan", &plan, &error) != COLLEGA_OK) {
    fuzz_check_error(&error);
    return;
  }
  for (int language = 0; language < 2; ++language) {
    size_t index;
    struct view view = {.arena = fuzz_arena(), .language = (enum language)language};
    json_t *sentences = plan_sentences(&view, plan);
    fuzz_must(json_array_size(sentences) > 0);
    json_array_foreach(sentences, index, sentence) fuzz_must(*json_string_value(sentence));
    json_decref(sentences);
    arena_destroy(&view.arena);
  }
  json_decref(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  struct fuzz_input input = fuzz_begin(data, length);
  uint8_t how = fuzz_byte(&input);
  struct bytes rest = fuzz_rest(&input);
  bool fit = how & 4;
  struct buffer file;
  buffer_init(&file, 0);
  buffer_append(&file, rest.data, rest.length);
  switch (how & 3) {
  case 0:
    read_taxonomy(&file, fit, how & 8);
    break;
  case 1:
    read_places(&file, fit);
    break;
  case 2:
    read_courses(rest);
    break;
  case 3:
    read_plan(rest);
    break;
  }
  buffer_free(&file);
  return 0;
}
