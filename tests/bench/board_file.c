#include "tests/bench/board_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/match/occupation.h"
#include "tests/bench/measure.h"

#define KEYS 65536 /* of occupations */

struct board_file {
  const struct match_rules *rules;
  const char *directory;
  FILE *offers, *asked, *answers;
  size_t asked_count;
  bool on_board[KEYS];
};

static FILE *begin(const char *directory, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  FILE *file = fopen(path, "w");
  if (!file) give_up("cannot write %s", path);
  return file;
}

static void end(FILE *file) {
  NEED(!ferror(file));
  NEED(fclose(file) == 0);
}

struct board_file *board_file_new(const char *directory, const struct match_rules *rules) {
  struct board_file *file = calloc(1, sizeof *file);
  NEED(file);
  file->rules = rules;
  file->directory = directory;
  file->offers = begin(directory, "offers.csv");
  file->asked = begin(directory, "asked.csv");
  file->answers = begin(directory, "answers.csv");
  return file;
}

/* The order of ids is that of their bytes; a bigint has a sign. */
static int64_t number_of(const struct short_id *id) {
  return (int64_t)(get_be64(id->byte) ^ UINT64_C(0x8000000000000000));
}

static int compare_keys(const void *a, const void *b) {
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return left < right ? -1 : left > right;
}

/* Those of the card, each once, or only those that must be there; ascending, as intarray likes them. */
static void write_skills(FILE *file, const struct match_card *card, bool must) {
  uint32_t keys[CARD_ITEMS_MOST];
  size_t count = 0;
  for (size_t i = 0; i < card->skill_count; ++i)
    if (!(card->items[i] & CARD_ALIAS) && (!must || card->items[i] & CARD_MUST))
      keys[count++] = card->items[i] & CARD_KEY;
  qsort(keys, count, sizeof *keys, compare_keys);
  fputs(",\"{", file);
  for (size_t i = 0; i < count; ++i)
    fprintf(file, i ? ",%u" : "%u", (unsigned)keys[i]);
  fputs("}\"", file);
}

void board_file_offer(struct board_file *file, const struct match_offer *offer) {
  _Alignas(struct match_card) uint8_t room[CARD_ROOM];
  struct match_card *card = (struct match_card *)(void *)room;
  FILE *out = file->offers;
  match_card_fill(card, offer->offer, &file->rules->sources);
  NEED(!card->slots && !card->min_headcount && !card->credential_count && !card->language_count);
  NEED(!card->cao && !card->vat && !(card->terms & ~(unsigned)CARD_PLACE_FINE));
  NEED(card->travel_km != CARD_NOT_TOLD && card->point[2] > 0);
  const double degrees = 180.0 / acos(-1.0);
  double x = (double)card->point[0], y = (double)card->point[1], z = (double)card->point[2];
  file->on_board[card->occupation] = true;
  fprintf(out, "%lld,%u,%c,%u", (long long)number_of(&offer->id),
          (unsigned)get_be32(offer->author.byte),
          kind_supplies((Collega__OfferKind)card->kind) ? 't' : 'f', (unsigned)card->occupation);
  fprintf(out, ",%.9g,%.9g,%.9g,\"(%.6f,%.6f)\",%c,%u", x, y, z, atan2(y, x) * degrees,
          asin(z) * degrees, card->terms & CARD_PLACE_FINE ? 't' : 'f', (unsigned)card->travel_km);
  fprintf(out, ",%d,%d,%u,%u,%u,%u", (int)card->from, (int)card->until, (unsigned)card->flex_days,
          (unsigned)card->hours_min, (unsigned)card->hours_max, (unsigned)card->headcount);
  write_skills(out, card, false);
  write_skills(out, card, true);
  fputc('\n', out);
}

void board_file_asked(struct board_file *file, const struct short_id *id,
                      const struct match_found *found, size_t count) {
  size_t number = ++file->asked_count;
  fprintf(file->asked, "%zu,%lld\n", number, (long long)number_of(id));
  for (size_t i = 0; i < count; ++i)
    fprintf(file->answers, "%zu,%zu,%lld,%.17g\n", number, i + 1,
            (long long)number_of(&found[i].id), found[i].score);
}

static void write_closeness(const struct board_file *file) {
  const struct match_sources *sources = &file->rules->sources;
  FILE *out = begin(file->directory, "closeness.csv");
  for (unsigned supply = 0; supply < KEYS; ++supply) {
    if (!file->on_board[supply]) continue;
    for (unsigned demand = 0; demand < KEYS; ++demand) {
      if (!file->on_board[demand]) continue;
      uint16_t from = (uint16_t)supply, to = (uint16_t)demand;
      double closeness = occupation_closeness(sources->taxonomy, from, to);
      if (closeness < MATCH_COURSE_CLOSENESS &&
          courses_for_occupation(sources->courses, occupation_isco(sources->taxonomy, from),
                                 occupation_isco(sources->taxonomy, to)))
        closeness = MATCH_COURSE_CLOSENESS;
      if (closeness > 0) fprintf(out, "%u,%u,%.17g\n", supply, demand, closeness);
    }
  }
  end(out);
}

static void write_weights(const struct board_file *file) {
  FILE *out = begin(file->directory, "weights.csv");
  for (enum match_part part = 0; part < MATCH_PARTS; ++part)
    fprintf(out, "%s,%.17g\n", match_part_name(part), file->rules->weight[part]);
  end(out);
}

void board_file_finish(struct board_file **file) {
  if (!*file) return;
  end((*file)->offers);
  end((*file)->asked);
  end((*file)->answers);
  write_closeness(*file);
  write_weights(*file);
  free(*file);
  *file = NULL;
}
