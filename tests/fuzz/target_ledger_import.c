/* A ledger's file, from anybody: it becomes the ledger of a home that has keys and none, or nothing is
 * left of it. What was imported verifies, rebuilds to the same tables, is written out again as it
 * came, and imported once more changes nothing.
 *
 * Input: scene, home, forgiveness and form; then the file's bytes, or pieces, each one LedgerEntry: their
 * numbers and hashes are made to fit, and so is the beginning, so that what entries say gets further
 * than to the first hash. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/process/process.h"
#include "client/exchange/import_rows.h"
#include "client/exchange/transfer.h"
#include "proto/guard.h"
#include "tests/fuzz/stage.h"

static struct stage stage; /* made once, before the first input */

static char *beside(char out[PATH_MAX], const char *name) {
  snprintf(out, PATH_MAX, "%s/%s", fuzz_directory(), name);
  return out;
}

/* ---- the file */

struct building {
  struct arena *arena;
  struct ledger_head head;
  uint64_t erased;
  Collega__LedgerEntry *entries[256];
  size_t count;
};

/* Number and payload hash as they must be; what is no entry stays as it is. */
static void fit(struct building *building, Collega__LedgerEntry *entry) {
  ProtobufCMessage *message;
  struct id hash;
  struct bytes bytes = bytes_of(entry->entry.data, entry->entry.len);
  if (row_unpack_outside(&collega_store__chain_entry__descriptor, bytes, building->arena, &message,
                         NULL) == COLLEGA_OK) {
    CollegaStore__ChainEntry *chain = (CollegaStore__ChainEntry *)message;
    chain->number = building->head.number + 1;
    if (entry->has_salt && !entry->reduced) {
      const struct bytes parts[] = {bytes_of(entry->salt.data, entry->salt.len),
                                    bytes_of(entry->payload.data, entry->payload.len)};
      hash_parts(&hash, "collega/payload/1", parts, 2);
      chain->has_payload_hash = true;
      chain->payload_hash.data = arena_copy(building->arena, &hash, sizeof hash);
      chain->payload_hash.len = ID_BYTES;
    }
    bytes = message_pack(message, building->arena);
    entry->entry.data = (uint8_t *)(uintptr_t)bytes.data;
    entry->entry.len = bytes.length;
  }
  const struct bytes parts[] = {bytes_of(building->head.hash.byte, ID_BYTES), bytes};
  hash_parts(&hash, "collega/chain/1", parts, 2);
  memcpy(entry->hash.data, hash.byte, ID_BYTES);
}

/* The head as a reader follows it, epoch included. */
static void follow(struct building *building, const Collega__LedgerEntry *entry) {
  struct ledger_row row = {.entry = bytes_of(entry->entry.data, entry->entry.len),
                           .reduced = entry->reduced,
                           .erased = !entry->has_salt};
  struct ledger_event event = {0};
  struct id rest;
  if (entry->has_salt) {
    row.salt = bytes_of(entry->salt.data, entry->salt.len);
    row.data = bytes_of(entry->payload.len > 0 ? (const void *)entry->payload.data : "",
                        entry->payload.len);
  }
  fuzz_must(id_from(&row.hash, entry->hash.data, entry->hash.len));
  if (ledger_row_judge(&row, &building->head, building->arena, &event, &rest, NULL) != COLLEGA_OK) {
    building->head.number++;
    building->head.hash = row.hash;
  }
  if (event.erased) building->erased++;
}

