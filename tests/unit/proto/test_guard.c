/* The guard against bytes that no honest node sends. */
#include "filler.h"

#include "base/words.h"
#include "proto/check.h"
#include "proto/guard.h"
#include "proto/limits.h"
#include "proto/mail.pb-c.h"
#include "proto/proof.pb-c.h"

/* ---- writing raw protobuf */

static void put_varint(struct buffer *buffer, uint64_t value) {
  uint8_t byte;
  do {
    byte = (uint8_t)(value & 0x7f);
    value >>= 7;
    if (value) byte |= 0x80;
    buffer_append(buffer, &byte, 1);
  } while (value);
}

static void put_number(struct buffer *buffer, uint32_t field, uint64_t value) {
  put_varint(buffer, (uint64_t)field << 3);
  put_varint(buffer, value);
}

static void put_bytes(struct buffer *buffer, uint32_t field, const void *data, size_t length) {
  put_varint(buffer, (uint64_t)field << 3 | 2);
  put_varint(buffer, length);
  buffer_append(buffer, data, length);
}

static struct bytes bytes_in(const struct buffer *buffer) {
  assert_false(buffer->failed);
  return bytes_of(buffer->data, buffer->length);
}

struct world {
  struct arena *arena;
  struct buffer buffer;
  struct collega_error error;
};

static int set_up(void **state) {
  struct world *world = test_calloc(1, sizeof *world);
  world->arena = arena_new(64 * 1024, LIMIT_ARENA_BYTES);
  buffer_init(&world->buffer, 0);
  *state = world;
  return 0;
}

static int tear_down(void **state) {
  struct world *world = *state;
  arena_destroy(&world->arena);
  buffer_free(&world->buffer);
  test_free(world);
  return 0;
}

static enum collega_status walk(struct world *world, const ProtobufCMessageDescriptor *type) {
  error_clear(&world->error);
  return guard_walk(type, bytes_in(&world->buffer), &world->error);
}

/* ---- every message of the schema passes as it is packed */

static void passes_every_message_of_the_schema_unchanged(void **state) {
  struct world *world = *state;
  const struct message_rules *rules;
  for (size_t i = 0; (rules = rules_at(i)); i++) {
    assert_ptr_equal(rules_of(rules->type), rules);
    for (unsigned variant = 0; variant < 12; variant++) {
      arena_reset(world->arena);
      ProtobufCMessage *message = variant < 6 ? fill(rules->type, variant, world->arena)
                                              : fill_least(rules->type, variant, world->arena);
      struct bytes packed = message_pack(message, world->arena);
      assert_non_null(packed.data);
      ProtobufCMessage *read = NULL;
      enum collega_status status =
          guard_unpack(rules->type, packed, world->arena, &read, &world->error);
      if (status)
        fail_msg("%s: %s at %s", rules->type->name, rule_name(world->error.rule),
                 world->error.field);
      assert_true(bytes_equal(packed, message_pack(read, world->arena)));
    }
  }
}

/* ---- what comes out is what protobuf-c reads */

/* True when the guard passed the bytes; then both readings pack to the same bytes. */
static bool reads_alike(struct world *world, const ProtobufCMessageDescriptor *type,
                        struct bytes bytes) {
  ProtobufCMessage *read = NULL, *borrowing = NULL;
  arena_reset(world->arena);
  enum collega_status status = guard_unpack(type, bytes, world->arena, &read, &world->error);
  assert_int_equal(guard_walk(type, bytes, NULL), status);
  assert_int_equal(guard_unpack_borrowing(type, bytes, world->arena, &borrowing, NULL), status);
  if (status) return false;
  ProtobufCMessage *theirs = protobuf_c_message_unpack(type, NULL, bytes.length, bytes.data);
  assert_non_null(theirs);
  assert_int_equal(check_fields(theirs, &world->error), COLLEGA_OK);
  struct bytes packed = message_pack(theirs, world->arena);
  assert_true(bytes_equal(packed, message_pack(read, world->arena)));
  assert_true(bytes_equal(packed, message_pack(borrowing, world->arena)));
  protobuf_c_message_free_unpacked(theirs, NULL);
  return true;
}

/* The same numbers on every run. */
static uint32_t next_random(uint32_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;
  return *state;
}

