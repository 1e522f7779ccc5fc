/* From concepts in any order to the file: addresses get numbers as they come; at the end concepts are sorted, relations
 * are judged and everything is written with its final number. */
#include "client/match/taxonomy_build.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/match/taxonomy_closeness.h"
#include "client/match/taxonomy_file.h"

#define LEAST_TABLE  1024u
#define NOT_DEFINED  TAXONOMY_KINDS
#define ADDRESS_MOST (4u * TAXONOMY_CONCEPTS_MOST) /* those that relations name included */

struct address {
  uint32_t uri; /* in the text */
  uint32_t kind, isco;
  uint32_t number; /* its final one */
};
struct label {
  uint32_t concept, text, order;
  char language[2];
  uint16_t preferred;
};
struct relation {
  uint32_t from, to; /* addresses; after resolving, final numbers */
  uint32_t essential;
  struct taxonomy_source source;
};
struct taxonomy_builder {
  struct buffer text, addresses, labels, skills, broader, related; /* of the structs above */
  uint32_t *table; /* address + 1 by its hash; 0: empty */
  size_t table_size;
  uint32_t count[TAXONOMY_KINDS];
  uint32_t *order; /* addresses by final number */
  uint32_t defined;
  uint8_t secret[crypto_shorthash_KEYBYTES]; /* addresses come from outside */
};

static enum collega_status no_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

static enum collega_status too_large(struct collega_error *error) {
  return error_set(error, COLLEGA_INVALID, RULE_taxonomy_too_large, NULL, NULL);
}

static size_t items(const struct buffer *buffer, size_t size) {
  return buffer->length / size;
}

static struct address *address_at(const struct taxonomy_builder *builder, uint32_t index) {
  return (struct address *)(void *)builder->addresses.data + index;
}

static const char *text_at(const struct taxonomy_builder *builder, uint32_t offset) {
  return (const char *)builder->text.data + offset;
}

struct taxonomy_builder *taxonomy_builder_new(void) {
  struct taxonomy_builder *builder = calloc(1, sizeof *builder);
  if (!builder) return NULL;
  buffer_init(&builder->text, TAXONOMY_TEXT_BYTES);
  buffer_init(&builder->addresses, ADDRESS_MOST * sizeof(struct address));
  buffer_init(&builder->labels, TAXONOMY_LABELS_MOST * sizeof(struct label));
  buffer_init(&builder->skills, TAXONOMY_RELATIONS_MOST * sizeof(struct relation));
  buffer_init(&builder->broader, TAXONOMY_RELATIONS_MOST * sizeof(struct relation));
  buffer_init(&builder->related, 2 * TAXONOMY_RELATIONS_MOST * sizeof(struct relation));
  random_fill(builder->secret, sizeof builder->secret);
  builder->table_size = LEAST_TABLE;
  builder->table = calloc(LEAST_TABLE, sizeof *builder->table);
  if (!builder->table) taxonomy_builder_destroy(&builder);
  return builder;
}

void taxonomy_builder_destroy(struct taxonomy_builder **place) {
  struct taxonomy_builder *builder = place ? *place : NULL;
  if (!builder) return;
  buffer_free(&builder->text);
  buffer_free(&builder->addresses);
  buffer_free(&builder->labels);
  buffer_free(&builder->skills);
  buffer_free(&builder->broader);
  buffer_free(&builder->related);
  free(builder->table);
  free(builder->order);
  free(builder);
  *place = NULL;
}

/* ---- addresses: open addressing, linear probing */

static size_t place_of(const struct taxonomy_builder *builder, struct bytes uri) {
  uint8_t hash[crypto_shorthash_BYTES];
  crypto_shorthash(hash, uri.data, uri.length, builder->secret);
  size_t at = (size_t)get_be64(hash) & (builder->table_size - 1);
  for (; builder->table[at]; at = (at + 1) & (builder->table_size - 1)) {
    const char *known = text_at(builder, address_at(builder, builder->table[at] - 1)->uri);
    if (strlen(known) == uri.length && memcmp(known, uri.data, uri.length) == 0) break;
  }
  return at;
}

static bool table_grow(struct taxonomy_builder *builder) {
  uint32_t *fresh = calloc(builder->table_size * 2, sizeof *fresh);
  if (!fresh) return false;
  free(builder->table);
  builder->table = fresh;
  builder->table_size *= 2;
  size_t count = items(&builder->addresses, sizeof(struct address));
  for (uint32_t i = 0; i < count; ++i) {
    const char *uri = text_at(builder, address_at(builder, i)->uri);
    fresh[place_of(builder, bytes_of(uri, strlen(uri)))] = i + 1;
  }
  return true;
}

