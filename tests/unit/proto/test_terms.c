/* Salted terms: the commitment, hiding sections, reading what is shown. */
#include "filler.h"

#include "base/words.h"
#include "proto/guard.h"
#include "proto/limits.h"
#include "proto/terms.h"
#include "proto/tree.h"

struct world {
  struct arena *arena;
  Collega__Terms *terms;
  Collega__SaltedTerms *salted;
  struct collega_error error;
};

static int set_up(void **state) {
  struct world *world = test_calloc(1, sizeof *world);
  world->arena = arena_new(64 * 1024, LIMIT_ARENA_BYTES);
  world->terms = (Collega__Terms *)fill(&collega__terms__descriptor, 1, world->arena);
  world->terms->persons->n_persons = 1;
  world->terms->contact = NULL; /* seven sections of the eight */
  assert_int_equal(terms_salt(world->terms, world->arena, &world->salted, &world->error),
                   COLLEGA_OK);
  *state = world;
  return 0;
}

static int tear_down(void **state) {
  struct world *world = *state;
  arena_destroy(&world->arena);
  test_free(world);
  return 0;
}

static struct id commitment(struct world *world, const Collega__SaltedTerms *salted) {
  struct id root;
  assert_int_equal(terms_commitment(salted, &root, &world->error), COLLEGA_OK);
  return root;
}

static void salted_terms_are_read_as_they_were_written(void **state) {
  struct world *world = *state;
  Collega__Terms *read;
  unsigned hidden = 99;
  assert_int_equal(terms_read(world->salted, world->arena, &read, &hidden, &world->error),
                   COLLEGA_OK);
  assert_int_equal(hidden, 0);
  assert_null(read->contact);
  assert_true(bytes_equal(message_pack(&read->base, world->arena),
                          message_pack(&world->terms->base, world->arena)));
}

static void the_commitment_is_the_tree_of_salt_and_bytes(void **state) {
  struct world *world = *state;
  struct id leaves[TERMS_SECTIONS], root;
  for (size_t i = 0; i < TERMS_SECTIONS; i++) {
    const Collega__Section *section = world->salted->sections[i];
    uint8_t datum[16 + 8192];
    assert_true(section->content.len <= 8192);
    memcpy(datum, section->salt.data, 16);
    if (section->content.len) memcpy(datum + 16, section->content.data, section->content.len);
    tree_leaf(&leaves[i], datum, 16 + section->content.len);
  }
  tree_root(&root, leaves, TERMS_SECTIONS);
  struct id found = commitment(world, world->salted);
  assert_true(id_equal(&root, &found));
}

static void equal_terms_have_unequal_salts_and_commitments(void **state) {
  struct world *world = *state;
  Collega__SaltedTerms *other;
  assert_int_equal(terms_salt(world->terms, world->arena, &other, &world->error), COLLEGA_OK);
  struct id one = commitment(world, world->salted), two = commitment(world, other);
  assert_false(id_equal(&one, &two));
  for (size_t i = 0; i < TERMS_SECTIONS; i++)
    for (size_t j = 0; j < TERMS_SECTIONS; j++)
      assert_memory_not_equal(world->salted->sections[i]->salt.data, other->sections[j]->salt.data,
                              16);
}

static void any_hidden_sections_leave_the_commitment(void **state) {
  struct world *world = *state;
  struct id root = commitment(world, world->salted);
  for (unsigned choice = 0; choice < 256; choice++) {
    Collega__SaltedTerms *hidden;
    unsigned mask = choice << 1, found;
    assert_int_equal(terms_hide(world->salted, mask, world->arena, &hidden, &world->error),
                     COLLEGA_OK);
    struct id same = commitment(world, hidden);
    assert_true(id_equal(&root, &same));
    /* Over the wire, and read there. */
    ProtobufCMessage *travelled;
    struct bytes packed = message_pack(&hidden->base, world->arena);
    assert_int_equal(guard_unpack(&collega__salted_terms__descriptor, packed, world->arena,
                                  &travelled, &world->error),
                     COLLEGA_OK);
    Collega__Terms *read;
    assert_int_equal(
        terms_read((Collega__SaltedTerms *)travelled, world->arena, &read, &found, &world->error),
        COLLEGA_OK);
    assert_int_equal(found, mask);
    assert_int_equal(read->rates == NULL, (mask >> COLLEGA__SECTION_KIND__SECTION_KIND_RATES) & 1);
    assert_int_equal(read->work == NULL, (mask >> COLLEGA__SECTION_KIND__SECTION_KIND_WORK) & 1);
    same = commitment(world, (Collega__SaltedTerms *)travelled);
    assert_true(id_equal(&root, &same));
  }
}

static void what_is_hidden_stays_hidden(void **state) {
  struct world *world = *state;
  Collega__SaltedTerms *once, *twice;
  unsigned hidden;
  Collega__Terms *read;
  assert_int_equal(terms_hide(world->salted, 1u << 3, world->arena, &once, &world->error),
                   COLLEGA_OK);
  assert_false(once->sections[2]->has_salt || once->sections[2]->has_content);
  assert_int_equal(terms_hide(once, 1u << 3 | 1u << 8, world->arena, &twice, &world->error),
                   COLLEGA_OK);
  assert_int_equal(terms_read(twice, world->arena, &read, &hidden, &world->error), COLLEGA_OK);
  assert_int_equal(hidden, 1u << 3 | 1u << 8);
  struct id one = commitment(world, world->salted), two = commitment(world, twice);
  assert_true(id_equal(&one, &two));
}