static void reads_what_protobuf_c_reads_however_it_was_changed(void **state) {
  struct world *world = *state;
  struct arena *arena = arena_new(64 * 1024, LIMIT_ARENA_BYTES);
  const struct message_rules *rules;
  uint32_t seed = 20260101;
  size_t passed = 0;
  for (size_t i = 0; (rules = rules_at(i)); i++) {
    for (unsigned variant = 0; variant < 6; variant++) {
      arena_reset(arena);
      struct bytes packed = message_pack(fill(rules->type, variant, arena), arena);
      if (packed.length > 20000) continue; /* the parts of large ones are types of their own */
      assert_true(reads_alike(world, rules->type, packed));
      uint8_t *copy = test_malloc(packed.length + 1);
      for (unsigned turn = 0; packed.length && turn < 40; turn++) {
        memcpy(copy, packed.data, packed.length);
        size_t at = next_random(&seed) % packed.length, length = packed.length;
        if (turn % 4 == 3)
          length = at;
        else
          copy[at] ^= (uint8_t)(turn % 4 == 2 ? 1u << turn % 8 : next_random(&seed));
        passed += reads_alike(world, rules->type, bytes_of(copy, length));
      }
      test_free(copy);
    }
  }
  assert_true(passed > 1000);
  arena_destroy(&arena);
}

/* Items of two repeated fields in turns, so that no two of a field follow on each other. */
static void reads_repeated_fields_that_stand_scattered(void **state) {
  struct world *world = *state;
  struct buffer both;
  buffer_init(&both, 0);
  static const uint8_t id[32] = {1, 2, 3};
  put_bytes(&both, 1, "1234567890123456789012345678901", 32);
  put_number(&both, 2, 0);
  put_number(&both, 3, 3000);
  put_bytes(&both, 4, "123456789012345678901234567890123456789012345678901234567890123", 64);
  for (uint32_t i = 0; i < 1500; i++) { /* Run.leaves, Run.bodies, Run.rest */
    put_number(&both, 5, 2 * i);
    put_bytes(&both, 7, &i, 2 + i % 3);
    put_bytes(&both, 6, id, sizeof id);
  }
  assert_true(reads_alike(world, &collega__run__descriptor, bytes_in(&both)));
  buffer_free(&both);
}

static void knows_no_message_of_another_schema(void **state) {
  (void)state;
  ProtobufCMessageDescriptor other = collega__run__descriptor;
  assert_null(rules_of(&other)); /* the same name is not enough */
}

/* ---- what costs memory or time */

static void refuses_a_megabyte_of_empty_submessages(void **state) {
  struct world *world = *state;
  while (world->buffer.length < LIMIT_FRAME_BYTES)
    put_bytes(&world->buffer, 5, "", 0); /* Offer.skills, each without its label */
  assert_refused(walk(world, &collega__offer__descriptor), &world->error, required,
                 "skills[0].label");
}

static void refuses_a_megabyte_of_empty_texts_by_their_count(void **state) {
  struct world *world = *state;
  while (world->buffer.length < LIMIT_FRAME_BYTES)
    put_bytes(&world->buffer, 5, "", 0); /* Refusal.arguments, which may be empty */
  assert_refused(walk(world, &collega__refusal__descriptor), &world->error, too_many, "arguments");
  assert_string_equal(world->error.argument[0], "4");
}

static void refuses_too_many_submessages_without_unpacking_them(void **state) {
  struct world *world = *state;
  /* Tombstones that are valid in themselves, 24 bytes each: the 4,097th is one too many. */
  struct buffer one;
  buffer_init(&one, 0);
  put_bytes(&one, 1, "0123456789abcdef", 16);
  put_number(&one, 2, 1);
  for (size_t i = 0; i < 4097; i++)
    put_bytes(&world->buffer, 6, one.data, one.length);
  buffer_free(&one);
  assert_refused(walk(world, &collega__board__descriptor), &world->error, too_many, "tombstones");
  assert_string_equal(world->error.argument[0], "4096");
}

static void refuses_a_singular_field_given_twice(void **state) {
  struct world *world = *state;
  /* Empty Filters would be merged by protobuf-c, each at the cost of all before it. */
  while (world->buffer.length < LIMIT_FRAME_BYTES)
    put_bytes(&world->buffer, 2, "", 0);
  assert_refused(walk(world, &collega__follow__descriptor), &world->error, wire_repeated, "filter");
  world->buffer.length = 0;
  put_number(&world->buffer, 1, 1);
  put_number(&world->buffer, 1, 1);
  assert_refused(walk(world, &collega__ping__descriptor), &world->error, wire_repeated, "number");
}

