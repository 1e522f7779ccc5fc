/* Makes the vectors from fixed seeds with the program's own code; check_vectors.py arrives at the same
 * with other libraries. */
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/guard.h"
#include "proto/invitation.h"
#include "proto/letter.h"
#include "proto/terms.h"
#include "proto/tree.h"
#include "tests/support/people.h"

#define NOW INT64_C(1800000000000)
#define MUST(condition)                                                                            \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                              \
      abort();                                                                                     \
    }                                                                                              \
  } while (0)

static json_t *hex_of(const void *data, size_t length) {
  char *text = malloc(2 * length + 1);
  MUST(text);
  hex_write(text, data, length);
  json_t *json = json_string(text);
  free(text);
  return json;
}

static void put(json_t *object, const char *name, const void *data, size_t length) {
  json_object_set_new(object, name, hex_of(data, length));
}

static void put_number(json_t *object, const char *name, int64_t value) {
  json_object_set_new(object, name, json_integer(value));
}

static json_t *ids_of(const struct id *ids, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; i < count; i++)
    json_array_append_new(list, hex_of(ids[i].byte, ID_BYTES));
  return list;
}

/* ---- ids and trees */

static json_t *make_ids(void) {
  struct arena *arena = arena_new(65536, 1u << 24);
  struct person person;
  person_make(&person, 1, NOW);
  struct run_view view = view_of(make_statuses(&person, 3, arena), arena);
  json_t *records = json_array();
  for (size_t i = 0; i < view.count; i++) {
    json_t *record = json_object();
    put(record, "body", view.records[i].bytes.data, view.records[i].bytes.length);
    put(record, "id", view.records[i].id.byte, ID_BYTES);
    json_array_append_new(records, record);
  }
  json_t *envelope = json_object();
  struct id hash;
  envelope_hash(&hash, bytes_of("an envelope", 11));
  put(envelope, "bytes", "an envelope", 11);
  put(envelope, "hash", hash.byte, ID_BYTES);
  json_t *json = json_pack("{s:o,s:o}", "records", records, "envelope", envelope);
  person_clear(&person);
  arena_destroy(&arena);
  return json;
}

static json_t *make_tree(size_t size) {
  static const uint32_t picks[][4] = {{0},    {1},       {0, 2}, {1, 2, 3},   {4},
                                      {0, 5}, {2, 3, 6}, {8},    {1, 4, 7, 8}};
  static const size_t counts[] = {1, 1, 2, 3, 1, 2, 3, 1, 4};
  struct id data[9], leaves[9], rest[9], root;
  for (size_t i = 0; i < size; i++) {
    memset(data[i].byte, (int)(0x10 + i), ID_BYTES);
    tree_leaf(&leaves[i], data[i].byte, ID_BYTES);
  }
  tree_root(&root, leaves, size);
  json_t *json = json_object(), *parts = json_array();
  json_object_set_new(json, "data", ids_of(data, size));
  put(json, "root", root.byte, ID_BYTES);
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    if (picks[i][counts[i] - 1] >= size) continue;
    json_t *picked = json_array();
    for (size_t k = 0; k < counts[i]; k++)
      json_array_append_new(picked, json_integer(picks[i][k]));
    size_t rest_count = tree_rest(leaves, size, picks[i], counts[i], rest);
    json_array_append_new(
        parts, json_pack("{s:o,s:o}", "leaves", picked, "rest", ids_of(rest, rest_count)));
  }
  json_object_set_new(json, "parts", parts);
  return json;
}

static json_t *make_trees(void) {
  json_t *list = json_array();
  for (size_t size = 1; size <= 9; size++)
    json_array_append_new(list, make_tree(size));
  return list;
}

/* ---- identities and signatures */

static json_t *make_identities(void) {
  json_t *list = json_array();
  for (uint8_t number = 1; number <= 2; number++) {
    struct person person;
    person_make(&person, number, NOW);
    uint8_t seed[32], recovery[32];
    memset(seed, number, sizeof seed);
    memset(recovery, number + 128, sizeof recovery);
    const struct public_keys *keys = identity_public(person.identity);
    char fingerprint[FINGERPRINT_BYTES];
    fingerprint_write(fingerprint, identity_party(person.identity));
    struct bytes run = identity_card_run(person.identity, 0);
    json_t *json = json_object();
    put(json, "seed", seed, sizeof seed);
    put(json, "recovery_secret", recovery, sizeof recovery);
    put(json, "signing_key", keys->signing, 32);
    put(json, "sealing_key", keys->sealing, 32);
    put(json, "link_key", keys->link, 32);
    put(json, "party", identity_party(person.identity)->byte, ID_BYTES);
    json_object_set_new(json, "fingerprint", json_string(fingerprint));
    put(json, "card", run.data, run.length);
    json_array_append_new(list, json);
    person_clear(&person);
  }
  return list;
}

