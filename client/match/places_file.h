/* The form of the file HOME/places, shared by who writes and who reads it.
 *
 * Numbers are as this machine has them (the order mark tells), because the file is made where it is used. After the
 * head: struct place_row ascending by postcode, struct town_row ascending by name, then the text: names in UTF-8, each
 * ended by NUL. The checksum is BLAKE2b-256 over all that follows the head's first PLACES_UNCHECKED bytes. A change of
 * any of this raises PLACES_VERSION; a file of another version is imported anew, never converted.
 *
 * Example, one row: {4811, 22, 51.5887, 4.7764, 0} and the text "Breda": postcode 4811 lies in Breda, in the region
 * that is the 23rd of region_at (AM25). */
#ifndef COLLEGA_CLIENT_PLACES_FILE_H
#define COLLEGA_CLIENT_PLACES_FILE_H
#include <stdint.h>
#include "base/bytes.h"

#define PLACES_MAGIC        "collega places 1" /* 16 bytes, no NUL */
#define PLACES_VERSION      1u
#define PLACES_ORDER        0x01020304u
#define PLACES_CHECKSUM_TAG "collega/places/1"
#define PLACES_NO_REGION    UINT16_MAX

struct places_head {
  char magic[16];
  uint32_t version, order;
  uint8_t checksum[ID_BYTES];
#define PLACES_UNCHECKED 56u
  uint64_t length; /* of the whole file */
  uint32_t postcodes, towns;
};
struct place_row {
  uint16_t postcode, region; /* region: its number in region_at */
  float latitude, longitude;
  uint32_t town; /* where its name begins in the text */
};
struct town_row {
  uint32_t key, name; /* key: as places_fold makes it */
  float latitude, longitude;
  uint16_t region, unused;
};

#define PLACES_KEY_BYTES 96u
/* A town's name as it is compared: ASCII letters in lower case; blanks, hyphens and apostrophes left out. "":
 * nothing is left, or it is too long. */
void places_fold(const char *name, size_t length, char out[PLACES_KEY_BYTES]);
#endif
