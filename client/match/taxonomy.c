/* Reading a taxonomy: the file is mapped and checked once, whole, when it is opened; after that every number in it
 * can be trusted, and looking things up is arithmetic. */
#include "client/match/taxonomy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/match/taxonomy_file.h"

/* The mark, other bits of the hash than the place is found by, spares nearly all looks at addresses that are not it. */
struct uri_place {
  uint32_t concept, mark, text; /* concept + 1; 0: empty */
};
struct taxonomy {
  const uint8_t *map;
  size_t length;
  const struct file_head *head;
  const struct file_concept *concepts;
  const struct file_label *labels;
  const uint32_t *skills, *broader, *related;
  const uint16_t *keys; /* their unit groups */
  const uint8_t *closeness;
  const char *text;
  uint32_t count;           /* of concepts */
  struct uri_place *by_uri; /* by the hash of the address, open addressing */
  uint32_t by_uri_size;     /* a power of two */
  struct buffer taken;      /* what the map is, when no file is */
};

/* ---- checking */

static bool head_fits(const struct file_head *head, size_t length) {
  return memcmp(head->magic, FILE_MAGIC, sizeof head->magic) == 0 &&
         head->version == FILE_VERSION && head->order == FILE_ORDER && head->length == length &&
         head->concepts[TAXONOMY_OCCUPATION] <= TAXONOMY_OCCUPATIONS_MOST &&
         head->concepts[TAXONOMY_SKILL] <= TAXONOMY_CONCEPTS_MOST &&
         head->concepts[TAXONOMY_GROUP] <= TAXONOMY_CONCEPTS_MOST &&
         head->labels <= TAXONOMY_LABELS_MOST && head->skills <= TAXONOMY_RELATIONS_MOST &&
         head->broader <= TAXONOMY_RELATIONS_MOST && head->related <= 2 * TAXONOMY_RELATIONS_MOST &&
         head->keys <= TAXONOMY_KEYS_MOST;
}

/* The sections follow each other and are as long as the counts say; the text takes what is left. */
static bool sections_fit(const struct file_head *head, size_t length) {
  uint64_t concepts =
      (uint64_t)head->concepts[0] + head->concepts[1] + head->concepts[2] + 1; /* and the end */
  const uint64_t bytes[FILE_SECTIONS] = {
      [FILE_CONCEPTS] = concepts * sizeof(struct file_concept),
      [FILE_LABELS] = (uint64_t)head->labels * sizeof(struct file_label),
      [FILE_SKILLS] = (uint64_t)head->skills * sizeof(uint32_t),
      [FILE_BROADER] = (uint64_t)head->broader * sizeof(uint32_t),
      [FILE_RELATED] = (uint64_t)head->related * sizeof(uint32_t),
      [FILE_KEYS] = (uint64_t)head->keys * sizeof(uint16_t),
      [FILE_CLOSENESS] = (uint64_t)head->keys * head->keys,
      [FILE_TEXT] = 1};
  uint64_t least = sizeof *head;
  for (size_t i = 0; i < FILE_SECTIONS; ++i) {
    if (head->offset[i] < least || head->offset[i] % 8 != 0) return false;
    if (head->offset[i] > length || bytes[i] > length - head->offset[i]) return false;
    least = head->offset[i] + bytes[i];
  }
  return true;
}

static bool checksum_fits(const struct file_head *head, const uint8_t *map, size_t length) {
  struct id found;
  hash_one(&found, FILE_CHECKSUM_TAG, map + FILE_UNCHECKED, length - FILE_UNCHECKED);
  return memcmp(found.byte, head->checksum, ID_BYTES) == 0;
}

