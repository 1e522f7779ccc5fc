/* Terms under salt: eight sections, eight leaves, one root that the header commits to.
 *
 * A side that shows an agreement may hide sections: salt and content go, the leaf stays, the root
 * is the same. Sixteen random bytes a section keep anybody from guessing what a leaf hides.
 * Sections are unpacked from the bytes that were hashed and never packed again. */
#include "proto/terms.h"

#include <string.h>

#include "proto/check.h"
#include "proto/field.h"
#include "proto/guard.h"
#include "proto/tree.h"

/* Fields of Terms and kinds of section are numbered alike, from 1, without a gap. */
static const ProtobufCFieldDescriptor *section_field(size_t index) {
  return &collega__terms__descriptor.fields[index];
}

static enum collega_status no_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_arena_full, NULL, NULL);
}

static Collega__SaltedTerms *new_salted(struct arena *arena) {
  Collega__SaltedTerms *salted = arena_take(arena, sizeof *salted);
  Collega__Section **list = arena_take(arena, TERMS_SECTIONS * sizeof *list);
  Collega__Section *sections = arena_take(arena, TERMS_SECTIONS * sizeof *sections);
  if (!salted || !list || !sections) return NULL;
  collega__salted_terms__init(salted);
  salted->n_sections = TERMS_SECTIONS;
  salted->sections = list;
  for (size_t i = 0; i < TERMS_SECTIONS; i++) {
    list[i] = &sections[i];
    collega__section__init(list[i]);
    list[i]->kind = (Collega__SectionKind)(i + 1);
  }
  return salted;
}

enum collega_status terms_salt(const Collega__Terms *terms, struct arena *arena,
                               Collega__SaltedTerms **out, struct collega_error *error) {
  enum collega_status status = check_fields(&terms->base, error);
  if (!status) status = check_terms(terms, error);
  if (status) return status;
  Collega__SaltedTerms *salted = new_salted(arena);
  if (!salted) return no_memory(error);
  for (size_t i = 0; i < TERMS_SECTIONS; i++) {
    Collega__Section *section = salted->sections[i];
    uint8_t *salt = arena_take(arena, SHORT_ID_BYTES);
    if (!salt) return no_memory(error);
    random_fill(salt, SHORT_ID_BYTES);
    section->has_salt = 1;
    section->salt = (ProtobufCBinaryData){SHORT_ID_BYTES, salt};
    section->has_content = 1;
    const ProtobufCMessage *content =
        *(const ProtobufCMessage *const *)field_value(&terms->base, section_field(i));
    if (!content) continue;
    struct bytes packed = message_pack(content, arena);
    if (!packed.data) return no_memory(error);
    section->content = (ProtobufCBinaryData){packed.length, (uint8_t *)packed.data};
  }
  status = check_fields(&salted->base,
                        error); /* five hundred persons can be more than a section holds */
  if (!status) *out = salted;
  return status;
}

static enum collega_status check_shape(const Collega__SaltedTerms *salted,
                                       struct collega_error *error) {
  bool in_order = salted->n_sections == TERMS_SECTIONS;
  for (size_t i = 0; i < TERMS_SECTIONS && in_order; i++)
    in_order = salted->sections[i]->kind == (Collega__SectionKind)(i + 1);
  if (!in_order) return error_set(error, COLLEGA_INVALID, RULE_section_order, "sections", NULL);
  enum collega_status status = check_fields(&salted->base, error);
  for (size_t i = 0; i < TERMS_SECTIONS && !status; i++) {
    const Collega__Section *section = salted->sections[i];
    bool shown = section->has_salt && section->has_content && !section->has_leaf;
    bool hidden = !section->has_salt && !section->has_content && section->has_leaf;
    if (!shown && !hidden)
      status = error_set(error, COLLEGA_INVALID, RULE_section_shape, section_field(i)->name, NULL);
  }
  return status;
}

