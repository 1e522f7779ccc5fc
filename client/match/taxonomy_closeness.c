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

static bool gather(struct vectors *vectors, const struct file_concept *concepts,
                   uint32_t occupations, const uint32_t *skills, const uint32_t *broader) {
  for (uint32_t o = 0; o < occupations; ++o) {
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
  vectors->first[occupations] = vectors->count;
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
                 PART_TREE * occupation_closeness((uint16_t)one, (uint16_t)other);
  return (uint8_t)(value * 255.0 + 0.5);
}

static void multiply(struct vectors *vectors, const struct file_concept *concepts,
                     uint32_t occupations, uint8_t *out) {
  for (uint32_t o = 1; o < occupations; ++o) {
    memset(vectors->product, 0, o * sizeof *vectors->product);
    for (size_t i = vectors->first[o]; i < vectors->first[o + 1]; ++i) {
      const struct weight *weight = &vectors->weights[i];
      const struct weight *at = &vectors->postings[vectors->posting[weight->concept]];
      for (; at->concept < o; ++at) /* ends at `o` itself, which is among them */
        vectors->product[at->concept] += weight->value * at->value;
    }
    for (uint32_t b = 0; b < o; ++b)
      *out++ = closeness((double)vectors->product[b], vectors->length[o] * vectors->length[b],
                         concepts[o].isco, concepts[b].isco);
  }
}

bool taxonomy_closeness_fill(const struct file_concept *concepts, uint32_t count,
                             uint32_t occupations, const uint32_t *skills, const uint32_t *broader,
                             uint8_t *out) {
  struct vectors vectors = {.first = calloc((size_t)occupations + 1, sizeof(size_t)),
                            .posting = calloc((size_t)count + 1, sizeof(size_t)),
                            .holders = calloc((size_t)count + 1, sizeof(uint32_t)),
                            .best = calloc((size_t)count + 1, sizeof(float)),
                            .product = calloc((size_t)occupations + 1, sizeof(float)),
                            .length = calloc((size_t)occupations + 1, sizeof(double))};
  bool done = vectors.first && vectors.posting && vectors.holders && vectors.best &&
              vectors.product && vectors.length &&
              gather(&vectors, concepts, occupations, skills, broader) &&
              weigh(&vectors, count, occupations);
  if (done) multiply(&vectors, concepts, occupations, out);
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