/* What the checksum does not promise, as a file can be made with any: that all numbers point into the file. */
static bool contents_fit(const struct taxonomy *taxonomy) {
  const struct file_head *head = taxonomy->head;
  uint64_t text_bytes = taxonomy->length - head->offset[FILE_TEXT];
  if (taxonomy->text[text_bytes - 1] != '\0') return false;
  const struct file_concept *first = &taxonomy->concepts[0],
                            *end = &taxonomy->concepts[taxonomy->count];
  if (first->first_label != 0 || first->first_skill != 0 || first->first_broader != 0 ||
      first->first_related != 0 || end->first_label != head->labels ||
      end->first_skill != head->skills || end->first_broader != head->broader ||
      end->first_related != head->related)
    return false;
  for (uint32_t i = 0; i < taxonomy->count; ++i) {
    const struct file_concept *concept = &taxonomy->concepts[i];
    if (concept->uri >= text_bytes || concept->isco > 9999 ||
        concept[1].first_label < concept->first_label ||
        concept[1].first_skill < concept->first_skill ||
        concept[1].first_broader < concept->first_broader ||
        concept[1].first_related < concept->first_related)
      return false;
    if (i < head->concepts[TAXONOMY_OCCUPATION] &&
        (concept->key >= head->keys || taxonomy->keys[concept->key] != concept->isco))
      return false;
  }
  for (uint32_t i = 0; i < head->labels; ++i)
    if (taxonomy->labels[i].text >= text_bytes) return false;
  for (uint32_t i = 0; i < head->skills; ++i)
    if ((taxonomy->skills[i] & TAXONOMY_CONCEPT) >= taxonomy->count) return false;
  for (uint32_t i = 0; i < head->broader; ++i)
    if (taxonomy->broader[i] >= taxonomy->count) return false;
  for (uint32_t i = 0; i < head->related; ++i)
    if (taxonomy->related[i] >= taxonomy->count) return false;
  for (uint32_t i = 0; i < head->keys; ++i)
    if (taxonomy->keys[i] > 9999 || (i > 0 && taxonomy->keys[i] < taxonomy->keys[i - 1]))
      return false;
  return true;
}

/* ---- addresses */

/* Eight bytes at a time, mixed by a multiplication (Fibonacci hashing: Knuth, The Art of Computer Programming 3,
 * section 6.4): every skill of every offer is looked up by its address, some 70 bytes. The addresses are those of
 * one file; who asks for others fills nothing. */
static uint64_t uri_hash(const char *uri) {
  const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
  size_t length = strlen(uri);
  uint64_t hash = length, piece;
  for (; length >= sizeof piece; length -= sizeof piece, uri += sizeof piece) {
    memcpy(&piece, uri, sizeof piece);
    hash = (hash ^ piece) * odd;
    hash ^= hash >> 32;
  }
  piece = 0;
  memcpy(&piece, uri, length);
  hash = (hash ^ piece) * odd;
  return hash ^ hash >> 32;
}

static uint32_t mark_of(uint64_t hash) {
  return (uint32_t)(hash >> 32);
}

/* The first place from `at` on that is empty or may be it. */
static uint32_t uri_next(const struct taxonomy *taxonomy, uint32_t at, uint64_t hash) {
  uint32_t last = taxonomy->by_uri_size - 1;
  for (at &= last; taxonomy->by_uri[at].concept && taxonomy->by_uri[at].mark != mark_of(hash);)
    at = (at + 1) & last;
  return at;
}

/* Where the address is, or the empty place where it would be. */
static struct uri_place *uri_place(const struct taxonomy *taxonomy, const char *uri,
                                   uint64_t hash) {
  uint32_t at = uri_next(taxonomy, (uint32_t)hash, hash);
  while (taxonomy->by_uri[at].concept &&
         strcmp(taxonomy->text + taxonomy->by_uri[at].text, uri) != 0)
    at = uri_next(taxonomy, at + 1, hash);
  return &taxonomy->by_uri[at];
}

static bool index_uris(struct taxonomy *taxonomy) {
  taxonomy->by_uri_size = 64;
  while (taxonomy->by_uri_size * 3 < 4 * taxonomy->count)
    taxonomy->by_uri_size *= 2;
  taxonomy->by_uri = calloc(taxonomy->by_uri_size, sizeof *taxonomy->by_uri);
  for (uint32_t i = 0; taxonomy->by_uri && i < taxonomy->count; ++i) {
    const char *uri = taxonomy_uri(taxonomy, i);
    uint64_t hash = uri_hash(uri);
    *uri_place(taxonomy, uri, hash) =
        (struct uri_place){i + 1, mark_of(hash), taxonomy->concepts[i].uri};
  }
  return taxonomy->by_uri != NULL;
}

/* ---- opening */