static void refuses_nesting_that_the_schema_does_not_have(void **state) {
  struct world *world = *state;
  /* 34 KB of messages in messages, as once crashed protobuf-c: field 1 within field 1 within ... */
  struct buffer inner;
  buffer_init(&inner, 0);
  for (size_t i = 0; i < 8500; i++) {
    world->buffer.length = 0;
    put_bytes(&world->buffer, 1, inner.data, inner.length > 34000 ? 34000 : inner.length);
    struct buffer swap = inner;
    inner = world->buffer;
    world->buffer = swap;
  }
  error_clear(&world->error);
  assert_int_equal(guard_walk(&collega__to_broker__descriptor, bytes_in(&inner), &world->error),
                   COLLEGA_INVALID);
  buffer_free(&inner);
}

static void passes_the_deepest_message_of_the_schema(void **state) {
  struct world *world = *state;
  /* A schema deeper than LIMIT_DEPTH fails the build (test_rules.py). */
  ProtobufCMessage *message = fill(&collega__proof__descriptor, 1, world->arena);
  struct bytes packed = message_pack(message, world->arena);
  assert_int_equal(guard_walk(&collega__proof__descriptor, packed, &world->error), COLLEGA_OK);
}

static void unpacks_into_no_more_than_the_arena_allows(void **state) {
  struct world *world = *state;
  ProtobufCMessage *message = fill(&collega__to_broker__descriptor, 2, world->arena);
  struct bytes packed = message_pack(message, world->arena);
  struct arena *small = arena_new(1024, 2048);
  ProtobufCMessage *read = message;
  enum collega_status status =
      guard_unpack(&collega__to_broker__descriptor, packed, small, &read, &world->error);
  assert_int_equal(status, COLLEGA_FULL);
  assert_string_equal(rule_name(world->error.rule), "arena_full");
  assert_null(read);
  assert_true(arena_used(small) <= 2048);
  arena_destroy(&small);
}

static void packs_nothing_when_the_arena_is_exhausted(void **state) {
  struct world *world = *state;
  ProtobufCMessage *message = fill(&collega__to_broker__descriptor, 2, world->arena);
  struct arena *small = arena_new(256, 256);
  assert_null(message_pack(message, small).data);
  arena_destroy(&small);
}

/* ---- bytes that are broken */

static void survives_a_frame_cut_at_every_byte(void **state) {
  struct world *world = *state;
  for (unsigned variant = 0; variant < 2; variant++) {
    arena_reset(world->arena);
    ProtobufCMessage *message = fill(&collega__from_broker__descriptor, variant, world->arena);
    struct bytes packed = message_pack(message, world->arena);
    size_t refused = 0;
    for (size_t length = 0; length < packed.length; length++) {
      /* A copy of that size, so that a sanitizer sees any step past its end. */
      uint8_t *copy = test_malloc(length + 1);
      memcpy(copy, packed.data, length);
      struct bytes cut = bytes_of(copy, length);
      refused += guard_walk(&collega__from_broker__descriptor, cut, &world->error) != COLLEGA_OK;
      test_free(copy);
    }
    /* All of its fields are optional, so it stays whole only where it was cut between them. */
    assert_true(refused >= packed.length - collega__from_broker__descriptor.n_fields);
  }
}

static void survives_every_byte_changed(void **state) {
  struct world *world = *state;
  ProtobufCMessage *message = fill(&collega__letter__descriptor, 1, world->arena);
  struct bytes packed = message_pack(message, world->arena);
  uint8_t *copy = test_malloc(packed.length);
  static const uint8_t changes[] = {0x01, 0x80, 0xff, 0x07};
  struct arena *arena = arena_new(64 * 1024, LIMIT_ARENA_BYTES);
  for (size_t i = 0; i < packed.length; i++) {
    for (size_t change = 0; change < sizeof changes; change++) {
      memcpy(copy, packed.data, packed.length);
      copy[i] ^= changes[change];
      arena_reset(arena);
      ProtobufCMessage *read;
      struct bytes changed = bytes_of(copy, packed.length);
      if (guard_unpack(&collega__letter__descriptor, changed, arena, &read, &world->error))
        continue;
      /* What passes is exactly what was read: nothing was ignored. */
      assert_int_equal(protobuf_c_message_get_packed_size(read), packed.length);
    }
  }
  arena_destroy(&arena);
  test_free(copy);
}

