/* The guard: what stands between a stranger's bytes and our memory.
 *
 * protobuf-c's own unpacking believes what it reads: a megabyte of empty submessages becomes a hundred
 * megabytes of memory, a singular message given ten thousand times is merged in quadratic time, unknown
 * fields are kept, required numbers are truncated without a word. So the bytes are walked once, from
 * left to right, against the table that the schema's rules were made into, and the message is built on
 * the way: a value is judged - its wire type, how often it occurred, its length, its form - before
 * anything is taken from the arena for it. What passes is no larger in memory than the rules allow,
 * and the arena caps even that.
 *
 * The walk is on the path of every record, so it looks everything up by position: a field number is
 * an index into the message's `places`, and the fields seen are bits of one word. An array is taken
 * when its first item is seen, with room for all that follow on each other, as an encoder writes
 * them; items that stand scattered make it grow by doubling.
 *
 * What comes out is what protobuf-c's unpacking gives; a test compares them. */
#include "proto/guard.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/field.h"
#include "proto/limits.h"

enum wire { WIRE_VARINT = 0, WIRE_LENGTH = 2 };

struct walk {
  const uint8_t *at, *end;
};
/* Where what is walked goes. */
struct builder {
  struct arena *arena; /* NULL: nothing is built, the bytes are only looked at */
  bool borrow;         /* bytes fields point into the walked bytes */
};
/* One message on the way. What belongs to a field is valid where the field's bit is in `seen`. */
struct level {
  const struct message_rules *rules;
  ProtobufCMessage *message; /* NULL: nothing is built */
  unsigned depth;
  uint64_t seen;
  uint32_t counts[RULES_MOST_FIELDS];
  uint32_t room[RULES_MOST_FIELDS]; /* of a repeated field's array */
};

static enum collega_status refuse(struct collega_error *error, enum rule rule) {
  return error_set(error, COLLEGA_INVALID, rule, NULL, NULL);
}

static enum collega_status exhausted(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_arena_full, NULL, NULL);
}

/* A number that was read, and where the next byte is; NULL: it cannot be read. */
struct varint {
  uint64_t value;
  const uint8_t *next;
};

/* A varint as an honest encoder writes it: at most ten bytes, none of them superfluous. */
static struct varint read_long_varint(struct walk walk, struct collega_error *error) {
  uint64_t value = 0;
  for (unsigned shift = 0; walk.at != walk.end; shift += 7) {
    uint8_t byte = *walk.at++;
    bool too_long = shift == 63 && byte > 1, superfluous = byte == 0 && shift > 0;
    if (too_long || superfluous) {
      (void)refuse(error, RULE_wire_varint);
      return (struct varint){0, NULL};
    }
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return (struct varint){value, walk.at};
  }
  (void)refuse(error, RULE_wire_truncated);
  return (struct varint){0, NULL};
}

/* Nearly all are one byte. By value, so that a walk can stay in registers. */
static inline enum collega_status read_varint(struct walk *walk, uint64_t *out,
                                              struct collega_error *error) {
  if (walk->at != walk->end && *walk->at < 0x80) {
    *out = *walk->at++;
    return COLLEGA_OK;
  }
  struct varint read = read_long_varint(*walk, error);
  if (!read.next) return COLLEGA_INVALID;
  walk->at = read.next;
  *out = read.value;
  return COLLEGA_OK;
}

static enum collega_status refuse_range(const struct field_rule *rule,
                                        struct collega_error *error) {
  char least[24], most[24];
  snprintf(least, sizeof least, "%" PRId64, rule->min);
  snprintf(most, sizeof most, "%" PRId64, rule->max);
  return error_set(error, COLLEGA_INVALID, RULE_range, NULL, least, most, NULL);
}

/* Also what unpacking would lose: bits above 32, truths other than 1, unknown values of an enum. */
static enum collega_status check_scalar(const struct field_rule *rule, uint64_t value,
                                        struct collega_error *error) {
  if (rule->type == PROTOBUF_C_TYPE_BOOL)
    return value > 1 ? refuse(error, RULE_form_flag) : COLLEGA_OK;
  if (rule->type == PROTOBUF_C_TYPE_ENUM)
    return field_check_enum(rule, value > INT32_MAX ? -1 : (int64_t)value, error);
  int64_t number = (int64_t)value; /* a negative one travels as ten bytes */
  bool fits = true;
  if (rule->type == PROTOBUF_C_TYPE_UINT32) {
    fits = value <= UINT32_MAX;
  } else if (rule->type == PROTOBUF_C_TYPE_INT32) {
    fits = number >= INT32_MIN && number <= INT32_MAX;
  } else if (rule->type == PROTOBUF_C_TYPE_UINT64 && number < 0) {
    number = -1; /* above every range */
  }
  return fits ? field_check_number(rule, number, error) : refuse_range(rule, error);
}