/* check_shape has passed the section. */
static void section_leaf(const Collega__Section *section, struct id *out) {
  if (section->has_leaf) {
    memcpy(out->byte, section->leaf.data, ID_BYTES);
    return;
  }
  static const uint8_t leaf = 0x00;
  struct bytes parts[] = {bytes_of(&leaf, 1), bytes_of(section->salt.data, section->salt.len),
                          bytes_of(section->content.data, section->content.len)};
  hash_parts(out, "", parts, 3);
}

enum collega_status terms_commitment(const Collega__SaltedTerms *salted, struct id *out,
                                     struct collega_error *error) {
  enum collega_status status = check_shape(salted, error);
  if (status) return status;
  struct id leaves[TERMS_SECTIONS];
  for (size_t i = 0; i < TERMS_SECTIONS; i++)
    section_leaf(salted->sections[i], &leaves[i]);
  tree_root(out, leaves, TERMS_SECTIONS);
  return COLLEGA_OK;
}

enum collega_status terms_read(const Collega__SaltedTerms *salted, struct arena *arena,
                               Collega__Terms **out, unsigned *hidden,
                               struct collega_error *error) {
  *hidden = 0;
  enum collega_status status = check_shape(salted, error);
  if (status) return status;
  Collega__Terms *terms = arena_take(arena, sizeof *terms);
  if (!terms) return no_memory(error);
  collega__terms__init(terms);
  for (size_t i = 0; i < TERMS_SECTIONS; i++) {
    const Collega__Section *section = salted->sections[i];
    if (section->has_leaf) *hidden |= 1u << (unsigned)section->kind;
    if (section->has_leaf || !section->content.len) continue;
    const ProtobufCFieldDescriptor *field = section_field(i);
    ProtobufCMessage *content;
    status = guard_unpack(field->descriptor, bytes_of(section->content.data, section->content.len),
                          arena, &content, error);
    if (status) {
      error_prefix(error, field->name);
      return status;
    }
    memcpy((uint8_t *)terms + field->offset, &content, sizeof content);
  }
  status = check_terms(terms, error);
  if (!status) *out = terms;
  return status;
}

enum collega_status terms_hide(const Collega__SaltedTerms *salted, unsigned mask,
                               struct arena *arena, Collega__SaltedTerms **out,
                               struct collega_error *error) {
  enum collega_status status = check_shape(salted, error);
  if (status) return status;
  Collega__SaltedTerms *fresh = new_salted(arena);
  if (!fresh) return no_memory(error);
  for (size_t i = 0; i < TERMS_SECTIONS; i++) {
    const Collega__Section *section = salted->sections[i];
    if (!(mask & (1u << (unsigned)section->kind)) || section->has_leaf) {
      *fresh->sections[i] = *section;
      continue;
    }
    struct id *leaf = arena_take(arena, sizeof *leaf);
    if (!leaf) return no_memory(error);
    section_leaf(section, leaf);
    fresh->sections[i]->has_leaf = 1;
    fresh->sections[i]->leaf = (ProtobufCBinaryData){ID_BYTES, leaf->byte};
  }
  *out = fresh;
  return COLLEGA_OK;
}

enum collega_status terms_mask(const char *names, unsigned *out, struct collega_error *error) {
  unsigned mask = 0;
  for (const char *at = names; *at;) {
    char name[ENUM_TEXT_BYTES];
    size_t length = strcspn(at, ",");
    int kind = 0;
    bool known = length < sizeof name;
    if (known) {
      memcpy(name, at, length);
      name[length] = 0;
      known = enum_from_text(&collega__section_kind__descriptor, name, &kind);
    }
    if (!known) {
      char shown[64] = {0}; /* an argument of an error is short; a name that long is none of ours */
      memcpy(shown, at, length < sizeof shown ? length : sizeof shown - 1);
      return error_set(error, COLLEGA_INVALID, RULE_section_name, NULL, shown, NULL);
    }
    mask |= 1u << (unsigned)kind;
    at += length;
    if (*at == ',' && !*++at)
      return error_set(error, COLLEGA_INVALID, RULE_section_name, NULL, "", NULL);
  }
  *out = mask;
  return COLLEGA_OK;
}