static void refuses_a_length_past_the_end(void **state) {
  struct world *world = *state;
  put_varint(&world->buffer, 1 << 3 | 2);
  put_varint(&world->buffer, UINT64_C(0xffffffffffffffff));
  buffer_append(&world->buffer, "abc", 3);
  assert_refused(walk(world, &collega__to_broker__descriptor), &world->error, wire_truncated,
                 "hello");
}

static void refuses_unknown_fields_wherever_they_stand(void **state) {
  struct world *world = *state;
  put_number(&world->buffer, 12, 1);
  assert_refused(walk(world, &collega__to_broker__descriptor), &world->error, wire_unknown_field,
                 "");
  assert_string_equal(world->error.argument[0], "12");
  assert_string_equal(world->error.argument[1], "ToBroker");
  world->buffer.length = 0;
  put_bytes(&world->buffer, 10, "\x08\x01\x10\x01", 4); /* Ping{number: 1, field 2} */
  assert_refused(walk(world, &collega__to_broker__descriptor), &world->error, wire_unknown_field,
                 "ping");
  world->buffer.length = 0;
  put_number(&world->buffer, 6, 1); /* a gap: Body has fields 5 and 10 */
  assert_refused(walk(world, &collega__body__descriptor), &world->error, wire_unknown_field, "");
}

static void refuses_field_number_zero_and_huge_ones(void **state) {
  struct world *world = *state;
  put_number(&world->buffer, 0, 1);
  assert_refused(walk(world, &collega__ping__descriptor), &world->error, wire_unknown_field, "");
  world->buffer.length = 0;
  put_varint(&world->buffer, UINT64_C(0xfffffffffffffff8));
  put_varint(&world->buffer, 1);
  assert_refused(walk(world, &collega__ping__descriptor), &world->error, wire_unknown_field, "");
  world->buffer.length = 0;
  put_varint(&world->buffer, UINT64_C(1) << 35 | 1 << 3); /* number 1 in the lower 32 bits */
  put_varint(&world->buffer, 1);
  assert_refused(walk(world, &collega__ping__descriptor), &world->error, wire_unknown_field, "");
}

static void refuses_wrong_wire_types_and_groups(void **state) {
  struct world *world = *state;
  for (uint8_t wire = 1; wire < 8; wire++) {
    world->buffer.length = 0;
    put_varint(&world->buffer, UINT64_C(1) << 3 | wire); /* Ping.number is a varint */
    buffer_append(&world->buffer, "\x01\x01\x01\x01\x01\x01\x01\x01", 8);
    assert_refused(walk(world, &collega__ping__descriptor), &world->error, wire_type, "number");
  }
  static const uint8_t wrong[] = {0, 1, 3, 4, 5, 6, 7};
  for (size_t i = 0; i < sizeof wrong; i++) {
    world->buffer.length = 0;
    put_varint(&world->buffer, UINT64_C(1) << 3 | wrong[i]); /* ToBroker.hello is a message */
    buffer_append(&world->buffer, "\x01\x01\x01\x01\x01\x01\x01\x01", 8);
    assert_refused(walk(world, &collega__to_broker__descriptor), &world->error, wire_type, "hello");
  }
}

static void refuses_varints_that_are_longer_than_they_need(void **state) {
  struct world *world = *state;
  static const struct {
    const char *bytes;
    size_t length;
    enum rule rule;
  } cases[] = {
      {"\x08\x81\x00", 3, RULE_wire_varint},                                  /* 1 in two bytes */
      {"\x88\x00\x01", 3, RULE_wire_varint},                                  /* the tag in two */
      {"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02", 11, RULE_wire_varint}, /* bit 64 */
      {"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12, RULE_wire_varint}, /* eleven bytes */
      {"\x08\x80", 2, RULE_wire_truncated},
      {"\x08", 1, RULE_wire_truncated},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct bytes bytes = bytes_of(cases[i].bytes, cases[i].length);
    assert_int_equal(guard_walk(&collega__ping__descriptor, bytes, &world->error), COLLEGA_INVALID);
    assert_int_equal(world->error.rule, cases[i].rule);
  }
}

/* ---- values that unpacking would change without a word */

static void refuses_a_truth_other_than_0_and_1(void **state) {
  struct world *world = *state;
  put_number(&world->buffer, 8, 2);
  assert_refused(walk(world, &collega__run__descriptor), &world->error, form_flag, "recovery");
}

static void refuses_enum_values_the_schema_does_not_name(void **state) {
  struct world *world = *state;
  static const uint64_t values[] = {0, 5, 99, UINT64_C(1) << 32 | 1, UINT64_MAX};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    world->buffer.length = 0;
    put_number(&world->buffer, 1, values[i]);
    assert_refused(walk(world, &collega__offer__descriptor), &world->error, form_enum, "kind");
  }
  world->buffer.length = 0;
  put_number(&world->buffer, 3, 5); /* OfferStatus.state: `expired` is never on the wire */
  assert_refused(walk(world, &collega__offer_status__descriptor), &world->error, form_enum,
                 "state");
}