static bool is_scalar(const struct field_rule *rule) {
  return rule->type != PROTOBUF_C_TYPE_MESSAGE && rule->type != PROTOBUF_C_TYPE_STRING &&
         rule->type != PROTOBUF_C_TYPE_BYTES;
}

/* ---- where a value goes */

/* How many items of a repeated field follow on each other, the one at `walk` (behind its tag)
 * included; no more than may be. What cannot be read ends the count: the walk will say so. */
static uint32_t count_items(const struct field_rule *rule, uint64_t tag, struct walk walk) {
  uint32_t count = 0;
  uint64_t value = 0, next = tag;
  do {
    if (read_varint(&walk, &value, NULL)) break;
    if ((tag & 7) == WIRE_LENGTH) {
      if (value > (uint64_t)(walk.end - walk.at)) break;
      walk.at += value;
    }
    count++;
  } while (count < rule->at_most && !read_varint(&walk, &next, NULL) && next == tag);
  return count ? count : 1;
}

/* Room in a repeated field's array for items more; NULL: the arena is exhausted. */
static bool make_room(const struct builder *builder, struct level *level, unsigned place,
                      uint32_t items) {
  const struct field_rule *rule = &level->rules->fields[place];
  uint8_t *message = (uint8_t *)level->message;
  size_t used = *(size_t *)(void *)(message + rule->counter), wanted = used + items;
  uint32_t room = used ? level->room[place] : 0;
  if (wanted <= room) return true;
  if (wanted < 2 * (size_t)room) wanted = 2 * (size_t)room;
  if (wanted > rule->at_most) wanted = rule->at_most;
  void **array = (void **)(void *)(message + rule->offset);
  void *grown = arena_take(builder->arena, wanted * rule->size);
  if (!grown) return false;
  if (used) memcpy(grown, *array, used * rule->size);
  *array = grown;
  level->room[place] = (uint32_t)wanted;
  return true;
}

/* The place of a field's next value: in the message, or in its array, where make_room found room. */
static inline void *value_place(const struct level *level, const struct field_rule *rule) {
  uint8_t *message = (uint8_t *)level->message, *counter = message + rule->counter;
  if (rule->label == PROTOBUF_C_LABEL_REPEATED) {
    size_t *used = (size_t *)(void *)counter;
    uint8_t *array = *(uint8_t **)(void *)(message + rule->offset);
    return array + (*used)++ * rule->size;
  }
  if (rule->counter) *(protobuf_c_boolean *)(void *)counter = 1;
  return message + rule->offset;
}

static inline void store_scalar(const struct level *level, const struct field_rule *rule,
                                uint64_t value) {
  void *to = value_place(level, rule);
  if (rule->size == sizeof(uint64_t)) {
    *(uint64_t *)to = value;
  } else {
    *(uint32_t *)to = (uint32_t)value; /* numbers, enums and truths alike */
  }
}

static enum collega_status store_text(const struct builder *builder, const struct level *level,
                                      const struct field_rule *rule, struct bytes text,
                                      struct collega_error *error) {
  char *copy = arena_take(builder->arena, text.length + 1);
  if (!copy) return exhausted(error);
  if (text.length) memcpy(copy, text.data, text.length);
  copy[text.length] = 0;
  *(char **)value_place(level, rule) = copy;
  return COLLEGA_OK;
}

static enum collega_status store_bytes(const struct builder *builder, const struct level *level,
                                       const struct field_rule *rule, struct bytes bytes,
                                       struct collega_error *error) {
  const uint8_t *data = bytes.length ? bytes.data : NULL;
  if (data && !builder->borrow) data = arena_copy(builder->arena, data, bytes.length);
  if (!data && bytes.length) return exhausted(error);
  *(ProtobufCBinaryData *)value_place(level, rule) =
      (ProtobufCBinaryData){bytes.length, (uint8_t *)(uintptr_t)data};
  return COLLEGA_OK;
}

/* ---- the walk */

static enum collega_status walk_message(const struct builder *builder,
                                        const struct message_rules *rules, struct walk walk,
                                        unsigned depth, ProtobufCMessage **out,
                                        struct collega_error *error);

