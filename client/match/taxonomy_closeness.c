/* Cosines of sparse vectors: for each occupation the products with all before it, by way of the skills that they share.
 * Skills that few have cost nothing; for ESCO it is some hundred million additions, once in an import. */
#include "client/match/taxonomy_closeness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/match/occupation.h"

#define ROLE_OPTIONAL 0.5f
#define ROLE_BROADER  0.5f /* of the skill's */
#define PART_SKILLS   0.6
#define PART_TREE     0.4

struct weight {
  uint32_t concept; /* while gathering; then, in a posting, the occupation */
  float value;
};
struct vectors {
  struct weight *weights; /* by occupation */
  size_t count, room;
  size_t *first;           /* of an occupation, one more for the end */
  struct weight *postings; /* the same by concept */
  size_t *posting;
  uint32_t *holders; /* of a concept: how many occupations have it */
  float *best;       /* of a concept, for one occupation; 0: not seen */
  float *product;    /* with each occupation */
  double *length;
};

static bool add(struct vectors *vectors, uint32_t concept, float role) {
  if (vectors->best[concept] >= role) return true;
  if (vectors->best[concept] == 0.0f) {
    if (vectors->count == vectors->room) {
      size_t room = vectors->room ? vectors->room * 2 : 65536;
      struct weight *weights = realloc(vectors->weights, room * sizeof *weights);
      if (!weights) return false;
      vectors->weights = weights;
      vectors->room = room;
    }
    vectors->weights[vectors->count++].concept = concept;
    ++vectors->holders[concept];
  }
  vectors->best[concept] = role;
  return true;
}

static bool gather(struct vectors *vectors, const struct taxonomy_parts *parts) {
  const struct file_concept *concepts = parts->concepts;
  const uint32_t *skills = parts->skills, *broader = parts->broader;
  for (uint32_t o = 0; o < parts->occupations; ++o) {
    vectors->first[o] = vectors->count;
    for (uint32_t i = concepts[o].first_skill; i < concepts[o + 1].first_skill; ++i) {
      uint32_t skill = skills[i] & TAXONOMY_CONCEPT;
      float role = skills[i] & TAXONOMY_ESSENTIAL ? 1.0f : ROLE_OPTIONAL;
      if (!add(vectors, skill, role)) return false;
      for (uint32_t j = concepts[skill].first_broader; j < concepts[skill + 1].first_broader; ++j)
        if (!add(vectors, broader[j], role * ROLE_BROADER)) return false;
    }
    for (size_t i = vectors->first[o]; i < vectors->count; ++i) {
      struct weight *weight = &vectors->weights[i];
      weight->value = vectors->best[weight->concept];
      vectors->best[weight->concept] = 0.0f;
    }
  }
  vectors->first[parts->occupations] = vectors->count;
  return true;
}

/* Roles become weights, and stand by concept too. */
static bool weigh(struct vectors *vectors, uint32_t concepts, uint32_t occupations) {
  vectors->postings = malloc((vectors->count + 1) * sizeof *vectors->postings);
  if (!vectors->postings) return false;
  for (uint32_t c = 0; c < concepts; ++c)
    vectors->posting[c + 1] = vectors->posting[c] + vectors->holders[c];
  memset(vectors->holders, 0, concepts * sizeof *vectors->holders);
  for (uint32_t o = 0; o < occupations; ++o) {
    double sum = 0;
    for (size_t i = vectors->first[o]; i < vectors->first[o + 1]; ++i) {
      struct weight *weight = &vectors->weights[i];
      uint32_t c = weight->concept;
      double holders = (double)(vectors->posting[c + 1] - vectors->posting[c]);
      weight->value *= (float)log((double)occupations / holders);
      sum += (double)weight->value * (double)weight->value;
      vectors->postings[vectors->posting[c] + vectors->holders[c]++] =
          (struct weight){o, weight->value};
    }
    vectors->length[o] = sqrt(sum);
  }
  return true;
}

