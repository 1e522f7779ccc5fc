/* An index from features to labels, in memory: made in a tenth of a second for the occupations, then a text costs
 * a walk over the labels that share a piece with it. Features are hashed into a fixed number of buckets; two that
 * fall together only make a label seem a little nearer. */
#include "client/match/taxonomy_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS       (1u << 18)
#define FEATURES_MOST (3u * TAXONOMY_FOLDED_BYTES)
#define ROUNDING      1e5 /* sums of floats that mean the same are to be equal */
#define PART_LABEL    0.6f
#define PART_CONCEPT  0.4f
#define WORD_MARK     '\x01' /* before a word, in its feature's hash */

struct taxonomy_search {
  const struct taxonomy *taxonomy;
  uint32_t first_label, labels, first_concept, concepts;
  uint32_t *concept_of; /* by label, from first_label */
  float *length;        /* of a label's vector */
  float *weight;        /* of a bucket */
  uint32_t *begin;      /* of a bucket's labels, one more for the end */
  uint32_t *postings;   /* labels from first_label, ascending in each bucket */
  float *product;       /* by label: with the text; all 0 between searches */
  float *covered;       /* by concept */
  uint32_t *best;       /* by concept: its nearest label */
};

/* ---- folding */

/* Letters with marks, U+00C0 .. U+017F, without them; a blank: not a letter. */
static const char bare[] = "aaaaaaaceeeeiiiidnooooo ouuuuytsaaaaaaaceeeeiiiidnooooo ouuuuyty"
                           "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllll"
                           "llnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

static uint32_t fold_point(uint32_t point) {
  if (point >= 'A' && point <= 'Z') return point + 32;
  if ((point >= 'a' && point <= 'z') || (point >= '0' && point <= '9') || point == '+' ||
      point == '#')
    return point;
  if (point < 0xc0) return ' ';
  if (point < 0xc0 + sizeof bare - 1) return (unsigned char)bare[point - 0xc0];
  if (point >= 0x391 && point <= 0x3a9) return point + 32; /* Greek */
  if (point >= 0x410 && point <= 0x42f) return point + 32; /* Cyrillic */
  if (point >= 0x300 && point <= 0x36f) return 0;          /* marks of their own */
  return point >= 0x2000 && point <= 0x206f ? ' ' : point;
}

static size_t put_point(char *out, uint32_t point) {
  if (point < 0x80) {
    out[0] = (char)point;
    return 1;
  }
  if (point < 0x800) {
    out[0] = (char)(0xc0 | point >> 6);
    out[1] = (char)(0x80 | (point & 0x3f));
    return 2;
  }
  size_t more = point < 0x10000 ? 2 : 3;
  out[0] = (char)((more == 2 ? 0xe0 : 0xf0) | point >> (6 * more));
  for (size_t i = 1; i <= more; ++i)
    out[i] = (char)(0x80 | (point >> (6 * (more - i)) & 0x3f));
  return more + 1;
}

size_t taxonomy_fold(const char *text, char *out) {
  size_t left = utf8_cut(text, TAXONOMY_QUERY_BYTES), length = 0;
  const uint8_t *at = (const uint8_t *)text;
  bool blank = true;
  while (left) {
    uint32_t point = ' ';
    size_t used = utf8_next(at, left, &point);
    if (!used) used = 1; /* not UTF-8: a blank */
    at += used;
    left -= used;
    point = fold_point(point);
    if (!point || (point == ' ' && blank)) continue;
    blank = point == ' ';
    length += put_point(out + length, point);
  }
  while (length && out[length - 1] == ' ')
    --length;
  out[length] = '\0';
  return length;
}

/* ---- features */

static uint32_t hash_bytes(const char *data, size_t length, uint32_t hash) {
  for (size_t i = 0; i < length; ++i)
    hash = (hash ^ (unsigned char)data[i]) * 16777619u; /* FNV-1a */
  return hash;
}

static uint32_t bucket_of(uint32_t hash) {
  return (hash * 2654435769u) >> 14; /* 18 bits */
}

static int by_number(const void *one, const void *other) {
  uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
  return (a > b) - (a < b);
}

