/* Reading places: the file is read and checked once, whole; after that every number in it can be trusted. */
#include "client/match/places.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/match/places_file.h"
#include "proto/lists.h"

#define FILE_BYTES_MOST                                                                            \
  (sizeof(struct places_head) +                                                                    \
   PLACES_MOST * (sizeof(struct place_row) + sizeof(struct town_row)) + PLACES_TEXT_BYTES)

struct places {
  uint8_t *bytes;
  const struct places_head *head;
  const struct place_row *rows;
  const struct town_row *towns;
  const char *text;
  uint16_t row_of[PLACES_MOST]; /* by postcode - 1000; the count: not there */
};

/* ---- opening */

static bool text_fits(uint32_t at, size_t text_bytes) {
  return at < text_bytes;
}

static bool region_fits(uint16_t region) {
  return region == PLACES_NO_REGION || region < region_count();
}

/* The bounds as they are kept: the float next to 53.7 is larger than 53.7. */
static bool point_fits(float latitude, float longitude) {
  return latitude >= (float)PLACES_LATITUDE_MIN && latitude <= (float)PLACES_LATITUDE_MAX &&
         longitude >= (float)PLACES_LONGITUDE_MIN && longitude <= (float)PLACES_LONGITUDE_MAX;
}

/* The checksum does not promise this, as a file can be made with any. */
static bool rows_fit(struct places *places, size_t text_bytes) {
  uint32_t count = places->head->postcodes;
  for (size_t i = 0; i < PLACES_MOST; ++i)
    places->row_of[i] = (uint16_t)count;
  for (uint32_t i = 0; i < count; ++i) {
    const struct place_row *row = &places->rows[i];
    if (row->postcode < 1000 || row->postcode > 9999 || !text_fits(row->town, text_bytes) ||
        !region_fits(row->region) || !point_fits(row->latitude, row->longitude) ||
        (i && row->postcode <= places->rows[i - 1].postcode))
      return false;
    places->row_of[row->postcode - 1000] = (uint16_t)i;
  }
  for (uint32_t i = 0; i < places->head->towns; ++i) {
    const struct town_row *town = &places->towns[i];
    if (!text_fits(town->key, text_bytes) || !text_fits(town->name, text_bytes) ||
        !region_fits(town->region) || !point_fits(town->latitude, town->longitude))
      return false;
  }
  return true;
}

static bool contents_fit(struct places *places, size_t length) {
  if (length < sizeof(struct places_head)) return false;
  const struct places_head *head = (const struct places_head *)(const void *)places->bytes;
  places->head = head;
  if (memcmp(head->magic, PLACES_MAGIC, sizeof head->magic) != 0 ||
      head->version != PLACES_VERSION || head->order != PLACES_ORDER || head->length != length ||
      head->postcodes > PLACES_MOST || head->towns > PLACES_MOST)
    return false;
  size_t text_at = sizeof *head + head->postcodes * sizeof(struct place_row) +
                   head->towns * sizeof(struct town_row);
  if (text_at >= length || places->bytes[length - 1] != '\0') return false;
  struct id found;
  hash_one(&found, PLACES_CHECKSUM_TAG, places->bytes + PLACES_UNCHECKED,
           length - PLACES_UNCHECKED);
  if (memcmp(found.byte, head->checksum, ID_BYTES) != 0) return false;
  places->rows = (const struct place_row *)(const void *)(places->bytes + sizeof *head);
  places->towns = (const struct town_row *)(const void *)(places->rows + head->postcodes);
  places->text = (const char *)(places->bytes + text_at);
  return rows_fit(places, length - text_at);
}

/* Takes the bytes over. */
static enum collega_status places_take(uint8_t *bytes, size_t length, struct places **out,
                                       struct collega_error *error) {
  struct places *places = calloc(1, sizeof *places);
  if (!places) {
    free(bytes);
    return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  }
  places->bytes = bytes;
  if (!contents_fit(places, length)) {
    places_close(&places);
    return error_set(error, COLLEGA_DAMAGED, RULE_places_damaged, NULL, PLACES_FILE, NULL);
  }
  *out = places;
  return COLLEGA_OK;
}

enum collega_status places_read(struct bytes bytes, struct places **out,
                                struct collega_error *error) {
  *out = NULL;
  uint8_t *copy = malloc(bytes.length ? bytes.length : 1);
  if (!copy) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  if (bytes.length) memcpy(copy, bytes.data, bytes.length);
  return places_take(copy, bytes.length, out, error);
}

