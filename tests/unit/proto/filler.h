/* Messages filled from the table of rules, for tests that take every type of the schema. */
#ifndef COLLEGA_TESTS_PROTO_FILLER_H
#define COLLEGA_TESTS_PROTO_FILLER_H
/* cmocka wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/bytes.h"
#include "proto/rules_table.h"

/* A message of `type` with every field set to a value its rule allows; `variant` turns between the
 * least and the most of numbers, among enum values, and from one item of a repeated field to more.
 * In the arena. */
ProtobufCMessage *fill(const ProtobufCMessageDescriptor *type, unsigned variant,
                       struct arena *arena);
/* Only what must be there. */
ProtobufCMessage *fill_least(const ProtobufCMessageDescriptor *type, unsigned variant,
                             struct arena *arena);

/* COLLEGA_INVALID with this rule at this field ("" for none). */
#define assert_refused(status_, error_, rule_, field_)                                             \
  do {                                                                                             \
    assert_int_equal(status_, COLLEGA_INVALID);                                                    \
    assert_string_equal((error_)->field, field_);                                                  \
    assert_string_equal(rule_name((error_)->rule), #rule_);                                        \
  } while (0)
#endif