static void refuses_numbers_with_more_bits_than_their_field(void **state) {
  struct world *world = *state;
  put_number(&world->buffer, 9, UINT64_C(1) << 32 | 12); /* headcount 12, once truncated */
  assert_refused(walk(world, &collega__offer__descriptor), &world->error, range, "headcount");
  world->buffer.length = 0;
  put_number(&world->buffer, 1, UINT32_MAX); /* -1 in 32 bits, as no protobuf encoder writes it */
  assert_refused(walk(world, &collega__period__descriptor), &world->error, range, "from");
}

static void leaves_negative_numbers_to_their_range(void **state) {
  struct world *world = *state;
  put_number(&world->buffer, 1, UINT64_MAX); /* -1 in ten bytes is well formed, but no date */
  assert_refused(walk(world, &collega__period__descriptor), &world->error, form_date, "from");
  ProtobufCMessage *read;
  enum collega_status status = guard_unpack(&collega__period__descriptor, bytes_in(&world->buffer),
                                            world->arena, &read, &world->error);
  assert_refused(status, &world->error, form_date, "from");
}

static void refuses_a_text_that_hides_behind_a_nul(void **state) {
  struct world *world = *state;
  put_bytes(&world->buffer, 2, "twelve\0hidden", 13);
  assert_refused(walk(world, &collega__offer__descriptor), &world->error, text_nul, "title");
}

static void counts_repeated_numbers_packed_and_unpacked_alike(void **state) {
  struct world *world = *state;
  struct buffer packed;
  buffer_init(&packed, 0);
  for (unsigned i = 0; i < 4096; i++)
    put_varint(&packed, i & 1);
  put_bytes(&world->buffer, 5, packed.data, packed.length);
  put_number(&world->buffer, 5, 1); /* one more, unpacked */
  assert_refused(walk(world, &collega__run__descriptor), &world->error, too_many, "leaves");
  assert_string_equal(world->error.argument[0], "4096");

  world->buffer.length = 0;
  put_varint(&packed, 1);
  put_bytes(&world->buffer, 5, packed.data, packed.length);
  assert_refused(walk(world, &collega__run__descriptor), &world->error, too_many, "leaves");
  buffer_free(&packed);

  world->buffer.length = 0; /* kinds: at most four, packed or not */
  put_bytes(&world->buffer, 1, "\x01\x02", 2);
  put_number(&world->buffer, 1, 3);
  ProtobufCMessage *read;
  assert_int_equal(guard_unpack(&collega__filter__descriptor, bytes_in(&world->buffer),
                                world->arena, &read, &world->error),
                   COLLEGA_OK);
  assert_int_equal(((Collega__Filter *)read)->n_kinds, 3);
  assert_int_equal(((Collega__Filter *)read)->kinds[2], 3);

  world->buffer.length = 0;
  put_bytes(&world->buffer, 1, "\x01\x09", 2);
  assert_refused(walk(world, &collega__filter__descriptor), &world->error, form_enum, "kinds[0]");
  world->buffer.length = 0;
  put_bytes(&world->buffer, 1, "\x01\x82", 2);
  assert_refused(walk(world, &collega__filter__descriptor), &world->error, wire_truncated,
                 "kinds[0]");
}

/* ---- what is missing, and where */

static void names_the_missing_field_with_its_path(void **state) {
  struct world *world = *state;
  assert_refused(guard_walk(&collega__ping__descriptor, bytes_of(NULL, 0), &world->error),
                 &world->error, required, "number");
  put_bytes(&world->buffer, 10, "", 0);
  assert_refused(walk(world, &collega__to_broker__descriptor), &world->error, required,
                 "ping.number");
  world->buffer.length = 0;
  put_bytes(&world->buffer, 5, "\x0a\x01x", 3); /* skills[0] is whole */
  put_bytes(&world->buffer, 5, "", 0);
  assert_refused(walk(world, &collega__offer__descriptor), &world->error, required,
                 "skills[1].label");
}