static json_t *make_signatures(void) {
  struct person person;
  person_make(&person, 1, NOW);
  json_t *list = json_array();
  for (int purpose = PURPOSE_RECORD; purpose <= PURPOSE_HEAD; purpose++) {
    struct id root;
    uint8_t signature[64], seed[32];
    memset(seed, 1, sizeof seed);
    memset(root.byte, 0x40 + purpose, ID_BYTES);
    uint64_t tree_size = purpose == PURPOSE_RECORD ? 4096 : (uint64_t)purpose;
    identity_sign(person.identity, (enum purpose)purpose, tree_size, &root, signature);
    json_t *json = json_object();
    put(json, "seed", seed, sizeof seed);
    put_number(json, "purpose", purpose);
    put(json, "signer", identity_party(person.identity)->byte, ID_BYTES);
    put_number(json, "tree_size", (int64_t)tree_size);
    put(json, "root", root.byte, ID_BYTES);
    put(json, "signature", signature, sizeof signature);
    json_array_append_new(list, json);
  }
  person_clear(&person);
  return list;
}

/* ---- runs and receipts */

static json_t *make_runs(void) {
  struct arena *arena = arena_new(65536, 1u << 24);
  struct person person;
  person_make(&person, 1, NOW);
  struct run_view whole = view_of(make_statuses(&person, 7, arena), arena);
  const uint32_t picked[] = {1, 2, 5};
  Collega__Run *part = NULL;
  MUST(run_cut(&whole, picked, 3, arena, &part, NULL) == COLLEGA_OK);
  json_t *list = json_array();
  const Collega__Run *runs[] = {whole.run, part};
  for (size_t i = 0; i < 2; i++) {
    struct bytes packed = message_pack(&runs[i]->base, arena);
    json_t *json = json_object();
    put(json, "signing_key", identity_public(person.identity)->signing, 32);
    put(json, "run", packed.data, packed.length);
    put(json, "root", whole.root.byte, ID_BYTES);
    json_array_append_new(list, json);
  }
  person_clear(&person);
  arena_destroy(&arena);
  return list;
}

static json_t *make_receipts(void) {
  struct arena *arena = arena_new(65536, 1u << 24);
  struct person broker;
  person_make(&broker, 2, NOW);
  struct id ids[5], leaves[5];
  for (size_t i = 0; i < 5; i++)
    memset(ids[i].byte, (int)(0x60 + i), ID_BYTES);
  Collega__ReceiptRun *all = NULL, *part = NULL;
  MUST(receipt_sign(broker.identity, &broker.epoch, 1000, NOW, ids, 5, arena, &all, leaves, NULL) ==
       COLLEGA_OK);
  const uint32_t picked[] = {0, 3};
  MUST(receipt_cut(all, leaves, picked, 2, arena, &part, NULL) == COLLEGA_OK);
  const struct id some[] = {ids[0], ids[3]};
  const Collega__ReceiptRun *receipts[] = {all, part};
  json_t *list = json_array();
  for (size_t i = 0; i < 2; i++) {
    struct bytes packed = message_pack(&receipts[i]->base, arena);
    json_t *json = json_object();
    put(json, "signing_key", identity_public(broker.identity)->signing, 32);
    put(json, "receipt", packed.data, packed.length);
    json_object_set_new(json, "ids", i == 0 ? ids_of(ids, 5) : ids_of(some, 2));
    json_array_append_new(list, json);
  }
  person_clear(&broker);
  arena_destroy(&arena);
  return list;
}

/* ---- letters: randomised */