static void every_changed_bit_changes_the_commitment(void **state) {
  struct world *world = *state;
  struct id root = commitment(world, world->salted);
  for (size_t i = 0; i < TERMS_SECTIONS; i++) {
    Collega__Section *section = world->salted->sections[i];
    for (size_t at = 0; at < section->content.len; at += 7) {
      section->content.data[at] ^= 1;
      struct id other = commitment(world, world->salted);
      assert_false(id_equal(&root, &other));
      section->content.data[at] ^= 1;
    }
    section->salt.data[3] ^= 0x40;
    struct id other = commitment(world, world->salted);
    assert_false(id_equal(&root, &other));
    section->salt.data[3] ^= 0x40;
  }
}

static void sections_stand_in_order_and_in_one_of_two_shapes(void **state) {
  struct world *world = *state;
  struct id root;
  Collega__Section **sections = world->salted->sections;
  sections[0]->kind = COLLEGA__SECTION_KIND__SECTION_KIND_PLACE;
  assert_refused(terms_commitment(world->salted, &root, &world->error), &world->error,
                 section_order, "sections");
  sections[0]->kind = COLLEGA__SECTION_KIND__SECTION_KIND_WORK;
  sections[2]->has_salt = 0;
  assert_refused(terms_commitment(world->salted, &root, &world->error), &world->error,
                 section_shape, "rates");
  sections[2]->has_salt = 1;
  sections[2]->has_leaf = 1;
  uint8_t leaf[32] = {0};
  sections[2]->leaf = (ProtobufCBinaryData){32, leaf};
  assert_refused(terms_commitment(world->salted, &root, &world->error), &world->error,
                 section_shape, "rates");
  sections[2]->has_leaf = 0;
  world->salted->n_sections = 7;
  assert_refused(terms_commitment(world->salted, &root, &world->error), &world->error,
                 section_order, "sections");
}

static void a_shown_section_is_guarded_and_checked(void **state) {
  struct world *world = *state;
  Collega__Terms *read;
  unsigned hidden;
  Collega__Section *note = world->salted->sections[7];
  uint8_t bad[] = {0x10, 0x01};
  note->content = (ProtobufCBinaryData){2, bad};
  assert_refused(terms_read(world->salted, world->arena, &read, &hidden, &world->error),
                 &world->error, wire_unknown_field, "note");
  uint8_t bsn[] = "\x0a\x09"
                  "111222333";
  note->content = (ProtobufCBinaryData){11, bsn};
  assert_refused(terms_read(world->salted, world->arena, &read, &hidden, &world->error),
                 &world->error, bsn_forbidden, "note.text");
}

static void terms_that_break_a_rule_are_not_salted(void **state) {
  struct world *world = *state;
  Collega__SaltedTerms *out;
  world->terms->work->until = world->terms->work->from - 1;
  assert_refused(terms_salt(world->terms, world->arena, &out, &world->error), &world->error,
                 order_of_dates, "work.until");
  world->terms->work->headcount = 0;
  assert_refused(terms_salt(world->terms, world->arena, &out, &world->error), &world->error, range,
                 "work.headcount");
}

static void section_names_make_a_mask(void **state) {
  struct world *world = *state;
  unsigned mask = 99;
  assert_int_equal(terms_mask("", &mask, &world->error), COLLEGA_OK);
  assert_int_equal(mask, 0);
  assert_int_equal(terms_mask("rates,persons", &mask, &world->error), COLLEGA_OK);
  assert_int_equal(mask, 1u << 3 | 1u << 4);
  assert_int_equal(
      terms_mask("work,place,rates,persons,contact,rules,ending,note", &mask, &world->error),
      COLLEGA_OK);
  assert_int_equal(mask, 0x1fe);
  static const char *const wrong[] = {
      "rate",
      "rates,",
      ",rates",
      "rates, persons",
      "RATES",
      "rates,,note",
      "averyveryveryveryveryveryverylongnamethatisnosectionatallandgoeson"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    assert_refused(terms_mask(wrong[i], &mask, &world->error), &world->error, section_name, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
  if (bytes_start(NULL)) return 1;
  const struct CMUnitTest tests[] = {
      TEST(salted_terms_are_read_as_they_were_written),
      TEST(the_commitment_is_the_tree_of_salt_and_bytes),
      TEST(equal_terms_have_unequal_salts_and_commitments),
      TEST(any_hidden_sections_leave_the_commitment),
      TEST(what_is_hidden_stays_hidden),
      TEST(every_changed_bit_changes_the_commitment),
      TEST(sections_stand_in_order_and_in_one_of_two_shapes),
      TEST(a_shown_section_is_guarded_and_checked),
      TEST(terms_that_break_a_rule_are_not_salted),
      TEST(section_names_make_a_mask),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