static enum collega_status text_add(struct taxonomy_builder *builder, struct bytes text,
                                    uint32_t *out, struct collega_error *error) {
  *out = (uint32_t)builder->text.length;
  buffer_append(&builder->text, text.data, text.length);
  buffer_append(&builder->text, "", 1);
  return builder->text.failed ? too_large(error) : COLLEGA_OK;
}

static enum collega_status address_take(struct taxonomy_builder *builder, struct bytes uri,
                                        uint32_t *out, struct collega_error *error) {
  if (uri.length == 0 || uri.length > TAXONOMY_URI_BYTES || memchr(uri.data, 0, uri.length) ||
      !utf8_text(uri.data, uri.length, false))
    return error_set(error, COLLEGA_INVALID, RULE_taxonomy_address, NULL, NULL);
  size_t count = items(&builder->addresses, sizeof(struct address));
  if (count * 2 >= builder->table_size && !table_grow(builder)) return no_memory(error);
  size_t place = place_of(builder, uri);
  if (builder->table[place]) {
    *out = builder->table[place] - 1;
    return COLLEGA_OK;
  }
  struct address address = {.kind = NOT_DEFINED};
  enum collega_status status = text_add(builder, uri, &address.uri, error);
  if (status != COLLEGA_OK) return status;
  buffer_append(&builder->addresses, &address, sizeof address);
  if (builder->addresses.failed) return too_large(error);
  builder->table[place] = (uint32_t)count + 1;
  *out = (uint32_t)count;
  return COLLEGA_OK;
}

enum collega_status taxonomy_build_concept(struct taxonomy_builder *builder,
                                           enum taxonomy_kind kind, struct bytes uri, uint16_t isco,
                                           uint32_t *out, struct collega_error *error) {
  enum collega_status status = address_take(builder, uri, out, error);
  if (status != COLLEGA_OK) return status;
  struct address *address = address_at(builder, *out);
  if (address->kind == NOT_DEFINED) {
    address->kind = kind;
    address->isco = isco;
    uint32_t most =
        kind == TAXONOMY_OCCUPATION ? TAXONOMY_OCCUPATIONS_MOST : TAXONOMY_CONCEPTS_MOST;
    return ++builder->count[kind] > most ? too_large(error) : COLLEGA_OK;
  }
  if (address->kind == kind && address->isco == isco) return COLLEGA_OK;
  return error_set(error, COLLEGA_INVALID, RULE_taxonomy_two_meanings, NULL,
                   text_at(builder, address->uri), NULL);
}

enum collega_status taxonomy_build_label(struct taxonomy_builder *builder, uint32_t concept,
                                         const char *language, bool preferred, struct bytes text,
                                         struct collega_error *error) {
  if (text.length == 0 || text.length > TAXONOMY_LABEL_BYTES || memchr(text.data, 0, text.length) ||
      !utf8_text(text.data, text.length, false))
    return error_set(error, COLLEGA_INVALID, RULE_taxonomy_label, NULL, NULL);
  struct label label = {.concept = concept,
                        .language = {language[0], language[1]},
                        .preferred = preferred,
                        .order = (uint32_t)items(&builder->labels, sizeof(struct label))};
  enum collega_status status = text_add(builder, text, &label.text, error);
  if (status != COLLEGA_OK) return status;
  buffer_append(&builder->labels, &label, sizeof label);
  return builder->labels.failed ? too_large(error) : COLLEGA_OK;
}

static enum collega_status relate(struct taxonomy_builder *builder, struct buffer *relations,
                                  struct bytes from, struct bytes to, bool essential,
                                  struct taxonomy_source source, struct collega_error *error) {
  struct relation relation = {.essential = essential, .source = source};
  enum collega_status status = address_take(builder, from, &relation.from, error);
  if (status == COLLEGA_OK) status = address_take(builder, to, &relation.to, error);
  if (status != COLLEGA_OK) return status;
  buffer_append(relations, &relation, sizeof relation);
  return relations->failed ? too_large(error) : COLLEGA_OK;
}

