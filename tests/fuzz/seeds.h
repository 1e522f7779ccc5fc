/* Writing seeds: what make_seeds.c shares with the files that make those of a kind. */
#ifndef COLLEGA_TESTS_FUZZ_SEEDS_H
#define COLLEGA_TESTS_FUZZ_SEEDS_H
#include <jansson.h>
#include <protobuf-c/protobuf-c.h>
#include "base/bytes.h"

#define SEED_BYTES  60000 /* libFuzzer and replay take 64 KiB */
#define PIECE_BYTES 60000

struct maker;
/* Writes DIRECTORY/TARGET/NUMBER, and empties the buffer for the next. */
void write_seed(struct maker *maker, const char *target, struct buffer *seed);
void put_byte(struct buffer *out, unsigned byte);
void put_bytes(struct buffer *out, struct bytes bytes);
void put_piece(struct buffer *out, struct bytes bytes); /* as fuzz_piece reads it */
struct bytes text_bytes(const char *text);

/* guard, json: a message as it should not be (seed_faults.c). */
void seed_wire_faults(struct maker *maker, const ProtobufCMessageDescriptor *type,
                      struct bytes packed);
void seed_json_faults(struct maker *maker, const ProtobufCMessageDescriptor *type, json_t *json);
/* An input of target_json.c. */
void put_json(struct buffer *out, const ProtobufCMessageDescriptor *type, unsigned how,
              const json_t *json);

/* esco, places, tables, kept: small tables that were made up, and what the imports make of them. */
void seed_imports(struct maker *maker);
#endif
