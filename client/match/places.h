/* Places that were imported: Dutch postcodes of four digits with their coordinates, town and labour-market region.
 *
 * It is one file, HOME/places (its form: places.c), small, and read whole; what it tells stays until places_close. It
 * may be shared by threads. Import writes a new file and renames it. Without it the built-in two-digit areas are used
 * (proto/lists.h); every function here takes NULL places, and answers for those. */
#ifndef COLLEGA_CLIENT_PLACES_H
#define COLLEGA_CLIENT_PLACES_H
#include "base/bytes.h"
#include "proto/offer.pb-c.h"

#define PLACES_FILE       "places" /* in the home */
#define PLACES_MOST       9000u    /* postcodes 1000 .. 9999 */
#define PLACES_TEXT_BYTES (1024u * 1024u)
#define PLACES_NAME_BYTES 80u /* of a town, as in an offer */
#define PLACES_TOWN_KM                                                                             \
  20.0 /* a town whose postcodes lie further from its middle is two towns of one name */
#define PLACES_LATITUDE_MIN  50.5 /* the European Netherlands lie within */
#define PLACES_LATITUDE_MAX  53.7
#define PLACES_LONGITUDE_MIN 3.2
#define PLACES_LONGITUDE_MAX 7.3

struct places;
struct place_fact {
  uint16_t postcode; /* 1000 .. 9999; 0 of a town */
  float latitude, longitude;
  const char *town;
  const char *region; /* "AM25"; NULL: not told */
};

/* No file: COLLEGA_OK and *out NULL. Damaged or of another version: COLLEGA_DAMAGED places_damaged. */
enum collega_status places_open(const char *path, struct places **out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* The same of bytes, which are copied. */
enum collega_status places_read(struct bytes bytes, struct places **out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
void places_close(struct places **places);
size_t places_count(const struct places *places); /* postcodes */
size_t places_town_count(
    const struct places *places); /* towns that are known by their name alone */
/* Another number for other contents; 0 for NULL. */
uint64_t places_stamp(const struct places *places);
/* By the first four digits ("4811", "4811AB"). False: not in the file. */
bool places_postcode(const struct places *places, const char *postcode, struct place_fact *out);
/* By its name; case, blanks, hyphens and apostrophes do not count. False: not known, or more than one town. */
bool places_town(const struct places *places, const char *name, struct place_fact *out);

/* How well a place is known. */
enum place_known {
  PLACE_UNKNOWN,
  PLACE_AREA, /* its two-digit postcode area, or its region: 7 km off at the median, 19 at the 95th percentile */
  PLACE_POSTCODE /* its four digits, or its town: some kilometres */
};
/* Degrees. By four digits, town, two digits, region, whichever comes first. A country other than NL is not known. */
enum place_known places_find(const struct places *places, const Collega__Place *place,
                             double *latitude, double *longitude);
/* The labour-market region: as the offer says, else of its postcode, else of its town, else the most common one of its
 * two-digit area; NULL: none of these. */
const char *places_region(const struct places *places, const Collega__Place *place);

/* ---- building, once all rows were read */
struct places_builder;
struct places_builder *places_builder_new(void); /* NULL: out of memory */
void places_builder_destroy(struct places_builder **builder);
/* A row: a postcode that comes more often is put in the middle of its rows, and has its first town. `municipality`:
 * four digits, or empty. Texts are copied. COLLEGA_FULL */
enum collega_status places_build_row(struct places_builder *builder, unsigned postcode,
                                     struct bytes town, struct bytes municipality, double latitude,
                                     double longitude,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* A municipality's region; the last one counts. `region`: one of region_find. */
enum collega_status places_build_region(struct places_builder *builder, struct bytes municipality,
                                        const char *region,
                                        struct collega_error *error) COLLEGA_MUST_CHECK;
struct places_size {
  size_t postcodes, towns;
  size_t without_region; /* postcodes */
};
/* The file's bytes into *out, initialised here; the caller frees it. */
enum collega_status places_build_finish(struct places_builder *builder, struct buffer *out,
                                        struct places_size *size,
                                        struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