/* Repeated numbers may come packed: one length, then all of them. Each counts. */
static enum collega_status walk_packed(const struct builder *builder, struct level *level,
                                       unsigned place, struct walk walk,
                                       struct collega_error *error) {
  const struct field_rule *rule = &level->rules->fields[place];
  uint32_t items = 0;
  for (const uint8_t *at = walk.at; at < walk.end && items < rule->at_most; at++)
    items += *at < 0x80;
  if (level->message && items && !make_room(builder, level, place, items)) return exhausted(error);
  while (walk.at < walk.end) {
    uint64_t value = 0;
    enum collega_status status = read_varint(&walk, &value, error);
    if (!status) status = check_scalar(rule, value, error);
    if (status) return status;
    if (++level->counts[place] > rule->at_most)
      return field_check_count(rule, level->counts[place], error);
    if (level->message) store_scalar(level, rule, value);
  }
  return COLLEGA_OK;
}

static enum collega_status walk_length(const struct builder *builder, struct level *level,
                                       unsigned place, struct walk inside,
                                       struct collega_error *error) {
  const struct field_rule *rule = &level->rules->fields[place];
  struct bytes content = bytes_of(inside.at, (size_t)(inside.end - inside.at));
  if (rule->type == PROTOBUF_C_TYPE_MESSAGE) {
    ProtobufCMessage *message = NULL;
    enum collega_status status =
        walk_message(builder, rule->inner, inside, level->depth + 1, &message, error);
    if (!status && level->message) *(ProtobufCMessage **)value_place(level, rule) = message;
    return status;
  }
  if (rule->type == PROTOBUF_C_TYPE_STRING) {
    enum collega_status status =
        field_check_text(rule, (const char *)content.data, content.length, error);
    if (status || !level->message) return status;
    return store_text(builder, level, rule, content, error);
  }
  if (rule->type == PROTOBUF_C_TYPE_BYTES) {
    enum collega_status status = field_check_bytes(rule, content.length, error);
    if (status || !level->message) return status;
    return store_bytes(builder, level, rule, content, error);
  }
  if (rule->label != PROTOBUF_C_LABEL_REPEATED) return refuse(error, RULE_wire_type);
  return walk_packed(builder, level, place, inside, error);
}

/* One field's value. level->counts: items of this field so far (this one, and packed ones, are added). */
static enum collega_status walk_value(const struct builder *builder, struct level *level,
                                      unsigned place, uint64_t tag, struct walk *walk,
                                      struct collega_error *error) {
  const struct field_rule *rule = &level->rules->fields[place];
  bool scalar = is_scalar(rule), repeated = rule->label == PROTOBUF_C_LABEL_REPEATED;
  unsigned wire = tag & 7;
  if (wire != WIRE_LENGTH && (wire != WIRE_VARINT || !scalar)) return refuse(error, RULE_wire_type);
  if (repeated && (wire == WIRE_VARINT || !scalar)) {
    uint32_t before = level->counts[place]++;
    if (before >= rule->at_most) return field_check_count(rule, before + 1u, error);
    bool full = level->message && (before == 0 || before >= level->room[place]);
    if (full && !make_room(builder, level, place, count_items(rule, tag, *walk)))
      return exhausted(error);
  }
  uint64_t value = 0;
  enum collega_status status = read_varint(walk, &value, error);
  if (status) return status;
  if (wire == WIRE_VARINT) {
    status = check_scalar(rule, value, error);
    if (!status && level->message) store_scalar(level, rule, value);
    return status;
  }
  if (value > (uint64_t)(walk->end - walk->at)) return refuse(error, RULE_wire_truncated);
  struct walk inside = {walk->at, walk->at + value};
  walk->at = inside.end;
  return walk_length(builder, level, place, inside, error);
}

static enum collega_status unknown_field(const struct message_rules *rules, uint64_t number,
                                         struct collega_error *error) {
  char text[24];
  snprintf(text, sizeof text, "%" PRIu64, number);
  return error_set(error, COLLEGA_INVALID, RULE_wire_unknown_field, NULL, text,
                   rules->type->short_name, NULL);
}

/* After the last field: the required ones were there, and often enough. */
static enum collega_status check_occurrence(const struct level *level,
                                            struct collega_error *error) {
  const struct message_rules *rules = level->rules;
  uint64_t missing = rules->required & ~level->seen;
  if (missing) {
    const struct field_rule *rule = &rules->fields[__builtin_ctzll(missing)];
    if (rule->label != PROTOBUF_C_LABEL_REPEATED)
      return error_set(error, COLLEGA_INVALID, RULE_required, rule->name, NULL);
    enum collega_status status = field_check_count(rule, 0, error);
    error_prefix(error, rule->name);
    return status;
  }
  for (uint64_t rest = rules->repeated & level->seen; rest; rest &= rest - 1) {
    unsigned place = (unsigned)__builtin_ctzll(rest);
    enum collega_status status =
        field_check_count(&rules->fields[place], level->counts[place], error);
    if (status) {
      error_prefix(error, rules->fields[place].name);
      return status;
    }
  }
  return COLLEGA_OK;
}