static bool taxonomy_take(struct taxonomy *taxonomy) {
  const uint8_t *map = taxonomy->map;
  /* The map begins at a page, and head_fits tells that sections begin at multiples of 8. */
  const struct file_head *head = (const struct file_head *)(const void *)map;
  taxonomy->head = head;
  if (!head_fits(head, taxonomy->length) || !sections_fit(head, taxonomy->length) ||
      !checksum_fits(head, map, taxonomy->length))
    return false;
  taxonomy->count = head->concepts[0] + head->concepts[1] + head->concepts[2];
  taxonomy->concepts = (const void *)(map + head->offset[FILE_CONCEPTS]);
  taxonomy->labels = (const void *)(map + head->offset[FILE_LABELS]);
  taxonomy->skills = (const void *)(map + head->offset[FILE_SKILLS]);
  taxonomy->broader = (const void *)(map + head->offset[FILE_BROADER]);
  taxonomy->related = (const void *)(map + head->offset[FILE_RELATED]);
  taxonomy->keys = (const void *)(map + head->offset[FILE_KEYS]);
  taxonomy->closeness = map + head->offset[FILE_CLOSENESS];
  taxonomy->text = (const char *)(map + head->offset[FILE_TEXT]);
  return contents_fit(taxonomy);
}

enum collega_status taxonomy_open(const char *path, struct taxonomy **out,
                                  struct collega_error *error) {
  *out = NULL;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT)
    return error_set(error, COLLEGA_NOT_FOUND, RULE_taxonomy_none, NULL, NULL);
  if (fd < 0) return error_system(error, path, errno);
  struct stat about;
  enum collega_status status = COLLEGA_OK;
  struct taxonomy *taxonomy = calloc(1, sizeof *taxonomy);
  if (!taxonomy) status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  if (status == COLLEGA_OK && fstat(fd, &about) != 0) status = error_system(error, path, errno);
  if (status == COLLEGA_OK &&
      (!S_ISREG(about.st_mode) || about.st_size < (off_t)sizeof(struct file_head)))
    status = error_set(error, COLLEGA_DAMAGED, RULE_taxonomy_damaged, NULL, path, NULL);
  if (status == COLLEGA_OK) {
    taxonomy->length = (size_t)about.st_size;
    void *map = mmap(NULL, taxonomy->length, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
      status = error_system(error, path, errno);
    else
      taxonomy->map = map;
  }
  close(fd);
  if (status == COLLEGA_OK && !taxonomy_take(taxonomy))
    status = error_set(error, COLLEGA_DAMAGED, RULE_taxonomy_damaged, NULL, path, NULL);
  if (status == COLLEGA_OK && !index_uris(taxonomy))
    status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  if (status == COLLEGA_OK)
    *out = taxonomy;
  else
    taxonomy_close(&taxonomy);
  return status;
}

enum collega_status taxonomy_of_taken(struct buffer *bytes, struct taxonomy **out,
                                      struct collega_error *error) {
  struct taxonomy *taxonomy = calloc(1, sizeof *taxonomy);
  *out = NULL;
  if (!taxonomy || bytes->failed) {
    free(taxonomy);
    buffer_free(bytes);
    return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  }
  taxonomy->taken = *bytes;
  buffer_init(bytes, 0);
  taxonomy->map = taxonomy->taken.data; /* malloc aligns for sections of 8 */
  taxonomy->length = taxonomy->taken.length;
  bool whole = taxonomy_take(taxonomy);
  if (whole && index_uris(taxonomy)) {
    *out = taxonomy;
    return COLLEGA_OK;
  }
  taxonomy_close(&taxonomy);
  if (whole) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  return error_set(error, COLLEGA_DAMAGED, RULE_taxonomy_damaged, NULL, "", NULL);
}

void taxonomy_close(struct taxonomy **place) {
  struct taxonomy *taxonomy = place ? *place : NULL;
  if (!taxonomy) return;
  free(taxonomy->by_uri);
  if (taxonomy->map && !taxonomy->taken.data)
    munmap((void *)(uintptr_t)taxonomy->map, taxonomy->length);
  buffer_free(&taxonomy->taken);
  free(taxonomy);
  *place = NULL;
}

/* ---- looking up */

void taxonomy_size(const struct taxonomy *taxonomy, struct taxonomy_size *out) {
  const struct file_head *head = taxonomy->head;
  memcpy(out->concepts, head->concepts, sizeof out->concepts);
  out->labels = head->labels;
  out->skill_relations = head->skills;
  out->broader_relations = head->broader;
  out->related_skills = head->related / 2;
  out->bytes = taxonomy->length;
}