static void write_pieces(const char *path, const struct id *party, struct fuzz_input *input) {
  struct building building = {.arena = fuzz_arena()};
  struct ledger_sink *sink = NULL;
  Collega__LedgerStart start = COLLEGA__LEDGER_START__INIT;
  Collega__LedgerFacts facts = COLLEGA__LEDGER_FACTS__INIT;
  uint8_t signature[64] = {0};
  while (input->length > 0 && building.count < 256) {
    ProtobufCMessage *message = NULL;
    if (guard_unpack(&collega__ledger_entry__descriptor, fuzz_piece(input), building.arena,
                     &message, NULL) != COLLEGA_OK)
      continue;
    Collega__LedgerEntry *entry = (Collega__LedgerEntry *)message;
    fit(&building, entry);
    follow(&building, entry);
    building.entries[building.count++] = entry;
  }
  facts.made = stage.now;
  facts.party = (ProtobufCBinaryData){ID_BYTES, (uint8_t *)(uintptr_t)party->byte};
  facts.epoch = (ProtobufCBinaryData){EPOCH_BYTES, building.head.epoch.byte};
  facts.number = building.head.number;
  facts.hash = (ProtobufCBinaryData){ID_BYTES, building.head.hash.byte};
  facts.erased = building.erased;
  struct bytes packed = message_pack(&facts.base, building.arena);
  start.facts = (ProtobufCBinaryData){packed.length, (uint8_t *)(uintptr_t)packed.data};
  start.signature = (ProtobufCBinaryData){sizeof signature, signature};
  enum collega_status status = ledger_sink_open(path, &sink, NULL);
  fuzz_must(status == COLLEGA_OK && packed.data != NULL);
  status = ledger_sink_put(sink, &start.base, NULL);
  for (size_t i = 0; status == COLLEGA_OK && i < building.count; i++)
    status = ledger_sink_put(sink, &building.entries[i]->base, NULL);
  fuzz_must(ledger_sink_close(&sink, status, NULL) == COLLEGA_OK);
  arena_destroy(&building.arena);
}

static void write_bytes(const char *path, struct bytes bytes) {
  FILE *file = fopen(path, "wb");
  fuzz_must(file != NULL);
  fuzz_must(bytes.length == 0 || fwrite(bytes.data, 1, bytes.length, file) == bytes.length);
  fuzz_must(fclose(file) == 0);
}

/* ---- what is promised */

static bool exists(const char *home, const char *name) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/%s", home, name);
  return access(path, F_OK) == 0;
}

static enum collega_status import(const char *file, const char *home, struct node_imported *out) {
  const struct node_import what = {.file = file, .home = home, .now = stage.now};
  struct collega_error error;
  error_clear(&error);
  enum collega_status status = node_import(&what, out, &error);
  if (status != COLLEGA_OK) fuzz_check_error(&error);
  fuzz_must(!exists(home, "ledger.importing"));
  return status;
}

static void rebuilds(struct exchange *exchange) {
  struct home home = {.exchange = exchange};
  struct collega_error error;
  uint64_t count = 0;
  struct id before = world_tables(&home), after;
  fuzz_must(ledger_verify(exchange_ledger(exchange), 1, NULL, NULL, &count, &error) == COLLEGA_OK);
  fuzz_must(exchange_verify(exchange, NULL, NULL, &count, &error) == COLLEGA_OK);
  fuzz_must(ledger_rebuild(exchange_ledger(exchange), exchange_apply, exchange, &error) ==
            COLLEGA_OK);
  after = world_tables(&home);
  fuzz_must(id_equal(&before, &after));
}

static void is_whole(const char *file, const char *home) {
  struct node_imported imported;
  struct exchange *exchange = NULL;
  struct collega_error error;
  fuzz_must(import(file, home, &imported) == COLLEGA_OK && imported.already);
  fuzz_must(exchange_open(home, &exchange, &error) == COLLEGA_OK);
  rebuilds(exchange);
  exchange_close(&exchange);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  if (stage.broker == NULL) stage_make(&stage, NULL, NULL);
  struct fuzz_input input = fuzz_begin(data, length);
  uint8_t how = fuzz_byte(&input);
  char file[PATH_MAX], ledger[PATH_MAX];
  struct node_imported imported;
  int who = how >> 2 & 1;
  const char *home = stage_copy(&stage, (enum scene)(how % SCENES), who ? "home1" : "home0");
  snprintf(ledger, sizeof ledger, "%s/ledger", home);
  fuzz_empty_directory(ledger);
  beside(file, "file");
  unlink(file);
  fuzz_forgive(how >> 4 & 1);
  if (how >> 3 & 1)
    write_pieces(file, &stage.home[who], &input);
  else
    write_bytes(file, fuzz_rest(&input));
  if (import(file, home, &imported) == COLLEGA_OK) {
    fuzz_must(!imported.already);
    is_whole(file, home);
  } else {
    fuzz_must(!exists(home, "ledger/data.mdb"));
  }
  return 0;
}