enum collega_status taxonomy_build_skill(struct taxonomy_builder *builder, struct bytes occupation,
                                         struct bytes skill, bool essential,
                                         struct taxonomy_source source,
                                         struct collega_error *error) {
  return relate(builder, &builder->skills, occupation, skill, essential, source, error);
}

enum collega_status taxonomy_build_broader(struct taxonomy_builder *builder, struct bytes narrower,
                                           struct bytes broader, struct taxonomy_source source,
                                           struct collega_error *error) {
  return relate(builder, &builder->broader, narrower, broader, false, source, error);
}

enum collega_status taxonomy_build_related(struct taxonomy_builder *builder, struct bytes skill,
                                           struct bytes related, struct taxonomy_source source,
                                           struct collega_error *error) {
  if (items(&builder->related, sizeof(struct relation)) >= TAXONOMY_RELATIONS_MOST)
    return too_large(error);
  return relate(builder, &builder->related, skill, related, false, source, error);
}

/* ---- final numbers */

static int compare(uint64_t one, uint64_t other) {
  return (one > other) - (one < other);
}

static int by_kind_and_uri(const void *one, const void *other, void *context) {
  const struct taxonomy_builder *builder = context;
  const struct address *a = address_at(builder, *(const uint32_t *)one);
  const struct address *b = address_at(builder, *(const uint32_t *)other);
  int kind = compare(a->kind, b->kind);
  return kind ? kind : strcmp(text_at(builder, a->uri), text_at(builder, b->uri));
}

static bool number_concepts(struct taxonomy_builder *builder) {
  size_t count = items(&builder->addresses, sizeof(struct address));
  free(builder->order);
  builder->order = calloc(count + 1, sizeof *builder->order);
  if (!builder->order) return false;
  builder->defined = 0;
  for (uint32_t i = 0; i < count; ++i)
    if (address_at(builder, i)->kind != NOT_DEFINED) builder->order[builder->defined++] = i;
  qsort_r(builder->order, builder->defined, sizeof *builder->order, by_kind_and_uri, builder);
  for (uint32_t i = 0; i < builder->defined; ++i)
    address_at(builder, builder->order[i])->number = i;
  return true;
}

/* ---- labels: no text twice in a language, one preferred */

static int by_text(const void *one, const void *other, void *context) {
  const struct label *a = one, *b = other;
  int order = compare(a->concept, b->concept);
  if (!order) order = memcmp(a->language, b->language, sizeof a->language);
  if (!order) order = strcmp(text_at(context, a->text), text_at(context, b->text));
  if (!order) order = compare(b->preferred, a->preferred);
  return order ? order : compare(a->order, b->order);
}

static int by_place(const void *one, const void *other) {
  const struct label *a = one, *b = other;
  int order = compare(a->concept, b->concept);
  if (!order) order = memcmp(a->language, b->language, sizeof a->language);
  if (!order) order = compare(b->preferred, a->preferred);
  return order ? order : compare(a->order, b->order);
}

static bool same_language(const struct label *one, const struct label *other) {
  return one->concept == other->concept &&
         memcmp(one->language, other->language, sizeof one->language) == 0;
}

static void settle_labels(struct taxonomy_builder *builder) {
  struct label *labels = (struct label *)(void *)builder->labels.data;
  size_t count = items(&builder->labels, sizeof *labels), kept = 0;
  if (!count) return;
  for (size_t i = 0; i < count; ++i)
  labels[i].concept = address_at(builder, labels[i].concept)->number;
  qsort_r(labels, count, sizeof *labels, by_text, builder);
  for (size_t i = 0; i < count; ++i) {
    const struct label *last = kept ? &labels[kept - 1] : NULL;
    if (last && same_language(last, &labels[i]) &&
        strcmp(text_at(builder, last->text), text_at(builder, labels[i].text)) == 0)
      continue;
    labels[kept++] = labels[i];
  }
  qsort(labels, kept, sizeof *labels, by_place);
  for (size_t i = 1; i < kept; ++i)
    if (same_language(&labels[i - 1], &labels[i])) labels[i].preferred = 0;
  builder->labels.length = kept * sizeof *labels;
}

/* ---- relations */

static int by_ends(const void *one, const void *other) {
  const struct relation *a = one, *b = other;
  int order = compare(a->from, b->from);
  if (!order) order = compare(a->to, b->to);
  return order ? order : compare(b->essential, a->essential);
}

/* The fields' names in the files, for what is told. */
struct ends {
  uint32_t from_kind, to_kind; /* NOT_DEFINED: any that is defined */
  const char *from, *to;
  enum rule from_rule, to_rule;
};