uint32_t taxonomy_first(const struct taxonomy *taxonomy, enum taxonomy_kind kind) {
  uint32_t first = 0;
  for (unsigned i = 0; i < (unsigned)kind; ++i)
    first += taxonomy->head->concepts[i];
  return first;
}

static uint32_t found_as(const struct taxonomy *taxonomy, enum taxonomy_kind kind,
                         const struct uri_place *place) {
  return place->concept && taxonomy_kind(taxonomy, place->concept - 1) == kind ? place->concept - 1
                                                                               : TAXONOMY_NOT_THERE;
}

uint32_t taxonomy_find(const struct taxonomy *taxonomy, enum taxonomy_kind kind, const char *uri) {
  return found_as(taxonomy, kind, uri_place(taxonomy, uri, uri_hash(uri)));
}

/* Places and addresses lie all over memory: what each needs is asked for before the first is looked at. */
void taxonomy_find_some(const struct taxonomy *taxonomy, enum taxonomy_kind kind,
                        const char *const *uris, size_t count, uint32_t *out) {
  uint64_t hash[TAXONOMY_SOME];
  for (size_t i = 0; i < count; ++i) {
    hash[i] = uri_hash(uris[i]);
    __builtin_prefetch(&taxonomy->by_uri[(uint32_t)hash[i] & (taxonomy->by_uri_size - 1)]);
  }
  for (size_t i = 0; i < count; ++i) {
    const char *text =
        taxonomy->text + taxonomy->by_uri[uri_next(taxonomy, (uint32_t)hash[i], hash[i])].text;
    __builtin_prefetch(text);
    __builtin_prefetch(text + 64);
  }
  for (size_t i = 0; i < count; ++i)
    out[i] = found_as(taxonomy, kind, uri_place(taxonomy, uris[i], hash[i]));
}

const char *taxonomy_uri(const struct taxonomy *taxonomy, uint32_t concept) {
  return taxonomy->text + taxonomy->concepts[concept].uri;
}

enum taxonomy_kind taxonomy_kind(const struct taxonomy *taxonomy, uint32_t concept) {
  if (concept < taxonomy_first(taxonomy, TAXONOMY_SKILL)) return TAXONOMY_OCCUPATION;
  return concept < taxonomy_first(taxonomy, TAXONOMY_GROUP) ? TAXONOMY_SKILL : TAXONOMY_GROUP;
}

uint16_t taxonomy_isco(const struct taxonomy *taxonomy, uint32_t concept) {
  return (uint16_t)taxonomy->concepts[concept].isco;
}

uint32_t taxonomy_labels(const struct taxonomy *taxonomy, uint32_t concept, uint32_t *first) {
  *first = taxonomy->concepts[concept].first_label;
  return taxonomy->concepts[concept + 1].first_label - *first;
}

struct taxonomy_label taxonomy_label(const struct taxonomy *taxonomy, uint32_t label) {
  const struct file_label *from = &taxonomy->labels[label];
  return (struct taxonomy_label){.text = taxonomy->text + from->text,
                                 .language = {from->language[0], from->language[1], '\0'},
                                 .preferred = from->preferred != 0};
}

static unsigned language_number(const char letters[2]) {
  return (unsigned)(unsigned char)letters[0] << 8 | (unsigned char)letters[1];
}

const char *taxonomy_name(const struct taxonomy *taxonomy, uint32_t concept, const char *language) {
  enum { PREFERRED = 1, ENGLISH = 2, ASKED = 4 }; /* the language weighs more */
  const struct file_label *label = &taxonomy->labels[taxonomy->concepts[concept].first_label],
                          *end = &taxonomy->labels[taxonomy->concepts[concept + 1].first_label];
  const unsigned asked = strlen(language) == 2 ? language_number(language) : UINT_MAX,
                 english = language_number("en");
  const char *name = "";
  int best = -1;
  for (; label < end && best < ASKED + PREFERRED; ++label) {
    unsigned told = language_number(label->language);
    int worth = (label->preferred ? PREFERRED : 0) + (told == asked     ? ASKED
                                                      : told == english ? ENGLISH
                                                                        : 0);
    if (worth <= best) continue;
    best = worth;
    name = taxonomy->text + label->text;
  }
  return name;
}

