/* The form of the file HOME/taxonomy, shared by who writes and who reads it.
 *
 * Numbers are as this machine has them (the order mark tells), because the file is made where it is used and is
 * mapped. After the head, each section at a multiple of 8 bytes:
 *
 *   concepts    struct file_concept, one more than there are: the end of the last one's ranges
 *   labels      struct file_label, by concept
 *   skills      uint32_t, of occupations: concept of a skill, the highest bit where it is essential
 *   broader     uint32_t, of any concept: concept
 *   related     uint32_t, of skills: concept of a skill; each relation stands at both of its ends
 *   keys        uint16_t, by key: its ISCO unit group, ascending; the first key of a unit group is the group itself, the
 *               others are its occupations
 *   closeness   a square, one byte for each pair of keys: closeness * 255, rounded
 *   text        addresses and labels, UTF-8, each ended by NUL
 *
 * The checksum is BLAKE2b-256 over all that follows the head's first FILE_UNCHECKED bytes. A change of any of this
 * raises FILE_VERSION; a file of another version is imported anew, never converted. */
#ifndef COLLEGA_CLIENT_TAXONOMY_FILE_H
#define COLLEGA_CLIENT_TAXONOMY_FILE_H
#include <stdint.h>
#include "base/bytes.h"
#include "client/match/taxonomy.h"

#define FILE_MAGIC        "collega taxonomy" /* 16 bytes, no NUL */
#define FILE_VERSION      2u
#define FILE_ORDER        0x01020304u
#define FILE_CHECKSUM_TAG "collega/taxonomy/1"

enum file_section {
  FILE_CONCEPTS,
  FILE_LABELS,
  FILE_SKILLS,
  FILE_BROADER,
  FILE_RELATED,
  FILE_KEYS,
  FILE_CLOSENESS,
  FILE_TEXT,
  FILE_SECTIONS
};
struct file_head {
  char magic[16];
  uint32_t version, order;
  uint8_t checksum[ID_BYTES];
#define FILE_UNCHECKED 56u
  uint64_t length; /* of the whole file */
  uint32_t concepts[TAXONOMY_KINDS];
  uint32_t labels, skills, broader, related, keys;
  uint64_t offset[FILE_SECTIONS];
};
struct file_concept {
  uint32_t uri; /* offset in the text */
  uint32_t first_label, first_skill, first_broader, first_related;
  uint32_t isco, key; /* of an occupation */
};
struct file_label {
  uint32_t text;
  char language[2];
  uint16_t preferred; /* 0 or 1 */
};
#endif