static json_t *make_letters(void) {
  struct arena *arena = arena_new(65536, 1u << 24);
  struct person from, to;
  person_make(&from, 1, NOW);
  person_make(&to, 2, NOW);
  struct members *members = members_new(NULL, NULL);
  MUST(take_run(members, person_card(&to, 0, arena), NULL, NULL, arena) == COLLEGA_OK);
  Collega__Run *runs[] = {make_statuses(&from, 1, arena)};
  Collega__Letter letter = COLLEGA__LETTER__INIT;
  set_field(&letter.from, identity_party(from.identity)->byte, ID_BYTES);
  set_field(&letter.to, identity_party(to.identity)->byte, ID_BYTES);
  set_field(&letter.epoch, from.epoch.byte, EPOCH_BYTES);
  letter.seq = 17;
  letter.runs = runs;
  letter.n_runs = 1;
  struct bytes packed = message_pack(&letter.base, arena), envelope;
  MUST(letter_seal(from.identity, members_find(members, identity_party(to.identity)), &letter, true,
                   NOW, arena, &envelope, NULL) == COLLEGA_OK);
  uint8_t seed[32];
  memset(seed, 2, sizeof seed);
  json_t *json = json_object();
  put(json, "recipient_seed", seed, sizeof seed);
  memset(seed, 1, sizeof seed);
  put(json, "sender_seed", seed, sizeof seed);
  put(json, "letter", packed.data, packed.length);
  put(json, "envelope", envelope.data, envelope.length);
  members_destroy(&members);
  person_clear(&from);
  person_clear(&to);
  arena_destroy(&arena);
  return json;
}

/* ---- terms and invitations */

static json_t *make_commitment(void) {
  struct arena *arena = arena_new(65536, 1u << 24);
  Collega__TermsWork work = COLLEGA__TERMS_WORK__INIT;
  work.headcount = 12;
  work.from = 20900;
  work.has_until = 1;
  work.until = 20980;
  work.hours_per_week = 32;
  struct bytes content = message_pack(&work.base, arena);
  Collega__Section sections[TERMS_SECTIONS], *list[TERMS_SECTIONS];
  Collega__SaltedTerms terms = COLLEGA__SALTED_TERMS__INIT;
  static uint8_t salts[TERMS_SECTIONS][SHORT_ID_BYTES];
  json_t *shown = json_array();
  for (size_t i = 0; i < TERMS_SECTIONS; i++) {
    memset(salts[i], (int)(0x80 + i), SHORT_ID_BYTES);
    collega__section__init(&sections[i]);
    sections[i].kind = (Collega__SectionKind)(i + 1);
    sections[i].has_salt = sections[i].has_content = 1;
    set_field(&sections[i].salt, salts[i], SHORT_ID_BYTES);
    set_field(&sections[i].content, content.data, i == 0 ? content.length : 0);
    list[i] = &sections[i];
    json_t *section = json_object();
    put(section, "salt", salts[i], SHORT_ID_BYTES);
    put(section, "content", content.data, i == 0 ? content.length : 0);
    json_array_append_new(shown, section);
  }
  terms.sections = list;
  terms.n_sections = TERMS_SECTIONS;
  struct id commitment;
  MUST(terms_commitment(&terms, &commitment, NULL) == COLLEGA_OK);
  json_t *json =
      json_pack("{s:o,s:o}", "sections", shown, "commitment", hex_of(commitment.byte, ID_BYTES));
  arena_destroy(&arena);
  return json;
}

static json_t *make_invitation(void) {
  struct arena *arena = arena_new(65536, 1u << 24);
  Collega__Invitation invitation = COLLEGA__INVITATION__INIT;
  uint8_t broker[32], key[32], secret[32];
  memset(broker, 0xb0, sizeof broker);
  memset(key, 0xb1, sizeof key);
  memset(secret, 0xb2, sizeof secret);
  char *addresses[] = {"tcp://127.0.0.1:7440"};
  set_field(&invitation.broker, broker, sizeof broker);
  invitation.broker_name = "ACE West-Brabant";
  invitation.addresses = addresses;
  invitation.n_addresses = 1;
  set_field(&invitation.link_key, key, sizeof key);
  set_field(&invitation.secret, secret, sizeof secret);
  invitation.expires = NOW;
  invitation.name = "Snijder BV";
  invitation.kvk = "12345678";
  char token[INVITATION_TEXT_BYTES];
  MUST(invitation_write(&invitation, token, NULL) == COLLEGA_OK);
  struct bytes packed = message_pack(&invitation.base, arena);
  json_t *json =
      json_pack("{s:o,s:s}", "invitation", hex_of(packed.data, packed.length), "token", token);
  arena_destroy(&arena);
  return json;
}

const struct vector_file vector_files[] = {
    {"ids", make_ids, false},
    {"trees", make_trees, false},
    {"identities", make_identities, false},
    {"signatures", make_signatures, false},
    {"runs", make_runs, false},
    {"receipts", make_receipts, false},
    {"letter", make_letters, true},
    {"commitment", make_commitment, false},
    {"invitation", make_invitation, false},
};
const size_t vector_file_count = sizeof vector_files / sizeof *vector_files;