uint32_t taxonomy_skills(const struct taxonomy *taxonomy, uint32_t occupation,
                         const uint32_t **out) {
  const struct file_concept *concept = &taxonomy->concepts[occupation];
  *out = taxonomy->skills + concept->first_skill;
  return concept[1].first_skill - concept->first_skill;
}

uint32_t taxonomy_broader(const struct taxonomy *taxonomy, uint32_t concept, const uint32_t **out) {
  const struct file_concept *from = &taxonomy->concepts[concept];
  *out = taxonomy->broader + from->first_broader;
  return from[1].first_broader - from->first_broader;
}

uint32_t taxonomy_related(const struct taxonomy *taxonomy, uint32_t concept, const uint32_t **out) {
  const struct file_concept *from = &taxonomy->concepts[concept];
  *out = taxonomy->related + from->first_related;
  return from[1].first_related - from->first_related;
}

/* ---- closeness */

uint32_t taxonomy_keys(const struct taxonomy *taxonomy) {
  return taxonomy->head->keys;
}

uint32_t taxonomy_key(const struct taxonomy *taxonomy, uint32_t occupation) {
  return taxonomy->concepts[occupation].key;
}

/* The first key that is not below this group. */
static uint32_t key_from(const struct taxonomy *taxonomy, uint32_t isco) {
  uint32_t low = 0, high = taxonomy->head->keys;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (taxonomy->keys[middle] < isco)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

uint32_t taxonomy_group(const struct taxonomy *taxonomy, uint16_t isco, uint32_t *first) {
  *first = key_from(taxonomy, isco);
  return key_from(taxonomy, isco + 1u) - *first;
}

uint16_t taxonomy_key_isco(const struct taxonomy *taxonomy, uint32_t key) {
  return taxonomy->keys[key];
}

const uint8_t *taxonomy_near(const struct taxonomy *taxonomy, uint32_t key) {
  return taxonomy->closeness + (size_t)key * taxonomy->head->keys;
}

double taxonomy_closeness(const struct taxonomy *taxonomy, uint32_t one, uint32_t other) {
  const uint8_t *near = taxonomy_near(taxonomy, taxonomy_key(taxonomy, one));
  return (double)near[taxonomy_key(taxonomy, other)] / 255.0;
}

static bool among(const uint32_t *list, uint32_t count, uint32_t concept) {
  for (uint32_t i = 0; i < count; ++i)
    if (list[i] == concept) return true;
  return false;
}

/* A skill with what it is related to, and what is broader. */
struct neighbours {
  uint32_t skill, related_count, broader_count;
  const uint32_t *related, *broader;
};

static double closeness_to(const struct taxonomy *taxonomy, const struct neighbours *one,
                           uint32_t other) {
  if (one->skill == other) return TAXONOMY_SAME_SKILL;
  const uint32_t *over;
  uint32_t over_count = taxonomy_broader(taxonomy, other, &over);
  if (among(one->related, one->related_count, other) ||
      among(one->broader, one->broader_count, other) || among(over, over_count, one->skill))
    return TAXONOMY_RELATED_SKILL;
  for (uint32_t i = 0; i < one->broader_count; ++i)
    if (among(over, over_count, one->broader[i])) return TAXONOMY_KINDRED_SKILL;
  return 0.0;
}

double taxonomy_skill_closest(const struct taxonomy *taxonomy, uint32_t skill,
                              const uint32_t *others, size_t count, size_t *at) {
  struct neighbours one = {.skill = skill};
  double best = 0.0;
  one.related_count = taxonomy_related(taxonomy, skill, &one.related);
  one.broader_count = taxonomy_broader(taxonomy, skill, &one.broader);
  for (size_t i = 0; i < count && best < TAXONOMY_SAME_SKILL; ++i) {
    double closeness = closeness_to(taxonomy, &one, others[i]);
    if (closeness <= best) continue;
    best = closeness;
    *at = i;
  }
  return best;
}

double taxonomy_skill_closeness(const struct taxonomy *taxonomy, uint32_t one, uint32_t other) {
  size_t at;
  return taxonomy_skill_closest(taxonomy, one, &other, 1, &at);
}

uint64_t taxonomy_mark(const struct taxonomy *taxonomy) {
  return get_be64(taxonomy->head->checksum);
}