static enum collega_status read_whole(int fd, const char *path, struct places **out,
                                      struct collega_error *error) {
  struct stat about;
  if (fstat(fd, &about) != 0) return error_system(error, path, errno);
  if (!S_ISREG(about.st_mode) || about.st_size <= 0 ||
      (unsigned long long)about.st_size > FILE_BYTES_MOST)
    return error_set(error, COLLEGA_DAMAGED, RULE_places_damaged, NULL, path, NULL);
  size_t length = (size_t)about.st_size, at = 0;
  uint8_t *bytes = malloc(length);
  if (!bytes) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  while (at < length) {
    ssize_t got = read(fd, bytes + at, length - at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    at += (size_t)got;
  }
  return places_take(bytes, at, out, error);
}

enum collega_status places_open(const char *path, struct places **out,
                                struct collega_error *error) {
  *out = NULL;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return COLLEGA_OK;
  if (fd < 0) return error_system(error, path, errno);
  enum collega_status status = read_whole(fd, path, out, error);
  close(fd);
  return status;
}

void places_close(struct places **places) {
  if (!places || !*places) return;
  free((*places)->bytes);
  free(*places);
  *places = NULL;
}

size_t places_count(const struct places *places) {
  return places ? places->head->postcodes : 0;
}

size_t places_town_count(const struct places *places) {
  return places ? places->head->towns : 0;
}

uint64_t places_stamp(const struct places *places) {
  return places ? get_be64(places->head->checksum) | 1u : 0;
}

/* ---- looking up */

void places_fold(const char *name, size_t length, char out[PLACES_KEY_BYTES]) {
  size_t used = 0;
  for (size_t i = 0; i < length; ++i) {
    char byte = name[i];
    if (byte == ' ' || byte == '-' || byte == '\'') continue;
    if (used == PLACES_KEY_BYTES - 1) {
      used = 0;
      break;
    }
    out[used++] = byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
  }
  out[used] = '\0';
}

static const char *region_code(uint16_t region) {
  const struct region_row *row = region == PLACES_NO_REGION ? NULL : region_at(region);
  return row ? row->code : NULL;
}

bool places_postcode(const struct places *places, const char *postcode, struct place_fact *out) {
  if (!places || !postcode || strspn(postcode, "0123456789") < 4 || postcode[0] == '0')
    return false;
  unsigned number = 0;
  for (size_t i = 0; i < 4; ++i)
    number = number * 10u + (unsigned)(postcode[i] - '0');
  uint16_t at = places->row_of[number - 1000u];
  if (at >= places->head->postcodes) return false;
  const struct place_row *row = &places->rows[at];
  *out = (struct place_fact){row->postcode, row->latitude, row->longitude, places->text + row->town,
                             region_code(row->region)};
  return true;
}

bool places_town(const struct places *places, const char *name, struct place_fact *out) {
  char key[PLACES_KEY_BYTES];
  if (!places || !name) return false;
  places_fold(name, strlen(name), key);
  size_t low = 0, high = *key ? places->head->towns : 0;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    const struct town_row *town = &places->towns[middle];
    int order = strcmp(key, places->text + town->key);
    if (order == 0) {
      *out = (struct place_fact){0, town->latitude, town->longitude, places->text + town->name,
                                 region_code(town->region)};
      return true;
    }
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return false;
}

static bool is_dutch(const Collega__Place *place) {
  return !place->country || strcmp(place->country, "NL") == 0;
}

enum place_known places_find(const struct places *places, const Collega__Place *place,
                             double *latitude, double *longitude) {
  struct place_fact fact;
  *latitude = *longitude = 0;
  if (!is_dutch(place)) return PLACE_UNKNOWN;
  if (places_postcode(places, place->postcode, &fact) ||
      (!place->postcode && places_town(places, place->city, &fact))) {
    *latitude = (double)fact.latitude;
    *longitude = (double)fact.longitude;
    return PLACE_POSTCODE;
  }
  const struct postcode_row *area = place->postcode ? postcode_area_find(place->postcode) : NULL;
  if (area) {
    *latitude = area->latitude;
    *longitude = area->longitude;
    return PLACE_AREA;
  }
  const struct region_row *region = place->region ? region_find(place->region) : NULL;
  if (!region) return PLACE_UNKNOWN;
  *latitude = region->latitude;
  *longitude = region->longitude;
  return PLACE_AREA;
}

const char *places_region(const struct places *places, const Collega__Place *place) {
  struct place_fact fact;
  if (!is_dutch(place)) return NULL;
  if (place->region) return place->region;
  if (places_postcode(places, place->postcode, &fact) && fact.region) return fact.region;
  if (!place->postcode && places_town(places, place->city, &fact) && fact.region)
    return fact.region;
  const struct postcode_row *area = place->postcode ? postcode_area_find(place->postcode) : NULL;
  return area ? area->region : NULL;
}