static bool end_fits(const struct address *address, uint32_t kind) {
  return address->kind != NOT_DEFINED && (kind == NOT_DEFINED || address->kind == kind);
}

/* Relations to what is there, by their ends, each once. */
static void sort_relations(struct buffer *buffer) {
  struct relation *relations = (struct relation *)(void *)buffer->data;
  size_t count = items(buffer, sizeof *relations), kept = 0;
  if (!count) return;
  qsort(relations, count, sizeof *relations, by_ends);
  for (size_t i = 0; i < count; ++i)
    if (!kept || relations[kept - 1].from != relations[i].from ||
        relations[kept - 1].to != relations[i].to)
      relations[kept++] = relations[i];
  buffer->length = kept * sizeof *relations;
}

static void settle_relations(struct taxonomy_builder *builder, struct buffer *buffer,
                             const struct ends *ends, taxonomy_tell tell, void *context) {
  struct relation *relations = (struct relation *)(void *)buffer->data;
  size_t count = items(buffer, sizeof *relations), good = 0;
  if (!count) return;
  for (size_t i = 0; i < count; ++i) {
    struct relation *relation = &relations[i];
    const struct address *from = address_at(builder, relation->from);
    const struct address *to = address_at(builder, relation->to);
    bool from_fits = end_fits(from, ends->from_kind);
    if (!from_fits || !end_fits(to, ends->to_kind)) {
      struct taxonomy_skipped skipped = {from_fits ? ends->to_rule : ends->from_rule,
                                         relation->source, from_fits ? ends->to : ends->from,
                                         text_at(builder, from_fits ? to->uri : from->uri)};
      tell(context, &skipped);
      continue;
    }
    relation->from = from->number;
    relation->to = to->number;
    relations[good++] = *relation;
  }
  buffer->length = good * sizeof *relations;
  sort_relations(buffer);
}

/* Each relation at its other end too. */
static bool mirror_relations(struct buffer *buffer) {
  size_t count = items(buffer, sizeof(struct relation));
  for (size_t i = 0; i < count; ++i) {
    struct relation relation = ((const struct relation *)(const void *)buffer->data)[i];
    uint32_t from = relation.from;
    relation.from = relation.to;
    relation.to = from;
    buffer_append(buffer, &relation, sizeof relation);
  }
  sort_relations(buffer);
  return !buffer->failed;
}

/* ---- the sections, as they go into the file */

struct sections {
  struct file_concept *concepts;
  uint32_t *skills, *broader, *related;
  uint16_t *keys;
  uint32_t key_count;
  uint8_t *closeness;
};

static void sections_free(struct sections *sections) {
  free(sections->concepts);
  free(sections->skills);
  free(sections->broader);
  free(sections->related);
  free(sections->keys);
  free(sections->closeness);
}

static int by_group(const void *one, const void *other, void *context) {
  const struct file_concept *concepts = context;
  uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
  int order = compare(concepts[a].isco, concepts[b].isco);
  return order ? order : compare(a, b);
}

/* Keys by unit group, the group's own before those of its occupations. */
static bool keys_fill(struct sections *sections, uint32_t occupations) {
  struct file_concept *concepts = sections->concepts;
  uint32_t *order = calloc(occupations, sizeof *order);
  sections->keys = calloc((size_t)occupations * 2, sizeof *sections->keys);
  if (!order || !sections->keys) {
    free(order);
    return false;
  }
  for (uint32_t i = 0; i < occupations; ++i)
    order[i] = i;
  qsort_r(order, occupations, sizeof *order, by_group, concepts);
  for (uint32_t i = 0; i < occupations; ++i) {
    struct file_concept *concept = &concepts[order[i]];
    uint16_t isco = (uint16_t) concept->isco;
    if (i == 0 || sections->keys[sections->key_count - 1] != isco)
      sections->keys[sections->key_count++] = isco;
    concept->key = sections->key_count;
    sections->keys[sections->key_count++] = isco;
  }
  free(order);
  size_t square = (size_t)sections->key_count * sections->key_count;
  sections->closeness = malloc(square);
  return sections->closeness != NULL;
}

static uint32_t *ends_of(const struct buffer *buffer) {
  size_t count = items(buffer, sizeof(struct relation));
  const struct relation *relations = (const void *)buffer->data;
  uint32_t *out = calloc(count + 1, sizeof *out);
  for (size_t i = 0; out && i < count; ++i)
    out[i] = relations[i].to | (relations[i].essential ? TAXONOMY_ESSENTIAL : 0u);
  return out;
}

