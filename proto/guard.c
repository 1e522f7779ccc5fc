/* The guard: what stands between a stranger's bytes and our memory.
 *
 * protobuf-c believes what it reads: a megabyte of empty submessages becomes a hundred megabytes of
 * memory, a singular message given ten thousand times is merged in quadratic time, unknown fields
 * are kept, required numbers are truncated without a word. So the bytes are walked first, once,
 * from left to right, without allocating anything, against the table that the schema's rules were
 * made into. What passes is no larger in memory than the rules allow, and the arena caps even that.
 *
 * The walk is on the path of every record, so it looks everything up by position: a field number is
 * an index into the message's `places`, and the fields seen are bits of one word. */
#include "proto/guard.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/check.h"
#include "proto/field.h"
#include "proto/limits.h"

enum wire { WIRE_VARINT = 0, WIRE_LENGTH = 2 };

struct walk {
  const uint8_t *at, *end;
};

static enum collega_status refuse(struct collega_error *error, enum rule rule) {
  return error_set(error, COLLEGA_INVALID, rule, NULL, NULL);
}

/* A varint as an honest encoder writes it: at most ten bytes, none of them superfluous. */
static enum collega_status read_varint(struct walk *walk, uint64_t *out,
                                       struct collega_error *error) {
  uint64_t value = 0;
  unsigned shift = 0;
  for (;;) {
    if (walk->at == walk->end) return refuse(error, RULE_wire_truncated);
    uint8_t byte = *walk->at++;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (shift == 63 && byte > 1) return refuse(error, RULE_wire_varint);
    if (byte < 0x80) {
      if (byte == 0 && shift > 0) return refuse(error, RULE_wire_varint);
      *out = value;
      return COLLEGA_OK;
    }
    shift += 7;
  }
}

/* What unpacking would lose: bits above 32, truths other than 1, unknown values of an enum. Ranges
 * are left to check_fields, which sees the numbers afterwards. */
static enum collega_status check_scalar(const struct field_rule *rule, uint64_t value,
                                        struct collega_error *error) {
  bool fits = true;
  if (rule->type == PROTOBUF_C_TYPE_BOOL) {
    if (value > 1) return refuse(error, RULE_form_flag);
  } else if (rule->type == PROTOBUF_C_TYPE_ENUM) {
    return field_check_enum(rule, value > INT32_MAX ? -1 : (int64_t)value, error);
  } else if (rule->type == PROTOBUF_C_TYPE_UINT32) {
    fits = value <= UINT32_MAX;
  } else if (rule->type == PROTOBUF_C_TYPE_INT32) {
    int64_t number = (int64_t)value; /* a negative one travels as ten bytes */
    fits = number >= INT32_MIN && number <= INT32_MAX;
  }
  if (fits) return COLLEGA_OK;
  char least[24], most[24];
  snprintf(least, sizeof least, "%" PRId64, rule->min);
  snprintf(most, sizeof most, "%" PRId64, rule->max);
  return error_set(error, COLLEGA_INVALID, RULE_range, NULL, least, most, NULL);
}

static enum collega_status walk_message(const struct message_rules *rules, struct walk walk,
                                        unsigned depth, struct collega_error *error);

/* Repeated numbers may come packed: one length, then all of them. Each counts. */
static enum collega_status walk_packed(const struct field_rule *rule, struct walk walk,
                                       uint32_t *count, struct collega_error *error) {
  while (walk.at < walk.end) {
    uint64_t value = 0;
    enum collega_status status = read_varint(&walk, &value, error);
    if (!status) status = check_scalar(rule, value, error);
    if (status) return status;
    if (++*count > rule->at_most) return field_check_count(rule, *count, error);
  }
  return COLLEGA_OK;
}

static enum collega_status walk_length(const struct field_rule *rule, struct walk inside,
                                       unsigned depth, uint32_t *count,
                                       struct collega_error *error) {
  size_t length = (size_t)(inside.end - inside.at);
  if (rule->type == PROTOBUF_C_TYPE_MESSAGE)
    return walk_message(rule->inner, inside, depth + 1, error);
  if (rule->type == PROTOBUF_C_TYPE_STRING) {
    enum collega_status status = field_check_bytes(rule, length, error);
    /* Once unpacked, a text ends at its first NUL and the rest would go unseen. */
    if (!status && memchr(inside.at, 0, length)) status = refuse(error, RULE_text_nul);
    return status;
  }
  if (rule->type == PROTOBUF_C_TYPE_BYTES) return field_check_bytes(rule, length, error);
  if (rule->label != PROTOBUF_C_LABEL_REPEATED) return refuse(error, RULE_wire_type);
  return walk_packed(rule, inside, count, error);
}

/* One field's value. `count`: items of this field so far, this one included (packed ones are
 * added). */