/* Pieces of `size` bytes of "_word_". */
static size_t add_pieces(const char *word, size_t length, size_t size, uint32_t *out) {
  size_t count = 0;
  for (size_t i = 0; i + size <= length; ++i)
    out[count++] = bucket_of(hash_bytes(word + i, size, 2166136261u));
  return count;
}

/* Each feature of a text, as its bucket, once, ascending; returns how many. */
static size_t features_of(const char *text, uint32_t out[FEATURES_MOST]) {
  char folded[TAXONOMY_FOLDED_BYTES], word[TAXONOMY_FOLDED_BYTES + 2];
  size_t count = 0, kept = 0;
  taxonomy_fold(text, folded);
  for (const char *at = folded; *at;) {
    size_t length = strcspn(at, " ");
    word[0] = word[length + 1] = '_';
    memcpy(word + 1, at, length);
    count += add_pieces(word, length + 2, 3, out + count);
    count += add_pieces(word, length + 2, 4, out + count);
    word[0] = WORD_MARK;
    out[count++] = bucket_of(hash_bytes(word, length + 1, 2166136261u));
    at += length + (at[length] == ' ');
  }
  qsort(out, count, sizeof *out, by_number);
  for (size_t i = 0; i < count; ++i)
    if (!kept || out[kept - 1] != out[i]) out[kept++] = out[i];
  return kept;
}

static float weight_of(const struct taxonomy_search *search, uint32_t feature) {
  return search->weight[feature];
}

/* ---- the index */

static const char *label_text(const struct taxonomy_search *search, uint32_t label) {
  return taxonomy_label(search->taxonomy, search->first_label + label).text;
}

static bool index_fill(struct taxonomy_search *search, const uint8_t *left_out) {
  uint32_t features[FEATURES_MOST];
  uint32_t *fill = calloc(BUCKETS, sizeof *fill);
  if (!fill) return false;
  for (uint32_t i = 0; i < search->labels; ++i) {
    if (left_out && left_out[search->first_label + i]) continue;
    size_t count = features_of(label_text(search, i), features);
    for (size_t j = 0; j < count; ++j)
      ++fill[features[j]];
  }
  for (uint32_t i = 0; i < BUCKETS; ++i) {
    search->begin[i + 1] = search->begin[i] + fill[i];
    search->weight[i] = (float)log(((double)search->labels + 1.0) / ((double)fill[i] + 0.5));
    fill[i] = search->begin[i];
  }
  search->postings = calloc((size_t)search->begin[BUCKETS] + 1, sizeof *search->postings);
  for (uint32_t i = 0; search->postings && i < search->labels; ++i) {
    if (left_out && left_out[search->first_label + i]) continue;
    size_t count = features_of(label_text(search, i), features);
    float sum = 0;
    for (size_t j = 0; j < count; ++j) {
      float weight = weight_of(search, features[j]);
      search->postings[fill[features[j]]++] = i;
      sum += weight * weight;
    }
    search->length[i] = sqrtf(sum);
  }
  free(fill);
  return search->postings != NULL;
}

struct taxonomy_search *taxonomy_search_new(const struct taxonomy *taxonomy,
                                            enum taxonomy_kind first, enum taxonomy_kind last,
                                            const uint8_t *left_out) {
  struct taxonomy_search *search = calloc(1, sizeof *search);
  struct taxonomy_size size;
  if (!search) return NULL;
  taxonomy_size(taxonomy, &size);
  search->taxonomy = taxonomy;
  search->first_concept = taxonomy_first(taxonomy, first);
  for (unsigned kind = first; kind <= (unsigned)last; ++kind)
    search->concepts += size.concepts[kind];
  uint32_t begin = 0;
  for (uint32_t c = 0; c < search->concepts; ++c) {
    uint32_t count = taxonomy_labels(taxonomy, search->first_concept + c, &begin);
    if (c == 0) search->first_label = begin;
    search->labels += count;
  }
  search->concept_of = calloc((size_t)search->labels + 1, sizeof *search->concept_of);
  search->length = calloc((size_t)search->labels + 1, sizeof *search->length);
  search->product = calloc((size_t)search->labels + 1, sizeof *search->product);
  search->covered = calloc((size_t)search->concepts + 1, sizeof *search->covered);
  search->best = calloc((size_t)search->concepts + 1, sizeof *search->best);
  search->weight = calloc(BUCKETS, sizeof *search->weight);
  search->begin = calloc(BUCKETS + 1, sizeof *search->begin);
  bool room = search->concept_of && search->length && search->product && search->covered &&
              search->best && search->weight && search->begin;
  for (uint32_t c = 0; room && c < search->concepts; ++c) {
    uint32_t count = taxonomy_labels(taxonomy, search->first_concept + c, &begin);
    for (uint32_t i = 0; i < count; ++i)
      search->concept_of[begin - search->first_label + i] = c;
  }
  if (!room || !index_fill(search, left_out)) taxonomy_search_destroy(&search);
  return search;
}