/* `index`: of the item that broke the rule. */
static void name_field(const struct field_rule *rule, uint32_t index, struct collega_error *error) {
  bool about_the_list =
      error && (error->rule == RULE_too_many || error->rule == RULE_too_few) && !error->field[0];
  if (about_the_list)
    error_prefix(error, rule->name);
  else
    field_name_error(error, rule, index);
}

static enum collega_status walk_fields(const struct builder *builder, struct level *level,
                                       struct walk walk, struct collega_error *error) {
  const struct message_rules *rules = level->rules;
  while (walk.at < walk.end) {
    uint64_t tag = 0;
    enum collega_status status = read_varint(&walk, &tag, error);
    if (status) return status;
    uint64_t number = tag >> 3;
    if (number > rules->highest || !rules->places[number])
      return unknown_field(rules, number, error);
    unsigned place = rules->places[number] - 1u;
    const struct field_rule *rule = &rules->fields[place];
    uint64_t bit = UINT64_C(1) << place;
    if (!(level->seen & bit)) {
      level->counts[place] = 0;
    } else if (rule->label != PROTOBUF_C_LABEL_REPEATED) {
      return error_set(error, COLLEGA_INVALID, RULE_wire_repeated, rule->name, NULL);
    }
    level->seen |= bit;
    uint32_t index = level->counts[place];
    status = walk_value(builder, level, place, tag, &walk, error);
    if (status) {
      if (status != COLLEGA_FULL) name_field(rule, index, error);
      return status;
    }
  }
  return check_occurrence(level, error);
}

static enum collega_status walk_message(const struct builder *builder,
                                        const struct message_rules *rules, struct walk walk,
                                        unsigned depth, ProtobufCMessage **out,
                                        struct collega_error *error) {
  if (depth > LIMIT_DEPTH) {
    char most[12];
    snprintf(most, sizeof most, "%u", LIMIT_DEPTH);
    return error_set(error, COLLEGA_INVALID, RULE_wire_depth, NULL, most, NULL);
  }
  struct level level;
  level.rules = rules;
  level.message = NULL;
  level.depth = depth;
  level.seen = 0;
  if (builder->arena) {
    level.message = arena_take(builder->arena, rules->type->sizeof_message);
    if (!level.message) return exhausted(error);
    rules->type->message_init(level.message);
  }
  *out = level.message;
  return walk_fields(builder, &level, walk, error);
}

static enum collega_status begin(const struct builder *builder,
                                 const ProtobufCMessageDescriptor *type, struct bytes bytes,
                                 ProtobufCMessage **out, struct collega_error *error) {
  const struct message_rules *rules = rules_of(type);
  if (!rules)
    return error_set(error, COLLEGA_INVALID, RULE_wire_unknown_message, NULL, type->short_name,
                     NULL);
  /* No bytes may come without a pointer, with which nothing may be calculated. */
  struct walk walk = {NULL, NULL};
  if (bytes.length) walk = (struct walk){bytes.data, bytes.data + bytes.length};
  ProtobufCMessage *message = NULL;
  enum collega_status status = walk_message(builder, rules, walk, 1, &message, error);
  *out = status ? NULL : message;
  return status;
}

enum collega_status guard_walk(const ProtobufCMessageDescriptor *type, struct bytes bytes,
                               struct collega_error *error) {
  struct builder nothing = {NULL, false};
  ProtobufCMessage *none;
  return begin(&nothing, type, bytes, &none, error);
}

enum collega_status guard_unpack(const ProtobufCMessageDescriptor *type, struct bytes bytes,
                                 struct arena *arena, ProtobufCMessage **out,
                                 struct collega_error *error) {
  struct builder builder = {arena, false};
  return begin(&builder, type, bytes, out, error);
}

enum collega_status guard_unpack_borrowing(const ProtobufCMessageDescriptor *type,
                                           struct bytes bytes, struct arena *arena,
                                           ProtobufCMessage **out, struct collega_error *error) {
  struct builder builder = {arena, true};
  return begin(&builder, type, bytes, out, error);
}

struct bytes message_pack(const ProtobufCMessage *message, struct arena *arena) {
  size_t length = protobuf_c_message_get_packed_size(message);
  uint8_t *data = arena_take(arena, length ? length : 1);
  if (!data) return bytes_of(NULL, 0);
  protobuf_c_message_pack(message, data);
  return bytes_of(data, length);
}