static void refuses_repeated_fields_with_too_few_items(void **state) {
  struct world *world = *state;
  Collega__Proof *proof =
      (Collega__Proof *)fill_least(&collega__proof__descriptor, 0, world->arena);
  proof->n_members = 2;
  struct bytes packed = message_pack(&proof->base, world->arena);
  assert_refused(guard_walk(&collega__proof__descriptor, packed, &world->error), &world->error,
                 too_few, "members");
  proof->n_members = 0;
  packed = message_pack(&proof->base, world->arena);
  assert_refused(guard_walk(&collega__proof__descriptor, packed, &world->error), &world->error,
                 required, "members");
}

static void refuses_bytes_of_the_wrong_length(void **state) {
  struct world *world = *state;
  put_bytes(&world->buffer, 1, "short", 5);
  assert_refused(walk(world, &collega__cursor__descriptor), &world->error, bytes_length, "origin");
  assert_string_equal(world->error.argument[0], "32");
}

static void works_without_an_error_to_fill(void **state) {
  struct world *world = *state;
  put_bytes(&world->buffer, 5, "", 0);
  assert_int_equal(guard_walk(&collega__offer__descriptor, bytes_in(&world->buffer), NULL),
                   COLLEGA_INVALID);
  world->buffer.length = 0;
  put_number(&world->buffer, 1, 99);
  assert_int_equal(guard_walk(&collega__offer__descriptor, bytes_in(&world->buffer), NULL),
                   COLLEGA_INVALID);
}

/* The table has the compiler's offsets, protobuf-c's descriptors those of its generator. */
static void keeps_every_field_where_protobuf_c_does(void **state) {
  const struct message_rules *rules;
  (void)state;
  for (size_t i = 0; (rules = rules_at(i)); i++)
    for (uint32_t j = 0; j < rules->count; j++) {
      const struct field_rule *rule = &rules->fields[j];
      const ProtobufCFieldDescriptor *field = &rules->type->fields[j];
      bool by_pointer =
          field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE;
      bool counted = field->label == PROTOBUF_C_LABEL_REPEATED ||
                     (field->label == PROTOBUF_C_LABEL_OPTIONAL && !by_pointer);
      assert_int_equal(rule->offset, field->offset);
      assert_int_equal(rule->counter, counted ? field->quantifier_offset : 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(passes_every_message_of_the_schema_unchanged),
      TEST(keeps_every_field_where_protobuf_c_does),
      TEST(reads_what_protobuf_c_reads_however_it_was_changed),
      TEST(reads_repeated_fields_that_stand_scattered),
      TEST(knows_no_message_of_another_schema),
      TEST(refuses_a_megabyte_of_empty_submessages),
      TEST(refuses_a_megabyte_of_empty_texts_by_their_count),
      TEST(refuses_too_many_submessages_without_unpacking_them),
      TEST(refuses_a_singular_field_given_twice),
      TEST(refuses_nesting_that_the_schema_does_not_have),
      TEST(passes_the_deepest_message_of_the_schema),
      TEST(unpacks_into_no_more_than_the_arena_allows),
      TEST(packs_nothing_when_the_arena_is_exhausted),
      TEST(survives_a_frame_cut_at_every_byte),
      TEST(survives_every_byte_changed),
      TEST(refuses_a_length_past_the_end),
      TEST(refuses_unknown_fields_wherever_they_stand),
      TEST(refuses_field_number_zero_and_huge_ones),
      TEST(refuses_wrong_wire_types_and_groups),
      TEST(refuses_varints_that_are_longer_than_they_need),
      TEST(refuses_a_truth_other_than_0_and_1),
      TEST(refuses_enum_values_the_schema_does_not_name),
      TEST(refuses_numbers_with_more_bits_than_their_field),
      TEST(leaves_negative_numbers_to_their_range),
      TEST(refuses_a_text_that_hides_behind_a_nul),
      TEST(counts_repeated_numbers_packed_and_unpacked_alike),
      TEST(names_the_missing_field_with_its_path),
      TEST(refuses_repeated_fields_with_too_few_items),
      TEST(refuses_bytes_of_the_wrong_length),
      TEST(works_without_an_error_to_fill),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