static enum collega_status walk_value(const struct field_rule *rule, unsigned wire,
                                      struct walk *walk, unsigned depth, uint32_t *count,
                                      struct collega_error *error) {
  uint64_t value = 0;
  enum collega_status status;
  bool scalar = rule->type != PROTOBUF_C_TYPE_MESSAGE && rule->type != PROTOBUF_C_TYPE_STRING &&
                rule->type != PROTOBUF_C_TYPE_BYTES;
  if (wire == WIRE_VARINT && scalar) {
    if (++*count > rule->at_most && rule->label == PROTOBUF_C_LABEL_REPEATED)
      return field_check_count(rule, *count, error);
    status = read_varint(walk, &value, error);
    return status ? status : check_scalar(rule, value, error);
  }
  if (wire != WIRE_LENGTH) return refuse(error, RULE_wire_type);
  if (!scalar && ++*count > rule->at_most && rule->label == PROTOBUF_C_LABEL_REPEATED)
    return field_check_count(rule, *count, error);
  status = read_varint(walk, &value, error);
  if (status) return status;
  if (value > (uint64_t)(walk->end - walk->at)) return refuse(error, RULE_wire_truncated);
  struct walk inside = {walk->at, walk->at + value};
  walk->at = inside.end;
  return walk_length(rule, inside, depth, count, error);
}

static enum collega_status unknown_field(const struct message_rules *rules, uint64_t number,
                                         struct collega_error *error) {
  char text[24];
  snprintf(text, sizeof text, "%" PRIu64, number);
  return error_set(error, COLLEGA_INVALID, RULE_wire_unknown_field, NULL, text,
                   rules->type->short_name, NULL);
}

/* After the last field: the required ones were there, and often enough. */
static enum collega_status check_occurrence(const struct message_rules *rules, uint64_t seen,
                                            const uint32_t *counts, struct collega_error *error) {
  uint64_t missing = rules->required & ~seen;
  if (missing) {
    const struct field_rule *rule = &rules->fields[__builtin_ctzll(missing)];
    if (rule->label != PROTOBUF_C_LABEL_REPEATED)
      return error_set(error, COLLEGA_INVALID, RULE_required, rule->name, NULL);
    enum collega_status status = field_check_count(rule, 0, error);
    error_prefix(error, rule->name);
    return status;
  }
  for (uint64_t rest = rules->repeated & seen; rest; rest &= rest - 1) {
    unsigned place = (unsigned)__builtin_ctzll(rest);
    enum collega_status status = field_check_count(&rules->fields[place], counts[place], error);
    if (status) {
      error_prefix(error, rules->fields[place].name);
      return status;
    }
  }
  return COLLEGA_OK;
}

static enum collega_status walk_message(const struct message_rules *rules, struct walk walk,
                                        unsigned depth, struct collega_error *error) {
  if (depth > LIMIT_DEPTH) {
    char most[12];
    snprintf(most, sizeof most, "%u", LIMIT_DEPTH);
    return error_set(error, COLLEGA_INVALID, RULE_wire_depth, NULL, most, NULL);
  }
  uint64_t seen = 0;
  uint32_t counts[RULES_MOST_FIELDS]; /* valid where the field's bit is in `seen` */
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
    if (!(seen & bit)) {
      counts[place] = 0;
    } else if (rule->label != PROTOBUF_C_LABEL_REPEATED) {
      return error_set(error, COLLEGA_INVALID, RULE_wire_repeated, rule->name, NULL);
    }
    seen |= bit;
    uint32_t index = counts[place];
    status = walk_value(rule, tag & 7, &walk, depth, &counts[place], error);
    if (status) {
      bool about_the_list = error &&
                            (error->rule == RULE_too_many || error->rule == RULE_too_few) &&
                            !error->field[0];
      if (about_the_list)
        error_prefix(error, rule->name);
      else
        field_name_error(error, rule, index);
      return status;
    }
  }
  return check_occurrence(rules, seen, counts, error);
}

enum collega_status guard_walk(const ProtobufCMessageDescriptor *type, struct bytes bytes,
                               struct collega_error *error) {
  const struct message_rules *rules = rules_of(type);
  if (!rules)
    return error_set(error, COLLEGA_INVALID, RULE_wire_unknown_message, NULL, type->short_name,
                     NULL);
  if (!bytes.length) return check_occurrence(rules, 0, NULL, error);
  struct walk walk = {bytes.data, bytes.data + bytes.length};
  return walk_message(rules, walk, 1, error);
}

static void *take(void *arena, size_t size) {
  return arena_take(arena, size);
}

/* The arena gives everything back at once. */
static void leave(void *arena, void *pointer) {
  (void)arena;
  (void)pointer;
}

enum collega_status guard_unpack(const ProtobufCMessageDescriptor *type, struct bytes bytes,
                                 struct arena *arena, ProtobufCMessage **out,
                                 struct collega_error *error) {
  *out = NULL;
  enum collega_status status = guard_walk(type, bytes, error);
  if (status) return status;
  ProtobufCAllocator allocator = {take, leave, arena};
  /* protobuf-c does not look at the pointer when the length is 0, but does arithmetic on it. */
  const uint8_t *data = bytes.length ? bytes.data : (const uint8_t *)"";
  ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, bytes.length, data);
  /* The walk has passed the bytes, so only memory can be lacking. */
  if (!message) return error_set(error, COLLEGA_FULL, RULE_arena_full, NULL, NULL);
  status = check_fields(message, error);
  if (!status) *out = message;
  return status;
}

struct bytes message_pack(const ProtobufCMessage *message, struct arena *arena) {
  size_t length = protobuf_c_message_get_packed_size(message);
  uint8_t *data = arena_take(arena, length ? length : 1);
  if (!data) return bytes_of(NULL, 0);
  protobuf_c_message_pack(message, data);
  return bytes_of(data, length);
}