void taxonomy_search_destroy(struct taxonomy_search **place) {
  struct taxonomy_search *search = place ? *place : NULL;
  if (!search) return;
  free(search->concept_of);
  free(search->length);
  free(search->product);
  free(search->covered);
  free(search->best);
  free(search->weight);
  free(search->begin);
  free(search->postings);
  free(search);
  *place = NULL;
}

/* ---- searching */

/* Adds up one feature: for each label that has it, and once for each concept. */
static void walk(struct taxonomy_search *search, uint32_t feature) {
  float weight = weight_of(search, feature), square = weight * weight;
  uint32_t last = UINT32_MAX;
  for (uint32_t i = search->begin[feature]; i < search->begin[feature + 1]; ++i) {
    uint32_t label = search->postings[i], concept = search->concept_of[label];
    search->product[label] += square;
    if (concept != last) search->covered[concept] += square;
    last = concept;
  }
}

/* Equal scores: who is called so before who is also called so, then by number. */
static bool before(const struct taxonomy_hit *one, const struct taxonomy_hit *other,
                   const struct taxonomy *taxonomy) {
  if (one->score != other->score) return one->score > other->score;
  bool preferred = taxonomy_label(taxonomy, one->label).preferred;
  if (preferred != taxonomy_label(taxonomy, other->label).preferred) return preferred;
  return one->concept < other->concept;
}

/* Into its place among the best so far. */
static size_t insert(const struct taxonomy_search *search, struct taxonomy_hit *out, size_t count,
                     size_t most, const struct taxonomy_hit *hit) {
  if (count == most && !before(hit, &out[count - 1], search->taxonomy)) return count;
  size_t at = count < most ? count : count - 1;
  for (; at && before(hit, &out[at - 1], search->taxonomy); --at)
    out[at] = out[at - 1];
  out[at] = *hit;
  return count < most ? count + 1 : count;
}

size_t taxonomy_search(struct taxonomy_search *search, const char *text, size_t most,
                       struct taxonomy_hit *out) {
  uint32_t features[FEATURES_MOST];
  size_t feature_count = features_of(text, features), count = 0;
  float sum = 0;
  for (size_t i = 0; i < feature_count; ++i) {
    float weight = weight_of(search, features[i]);
    sum += weight * weight;
    walk(search, features[i]);
  }
  float length = sqrtf(sum);
  for (uint32_t i = 0; i < search->concepts; ++i)
    search->best[i] = TAXONOMY_NOT_THERE;
  for (uint32_t i = 0; i < search->labels; ++i) {
    if (search->product[i] == 0.0f) continue;
    uint32_t concept = search->concept_of[i], *best = &search->best[concept];
    search->product[i] /= length * search->length[i];
    if (*best == TAXONOMY_NOT_THERE || search->product[i] > search->product[*best]) *best = i;
  }
  for (uint32_t c = 0; most && c < search->concepts; ++c) {
    if (search->best[c] == TAXONOMY_NOT_THERE) continue;
    double score = (double)(PART_LABEL * search->product[search->best[c]] +
                            PART_CONCEPT * search->covered[c] / sum);
    struct taxonomy_hit hit = {search->first_concept + c, search->first_label + search->best[c],
                               score > 1.0 ? 1.0 : rint(score * ROUNDING) / ROUNDING};
    count = insert(search, out, count, most, &hit);
  }
  memset(search->product, 0, search->labels * sizeof *search->product);
  memset(search->covered, 0, search->concepts * sizeof *search->covered);
  return count;
}