/* Passes over the relations that begin at a concept. */
static uint32_t past(const struct buffer *buffer, uint32_t at, uint32_t concept) {
  const struct relation *relations = (const void *)buffer->data;
  while (at < items(buffer, sizeof *relations) && relations[at].from == concept)
    ++at;
  return at;
}

static bool sections_fill(const struct taxonomy_builder *builder, struct sections *sections) {
  size_t label_count = items(&builder->labels, sizeof(struct label));
  const struct label *labels = (const void *)builder->labels.data;
  sections->concepts = calloc((size_t)builder->defined + 1, sizeof *sections->concepts);
  sections->skills = ends_of(&builder->skills);
  sections->broader = ends_of(&builder->broader);
  sections->related = ends_of(&builder->related);
  if (!sections->concepts || !sections->skills || !sections->broader || !sections->related)
    return false;
  struct file_concept at = {0};
  for (uint32_t i = 0; i <= builder->defined; ++i) {
    struct file_concept *concept = &sections->concepts[i];
    *concept = at;
    if (i == builder->defined) break;
    const struct address *address = address_at(builder, builder->order[i]);
    concept->uri = address->uri;
    concept->isco = address->isco;
    while (at.first_label < label_count && labels[at.first_label].concept == i)
      ++at.first_label;
    at.first_skill = past(&builder->skills, at.first_skill, i);
    at.first_broader = past(&builder->broader, at.first_broader, i);
    at.first_related = past(&builder->related, at.first_related, i);
  }
  return keys_fill(sections, builder->count[TAXONOMY_OCCUPATION]);
}

/* Walks upwards from each concept, without recursion. *found: a relation that leads back to where the walk came from;
 * the number of relations when there is none. */
static bool find_circle(const struct taxonomy_builder *builder, const struct sections *sections,
                        size_t *found) {
  enum { NEW, ON_PATH, DONE };
  size_t none = items(&builder->broader, sizeof(struct relation));
  *found = none;
  uint8_t *state = calloc((size_t)builder->defined + 1, 1);
  uint32_t *path = calloc((size_t)builder->defined + 1, sizeof *path);
  uint32_t *next = calloc((size_t)builder->defined + 1, sizeof *next);
  bool memory = state && path && next;
  for (uint32_t start = 0; memory && start < builder->defined && *found == none; ++start) {
    if (state[start] != NEW) continue;
    size_t depth = 0;
    path[0] = start;
    state[start] = ON_PATH;
    next[start] = sections->concepts[start].first_broader;
    for (;;) {
      uint32_t at = path[depth];
      if (next[at] == sections->concepts[at + 1].first_broader) {
        state[at] = DONE;
        if (depth-- == 0) break;
        continue;
      }
      uint32_t edge = next[at]++, up = sections->broader[edge];
      if (state[up] == ON_PATH) {
        *found = edge;
        break;
      }
      if (state[up] == DONE) continue;
      path[++depth] = up;
      state[up] = ON_PATH;
      next[up] = sections->concepts[up].first_broader;
    }
  }
  free(state);
  free(path);
  free(next);
  return memory;
}

/* ---- the file */

static void section_add(struct buffer *out, struct file_head *head, enum file_section section,
                        const void *data, size_t bytes) {
  static const uint8_t padding[8];
  buffer_append(out, padding, (8 - out->length % 8) % 8);
  head->offset[section] = out->length;
  buffer_append(out, data, bytes);
}

static void labels_add(const struct taxonomy_builder *builder, struct buffer *out,
                       struct file_head *head) {
  const struct label *labels = (const void *)builder->labels.data;
  section_add(out, head, FILE_LABELS, NULL, 0);
  for (size_t i = 0; i < head->labels; ++i) {
    struct file_label label = {.text = labels[i].text,
                               .language = {labels[i].language[0], labels[i].language[1]},
                               .preferred = labels[i].preferred};
    buffer_append(out, &label, sizeof label);
  }
}

