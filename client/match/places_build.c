/* Building HOME/places: rows are gathered by postcode, towns by name, and written in order. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/match/places.h"
#include "client/match/places_file.h"
#include "proto/lists.h"

#define MUNICIPALITIES 10000u
#define ARENA_BYTES    (64u * 1024u * 1024u)
#define DEGREE_KM      111.2 /* of latitude */

struct gathered {
  double latitude, longitude; /* sums */
  uint32_t rows;
  uint16_t municipality; /* of its first row that tells one; MUNICIPALITIES: none */
  const char *town;
};
struct places_builder {
  struct arena *arena;
  struct gathered postcode[PLACES_MOST];
  uint16_t region_of[MUNICIPALITIES]; /* by municipality */
};
/* A postcode on its way into the file. */
struct finished {
  struct place_row row;
  char key[PLACES_KEY_BYTES];
  const char *town;
};

struct places_builder *places_builder_new(void) {
  struct places_builder *builder = calloc(1, sizeof *builder);
  if (!builder) return NULL;
  builder->arena = arena_new(65536, ARENA_BYTES);
  if (!builder->arena) {
    free(builder);
    return NULL;
  }
  memset(builder->region_of, 0xff, sizeof builder->region_of);
  return builder;
}

void places_builder_destroy(struct places_builder **builder) {
  if (!builder || !*builder) return;
  arena_destroy(&(*builder)->arena);
  free(*builder);
  *builder = NULL;
}

/* MUNICIPALITIES: no number. */
static uint16_t municipality_number(struct bytes text) {
  if (text.length != 4) return MUNICIPALITIES;
  unsigned number = 0;
  for (size_t i = 0; i < 4; ++i) {
    if (text.data[i] < '0' || text.data[i] > '9') return MUNICIPALITIES;
    number = number * 10u + (unsigned)(text.data[i] - '0');
  }
  return (uint16_t)number;
}

enum collega_status places_build_row(struct places_builder *builder, unsigned postcode,
                                     struct bytes town, struct bytes municipality, double latitude,
                                     double longitude, struct collega_error *error) {
  struct gathered *gathered = &builder->postcode[postcode - 1000u];
  if (!gathered->rows) {
    char *name = arena_take(builder->arena, town.length + 1);
    if (!name) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
    memcpy(name, town.data, town.length);
    name[town.length] = '\0';
    gathered->town = name;
    gathered->municipality = MUNICIPALITIES;
  }
  if (gathered->municipality == MUNICIPALITIES)
    gathered->municipality = municipality_number(municipality);
  gathered->latitude += latitude;
  gathered->longitude += longitude;
  ++gathered->rows;
  return COLLEGA_OK;
}

enum collega_status places_build_region(struct places_builder *builder, struct bytes municipality,
                                        const char *region, struct collega_error *error) {
  uint16_t number = municipality_number(municipality);
  const struct region_row *row = region_find(region);
  if (!row) return error_set(error, COLLEGA_INVALID, RULE_region_unknown, NULL, region, NULL);
  if (number == MUNICIPALITIES)
    return error_set(error, COLLEGA_INVALID, RULE_places_municipality, NULL, NULL);
  builder->region_of[number] = (uint16_t)(row - region_at(0));
  return COLLEGA_OK;
}

static size_t postcodes_of(const struct places_builder *builder) {
  size_t count = 0;
  for (size_t i = 0; i < PLACES_MOST; ++i)
    count += builder->postcode[i].rows > 0;
  return count;
}

static size_t gather(const struct places_builder *builder, struct finished *out,
                     struct places_size *size) {
  size_t count = 0;
  for (size_t i = 0; i < PLACES_MOST; ++i) {
    const struct gathered *gathered = &builder->postcode[i];
    if (!gathered->rows) continue;
    struct finished *one = &out[count++];
    one->row = (struct place_row){
        .postcode = (uint16_t)(1000 + i),
        .region = gathered->municipality == MUNICIPALITIES
                      ? PLACES_NO_REGION
                      : builder->region_of[gathered->municipality],
        .latitude = (float)(gathered->latitude / gathered->rows),
        .longitude = (float)(gathered->longitude / gathered->rows),
    };
    one->town = gathered->town;
    places_fold(one->town, strlen(one->town), one->key);
    size->without_region += one->row.region == PLACES_NO_REGION;
  }
  size->postcodes = count;
  return count;
}

static int by_town(const void *one, const void *other) {
  const struct finished *a = *(struct finished *const *)one, *b = *(struct finished *const *)other;
  int order = strcmp(a->key, b->key);
  return order ? order : (int)a->row.postcode - (int)b->row.postcode;
}