static uint8_t closeness(double product, double lengths, uint32_t one, uint32_t other) {
  double cosine = lengths > 0 ? product / lengths : 0.0;
  double value = PART_SKILLS * sqrt(cosine > 1.0 ? 1.0 : cosine) +
                 PART_TREE * isco_closeness((uint16_t)one, (uint16_t)other);
  return (uint8_t)(value * 255.0 + 0.5);
}

static void put(const struct taxonomy_parts *parts, uint8_t *out, uint32_t one, uint32_t other,
                uint8_t value) {
  out[(size_t)one * parts->key_count + other] = value;
  out[(size_t)other * parts->key_count + one] = value;
}

static void multiply(struct vectors *vectors, const struct taxonomy_parts *parts, uint8_t *out) {
  const struct file_concept *concepts = parts->concepts;
  for (uint32_t o = 0; o < parts->occupations; ++o) {
    memset(vectors->product, 0, o * sizeof *vectors->product);
    for (size_t i = vectors->first[o]; i < vectors->first[o + 1]; ++i) {
      const struct weight *weight = &vectors->weights[i];
      const struct weight *at = &vectors->postings[vectors->posting[weight->concept]];
      for (; at->concept < o; ++at) /* ends at `o` itself, which is among them */
        vectors->product[at->concept] += weight->value * at->value;
    }
    for (uint32_t b = 0; b < o; ++b)
      put(parts, out, concepts[o].key, concepts[b].key,
          closeness((double)vectors->product[b], vectors->length[o] * vectors->length[b],
                    concepts[o].isco, concepts[b].isco));
    put(parts, out, concepts[o].key, concepts[o].key, 255);
  }
}

/* The occupations of the group whose own key is `group` end before this key. */
static uint32_t group_end(const struct taxonomy_parts *parts, uint32_t group) {
  uint32_t end = group + 1;
  while (end < parts->key_count && parts->keys[end] == parts->keys[group])
    ++end;
  return end;
}

static uint8_t mean(uint64_t sum, uint64_t count) {
  return (uint8_t)((2 * sum + count) / (2 * count));
}

/* Unit groups from their occupations: `sum` of the closeness of all of one group's to each key. */
static void fill_groups(const struct taxonomy_parts *parts, uint64_t *sum, uint8_t *out) {
  for (uint32_t group = 0, end; group < parts->key_count; group = end) {
    end = group_end(parts, group);
    memset(sum, 0, parts->key_count * sizeof *sum);
    for (uint32_t member = group + 1; member < end; ++member)
      for (uint32_t key = 0; key < parts->key_count; ++key)
        sum[key] += out[(size_t)member * parts->key_count + key];
    for (uint32_t other = 0, other_end; other < parts->key_count; other = other_end) {
      uint64_t all = 0, members = end - group - 1;
      other_end = group_end(parts, other);
      for (uint32_t key = other + 1; key < other_end; ++key) {
        put(parts, out, group, key, other == group ? 255 : mean(sum[key], members));
        all += sum[key];
      }
      put(parts, out, group, other,
          other == group ? 255 : mean(all, members * (other_end - other - 1)));
    }
  }
}

bool taxonomy_closeness_fill(const struct taxonomy_parts *parts, uint8_t *out) {
  size_t count = parts->count, occupations = parts->occupations;
  struct vectors vectors = {.first = calloc(occupations + 1, sizeof(size_t)),
                            .posting = calloc(count + 1, sizeof(size_t)),
                            .holders = calloc(count + 1, sizeof(uint32_t)),
                            .best = calloc(count + 1, sizeof(float)),
                            .product = calloc(occupations + 1, sizeof(float)),
                            .length = calloc(occupations + 1, sizeof(double))};
  uint64_t *sum = calloc(parts->key_count, sizeof *sum);
  bool done = sum && vectors.first && vectors.posting && vectors.holders && vectors.best &&
              vectors.product && vectors.length && gather(&vectors, parts) &&
              weigh(&vectors, parts->count, parts->occupations);
  if (done) multiply(&vectors, parts, out);
  if (done) fill_groups(parts, sum, out);
  free(sum);
  free(vectors.weights);
  free(vectors.postings);
  free(vectors.first);
  free(vectors.posting);
  free(vectors.holders);
  free(vectors.best);
  free(vectors.product);
  free(vectors.length);
  return done;
}