static bool file_fill(const struct taxonomy_builder *builder, const struct sections *sections,
                      struct buffer *out) {
  struct file_head head = {.version = FILE_VERSION,
                           .order = FILE_ORDER,
                           .labels = (uint32_t)items(&builder->labels, sizeof(struct label)),
                           .skills = (uint32_t)items(&builder->skills, sizeof(struct relation)),
                           .broader = (uint32_t)items(&builder->broader, sizeof(struct relation)),
                           .related = (uint32_t)items(&builder->related, sizeof(struct relation)),
                           .keys = sections->key_count};
  memcpy(head.magic, FILE_MAGIC, sizeof head.magic);
  memcpy(head.concepts, builder->count, sizeof head.concepts);
  buffer_append(out, &head, sizeof head);
  section_add(out, &head, FILE_CONCEPTS, sections->concepts,
              ((size_t)builder->defined + 1) * sizeof *sections->concepts);
  labels_add(builder, out, &head);
  section_add(out, &head, FILE_SKILLS, sections->skills, head.skills * sizeof *sections->skills);
  section_add(out, &head, FILE_BROADER, sections->broader,
              head.broader * sizeof *sections->broader);
  section_add(out, &head, FILE_RELATED, sections->related,
              head.related * sizeof *sections->related);
  section_add(out, &head, FILE_KEYS, sections->keys, head.keys * sizeof *sections->keys);
  section_add(out, &head, FILE_CLOSENESS, sections->closeness, (size_t)head.keys * head.keys);
  section_add(out, &head, FILE_TEXT, builder->text.data, builder->text.length);
  if (out->failed) return false;
  head.length = out->length;
  memcpy(out->data, &head, sizeof head);
  struct id sum;
  hash_one(&sum, FILE_CHECKSUM_TAG, out->data + FILE_UNCHECKED, out->length - FILE_UNCHECKED);
  memcpy(head.checksum, sum.byte, sizeof head.checksum);
  memcpy(out->data, &head, sizeof head);
  return true;
}

enum collega_status taxonomy_build_finish(struct taxonomy_builder *builder, taxonomy_tell tell,
                                          void *context, struct taxonomy_source *where,
                                          struct buffer *out, struct collega_error *error) {
  static const struct ends skill_ends = {TAXONOMY_OCCUPATION,
                                         TAXONOMY_SKILL,
                                         "occupationUri",
                                         "skillUri",
                                         RULE_taxonomy_occupation_missing,
                                         RULE_taxonomy_skill_missing};
  static const struct ends broader_ends = {NOT_DEFINED,
                                           NOT_DEFINED,
                                           "conceptUri",
                                           "broaderUri",
                                           RULE_taxonomy_concept_missing,
                                           RULE_taxonomy_concept_missing};
  static const struct ends related_ends = {TAXONOMY_SKILL,
                                           TAXONOMY_SKILL,
                                           "originalSkillUri",
                                           "relatedSkillUri",
                                           RULE_taxonomy_skill_missing,
                                           RULE_taxonomy_skill_missing};
  buffer_init(out, 0);
  if (!builder->count[TAXONOMY_OCCUPATION])
    return error_set(error, COLLEGA_INVALID, RULE_taxonomy_no_occupations, NULL, NULL);
  if (!number_concepts(builder)) return no_memory(error);
  settle_labels(builder);
  settle_relations(builder, &builder->skills, &skill_ends, tell, context);
  settle_relations(builder, &builder->broader, &broader_ends, tell, context);
  settle_relations(builder, &builder->related, &related_ends, tell, context);
  if (!mirror_relations(&builder->related)) return no_memory(error);
  struct sections sections = {0};
  enum collega_status status = COLLEGA_OK;
  size_t circle = 0;
  if (!sections_fill(builder, &sections) || !find_circle(builder, &sections, &circle))
    status = no_memory(error);
  if (status == COLLEGA_OK && circle < items(&builder->broader, sizeof(struct relation))) {
    const struct relation *relation =
        (const struct relation *)(const void *)builder->broader.data + circle;
    *where = relation->source;
    status =
        error_set(error, COLLEGA_INVALID, RULE_taxonomy_cycle, "broaderUri",
                  text_at(builder, address_at(builder, builder->order[relation->to])->uri), NULL);
  }
  if (status == COLLEGA_OK &&
      (!taxonomy_closeness_fill(&(struct taxonomy_parts){sections.concepts, builder->defined,
                                                         builder->count[TAXONOMY_OCCUPATION],
                                                         sections.skills, sections.broader,
                                                         sections.keys, sections.key_count},
                                sections.closeness) ||
       !file_fill(builder, &sections, out)))
    status = no_memory(error);
  sections_free(&sections);
  return status;
}