static double away_km(const struct town_row *town, const struct place_row *row) {
  double up = (double)town->latitude - (double)row->latitude;
  double across = ((double)town->longitude - (double)row->longitude) *
                  cos((double)town->latitude * acos(-1.0) / 180.0);
  return DEGREE_KM * sqrt(up * up + across * across);
}

/* One town of rows that share a name. False: they lie too far apart to be one, or the name says nothing. */
static bool town_of(struct finished *const *rows, size_t count, struct town_row *out) {
  double latitude = 0, longitude = 0;
  if (!*rows[0]->key) return false;
  *out = (struct town_row){.region = rows[0]->row.region};
  for (size_t i = 0; i < count; ++i) {
    latitude += (double)rows[i]->row.latitude;
    longitude += (double)rows[i]->row.longitude;
    if (rows[i]->row.region != out->region) out->region = PLACES_NO_REGION;
  }
  out->latitude = (float)(latitude / (double)count);
  out->longitude = (float)(longitude / (double)count);
  for (size_t i = 0; i < count; ++i)
    if (away_km(out, &rows[i]->row) > PLACES_TOWN_KM) return false;
  return true;
}

static uint32_t put_text(struct buffer *text, const char *name) {
  uint32_t at = (uint32_t)text->length;
  buffer_append(text, name, strlen(name) + 1);
  return at;
}

/* Names once for each town. `sorted` by town; fills in where each row's name stands. */
static size_t write_towns(struct finished *const *sorted, size_t count, struct buffer *towns,
                          struct buffer *text) {
  size_t made = 0;
  for (size_t first = 0, end = 0; first < count; first = end) {
    while (end < count && strcmp(sorted[end]->key, sorted[first]->key) == 0)
      ++end;
    struct town_row town;
    bool known = town_of(sorted + first, end - first, &town);
    uint32_t name = put_text(text, sorted[first]->town);
    for (size_t i = first; i < end; ++i)
      sorted[i]->row.town = name;
    if (!known) continue;
    town.name = name;
    town.key = put_text(text, sorted[first]->key);
    buffer_append(towns, &town, sizeof town);
    ++made;
  }
  return made;
}

static void write_file(const struct finished *rows, const struct places_size *size,
                       const struct buffer *towns, const struct buffer *text, struct buffer *out) {
  struct places_head head = {.version = PLACES_VERSION,
                             .order = PLACES_ORDER,
                             .postcodes = (uint32_t)size->postcodes,
                             .towns = (uint32_t)size->towns};
  memcpy(head.magic, PLACES_MAGIC, sizeof head.magic);
  head.length =
      sizeof head + size->postcodes * sizeof(struct place_row) + towns->length + text->length;
  buffer_append(out, &head, sizeof head);
  for (size_t i = 0; i < size->postcodes; ++i)
    buffer_append(out, &rows[i].row, sizeof rows[i].row);
  buffer_append(out, towns->data, towns->length);
  buffer_append(out, text->data, text->length);
  if (out->failed) return;
  struct id checksum;
  hash_one(&checksum, PLACES_CHECKSUM_TAG, out->data + PLACES_UNCHECKED,
           out->length - PLACES_UNCHECKED);
  memcpy(out->data + offsetof(struct places_head, checksum), checksum.byte, ID_BYTES);
}

enum collega_status places_build_finish(struct places_builder *builder, struct buffer *out,
                                        struct places_size *size, struct collega_error *error) {
  struct buffer towns, text;
  buffer_init(out, 0);
  buffer_init(&towns, 0);
  buffer_init(&text, PLACES_TEXT_BYTES);
  memset(size, 0, sizeof *size);
  size_t postcodes = postcodes_of(builder);
  struct finished *rows = calloc(postcodes + 1, sizeof *rows);
  struct finished **sorted = calloc(postcodes + 1, sizeof *sorted);
  enum collega_status status = COLLEGA_OK;
  if (rows && sorted) {
    size_t count = gather(builder, rows, size);
    for (size_t i = 0; i < count; ++i)
      sorted[i] = &rows[i];
    qsort(sorted, count, sizeof *sorted, by_town);
    size->towns = write_towns(sorted, count, &towns, &text);
    if (count == 0)
      status = error_set(error, COLLEGA_INVALID, RULE_places_none, NULL, NULL);
    else
      write_file(rows, size, &towns, &text, out);
  }
  if (status == COLLEGA_OK && (!rows || !sorted || towns.failed || text.failed || out->failed))
    status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  free(rows);
  free(sorted);
  buffer_free(&towns);
  buffer_free(&text);
  return status;
}
