/* Writes seeds for every target into DIRECTORY/TARGET: make_seeds DIRECTORY. They are real messages:
 * every message of the schema filled by its rules, a proof made step by step, and the frames of a
 * play between a broker and two employers (stage.h). `tests/fuzz/corpus` holds what is left of them
 * and of what the fuzzers found after merging; see README.md there for how it is renewed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/process/process.h"
#include "client/exchange/ledger_file.h"
#include "client/exchange/transfer.h"
#include "proto/guard.h"
#include "proto/invitation.h"
#include "proto/json.h"
#include "proto/letter.h"
#include "proto/proof.h"
#include "proto/terms.h"
#include "tests/fuzz/seeds.h"
#include "tests/fuzz/stage.h"
#include "tests/support/agreement.h"
#include "tests/unit/proto/filler.h"

#define WHOLE_BYTES 4096

struct maker {
  const char *directory;
  size_t count; /* seeds written */
  /* frames of the play, by scene, by who hears them */
  struct buffer to_broker[SCENES], to_home[SCENES][STAGE_HOMES];
  struct buffer up, down; /* the same for the machines of the link, with a step before each */
};

/* ---- writing */

void write_seed(struct maker *maker, const char *target, struct buffer *seed) {
  char path[512];
  fuzz_must(!seed->failed);
  snprintf(path, sizeof path, "%s/%s", maker->directory, target);
  fuzz_must(mkdir(path, 0755) == 0 || errno == EEXIST);
  snprintf(path, sizeof path, "%s/%s/%04zu", maker->directory, target, maker->count++);
  FILE *file = fopen(path, "wb");
  fuzz_must(file != NULL);
  fuzz_must(fwrite(seed->data, 1, seed->length, file) == seed->length);
  fclose(file);
  buffer_free(seed);
  buffer_init(seed, 0);
}

void put_byte(struct buffer *out, unsigned byte) {
  uint8_t one = (uint8_t)byte;
  buffer_append(out, &one, 1);
}

void put_bytes(struct buffer *out, struct bytes bytes) {
  buffer_append(out, bytes.data, bytes.length);
}

void put_piece(struct buffer *out, struct bytes bytes) {
  fuzz_must(bytes.length <= PIECE_BYTES);
  put_byte(out, (unsigned)(bytes.length >> 8));
  put_byte(out, (unsigned)(bytes.length & 0xff));
  put_bytes(out, bytes);
}

struct bytes text_bytes(const char *text) {
  return bytes_of(text, strlen(text));
}

/* ---- the schema */

/* A message of each type stays in the corpora even where it reaches no code that another type does not: from there the
 * fuzzers go on. Long ones are left out. */
static void keep_whole(struct maker *maker, const char *target,
                       const ProtobufCMessageDescriptor *type, bool least,
                       const struct buffer *seed) {
  char path[512];
  if (seed->length > WHOLE_BYTES) return;
  const char *const parts[] = {"whole", target};
  snprintf(path, sizeof path, "%s", maker->directory);
  for (size_t i = 0; i < 2; i++) {
    snprintf(path + strlen(path), sizeof path - strlen(path), "/%s", parts[i]);
    fuzz_must(mkdir(path, 0755) == 0 || errno == EEXIST);
  }
  snprintf(path + strlen(path), sizeof path - strlen(path), "/%s_%s", type->short_name,
           least ? "least" : "full");
  fuzz_must(file_write(path, seed->data, seed->length, 0644, NULL) == COLLEGA_OK);
}

static void seed_message(struct maker *maker, ProtobufCMessage *message, bool with_faults,
                         bool least, struct arena *arena) {
  const ProtobufCMessageDescriptor *type = message->descriptor;
  struct buffer seed;
  struct bytes packed = message_pack(message, arena);
  if (packed.length > SEED_BYTES) return;
  buffer_init(&seed, 0);
  put_byte(&seed, fuzz_type_number(type));
  put_bytes(&seed, packed);
  if (with_faults) keep_whole(maker, "guard", type, least, &seed);
  write_seed(maker, "guard", &seed);
  json_t *json = json_from_message(message);
  fuzz_must(json != NULL);
  put_json(&seed, type, 0, json);
  if (with_faults) keep_whole(maker, "json", type, least, &seed);
  write_seed(maker, "json", &seed);
  if (with_faults) {
    seed_json_faults(maker, type, json);
    seed_wire_faults(maker, type, packed);
  }
  buffer_free(&seed);
  json_decref(json);
}

/* The types that target_check.c judges, in its order. */
static void seed_check(struct maker *maker, const ProtobufCMessage *message, uint8_t extra,
                       struct arena *arena) {
  static const ProtobufCMessageDescriptor *const types[] = {
      &collega__body__descriptor,        &collega__offer__descriptor,
      &collega__terms__descriptor,       &collega__salted_terms__descriptor,
      &collega__deal_header__descriptor, &collega__to_broker__descriptor,
      &collega__from_broker__descriptor};
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    if (types[i] != message->descriptor) continue;
    struct buffer seed;
    buffer_init(&seed, 0);
    put_byte(&seed, (unsigned)i);
    put_byte(&seed, extra);
    put_bytes(&seed, message_pack(message, arena));
    if (seed.length <= SEED_BYTES)
      write_seed(maker, "check", &seed);
    else
      buffer_free(&seed);
  }
}

static void seed_schema(struct maker *maker) {
  for (size_t i = 0; rules_at(i) != NULL; i++) {
    for (unsigned variant = 0; variant < 3; variant++) {
      struct arena *arena = arena_new(65536, (size_t)256 << 20);
      ProtobufCMessage *full = fill(rules_at(i)->type, variant, arena);
      ProtobufCMessage *least = fill_least(rules_at(i)->type, variant, arena);
      seed_message(maker, full, variant == 0, false, arena);
      if (variant == 0) seed_message(maker, least, true, true, arena);
      seed_check(maker, full, (uint8_t)variant, arena);
      seed_check(maker, least, 0, arena);
      arena_destroy(&arena);
    }
  }
}

/* A body of each type, with that content alone; the terms, salted and partly hidden. */
static void seed_meaning(struct maker *maker) {
  const struct message_rules *rules = rules_of(&collega__body__descriptor);
  for (uint32_t i = 0; i < rules->count; i++) {
    const struct field_rule *rule = &rules->fields[i];
    if (rule->message == NULL) continue;
    for (unsigned variant = 0; variant < 3; variant++) {
      struct arena *arena = arena_new(65536, (size_t)256 << 20);
      Collega__Body *body = (Collega__Body *)fill_least(&collega__body__descriptor, variant, arena);
      ProtobufCMessage *content = fill(rule->message, variant, arena);
      uint8_t *place = (uint8_t *)body + collega__body__descriptor.fields[i].offset;
      memcpy(place, &content, sizeof content);
      body->type = (Collega__BodyType)rule->number;
      seed_check(maker, &body->base, 0, arena);
      arena_destroy(&arena);
    }
  }
}

/* ---- people: records, members, letters, proofs, identities */

static void seed_record(struct maker *maker, const struct person *signer, const Collega__Run *run,
                        const Collega__ReceiptRun *receipt, bool forgiven, struct arena *arena) {
  struct buffer seed;
  buffer_init(&seed, 0);
  put_byte(&seed, forgiven);
  put_piece(&seed, bytes_of(identity_public(signer->identity)->signing, 32));
  put_piece(&seed, message_pack(&run->base, arena));
  put_piece(&seed, receipt == NULL ? bytes_of(NULL, 0) : message_pack(&receipt->base, arena));
  put_bytes(&seed, text_bytes("\x25\x0f"));
  write_seed(maker, "record", &seed);
}

static void seed_records(struct maker *maker, struct agreement_world *world) {
  struct arena *arena = world->arena;
  for (size_t i = 0; i < world->member_count; i++)
    seed_record(maker, &world->lender, world->members[i]->run, world->members[i]->receipt, i % 2,
                arena);
  for (size_t count = 1; count <= 9; count += 4) {
    struct id ids[9];
    Collega__ReceiptRun *receipt = NULL;
    Collega__Run *run = make_statuses(&world->lender, count, arena), *part = NULL;
    struct run_view view = view_of(run, arena);
    for (size_t i = 0; i < count; i++)
      ids[i] = view.records[i].id;
    fuzz_must(receipt_sign(world->broker.identity, &world->broker.epoch, 7, FUZZ_NOW, ids, count,
                           arena, &receipt, NULL, NULL) == COLLEGA_OK);
    seed_record(maker, &world->lender, run, receipt, true, arena);
    seed_record(maker, &world->lender, run, NULL, false, arena);
    seed_record(maker, &world->broker, run, receipt, false, arena);
    uint32_t last = (uint32_t)count - 1;
    fuzz_must(run_cut(&view, &last, 1, arena, &part, NULL) == COLLEGA_OK);
    seed_record(maker, &world->lender, part, receipt, true, arena);
  }
}

static void put_run(struct buffer *out, uint8_t how, const Collega__Run *run, struct arena *arena) {
  put_byte(out, how);
  put_piece(out, message_pack(&run->base, arena));
}

static void seed_members(struct maker *maker, struct agreement_world *world) {
  struct arena *arena = world->arena;
  struct buffer seed;
  char recovery[RECOVERY_TEXT_BYTES];
  struct person lender;
  struct id mandate, party;
  buffer_init(&seed, 0);
  person_make(&lender, 40, FUZZ_NOW - 30 * DAY_MS);
  party = *identity_party(lender.identity);
  Collega__Run *named = make_mandate(&lender, "A. Snijder", "directeur", 20, FUZZ_NOW - DAY_MS,
                                     FUZZ_NOW + DAY_MS, arena);
  mandate = first_id(named, arena);
  for (uint8_t how = 0; how < 16; how++) {
    put_run(&seed, how, person_card(&world->broker, 0, arena), arena);
    put_run(&seed, how, person_card(&lender, 0, arena), arena);
    for (int years = 1; years < 11; years++)
      put_run(&seed, how,
              make_cert(&world->broker, &party, "Snijder BV", "12345678", FUZZ_NOW - years * DAY_MS,
                        FUZZ_NOW + years * DAY_MS, arena),
              arena);
    put_run(&seed, how, named, arena);
    put_run(&seed, how, make_mandate_end(&lender, &mandate, FUZZ_NOW, arena), arena);
    put_run(&seed, how, make_revocation(&world->broker, &party, 9, FUZZ_NOW, arena), arena);
    write_seed(maker, "members", &seed);
  }
  /* A card that a thief rotated, beaten by the recovery key. */
  struct person again;
  person_make(&again, 40, FUZZ_NOW - 30 * DAY_MS);
  person_recovery_text(40, recovery);
  for (int twice = 0; twice < 2; twice++)
    fuzz_must(identity_rotate(lender.identity, &lender.epoch, ++lender.seq, FUZZ_NOW, NULL) ==
              COLLEGA_OK);
  fuzz_must(identity_recover(again.identity, recovery, &again.epoch, 77, FUZZ_NOW, NULL) ==
            COLLEGA_OK);
  for (uint8_t how = 0; how < 4; how++) {
    put_run(&seed, how, person_card(&lender, 0, arena), arena);
    put_run(&seed, how, person_card(&lender, 1, arena), arena);
    put_run(&seed, how, make_mandate(&lender, "D. Dief", "dief", 0, FUZZ_NOW - DAY_MS, 0, arena),
            arena);
    put_run(&seed, how, person_card(&lender, 2, arena), arena);
    put_run(&seed, how, person_card(&again, 1, arena), arena);
    write_seed(maker, "members", &seed);
  }
  person_clear(&again);
  person_clear(&lender);
  buffer_free(&seed);
}

/* An envelope as it is sent, and one whose box is its plain content, for who forgives. */
static void seed_letters(struct maker *maker, struct agreement_world *world) {
  struct arena *arena = world->arena;
  struct person sender, recipient;
  struct members *members = members_new(NULL, NULL);
  struct agreement agreement;
  struct bytes packed = {NULL, 0};
  struct buffer seed;
  const Collega__Envelope *envelope = NULL;
  const Collega__Letter *opened = NULL;
  buffer_init(&seed, 0);
  person_make(&sender, 2, FUZZ_NOW - DAY_MS);
  person_make(&recipient, 3, FUZZ_NOW - DAY_MS);
  fuzz_must(take_run(members, person_card(&sender, 0, arena), NULL, NULL, arena) == COLLEGA_OK);
  fuzz_must(take_run(members, person_card(&recipient, 0, arena), NULL, NULL, arena) == COLLEGA_OK);
  agreement_conclude(world, &agreement, NULL);
  Collega__Letter letter = COLLEGA__LETTER__INIT;
  Collega__Run *runs[] = {make_statuses(&sender, 2, arena)};
  set_field(&letter.from, identity_party(sender.identity)->byte, ID_BYTES);
  set_field(&letter.to, identity_party(recipient.identity)->byte, ID_BYTES);
  set_field(&letter.epoch, sender.epoch.byte, EPOCH_BYTES);
  letter.seq = 5;
  letter.runs = runs;
  letter.n_runs = 1;
  for (int with = 0; with < 2; with++) {
    letter.terms = with ? agreement.salted : NULL;
    fuzz_must(letter_seal(sender.identity,
                          members_find(members, identity_party(recipient.identity)), &letter, with,
                          FUZZ_NOW, arena, &packed, NULL) == COLLEGA_OK);
    for (uint8_t how = 0; how < 8; how++) {
      put_byte(&seed, how);
      put_bytes(&seed, packed);
      write_seed(maker, "letter", &seed);
    }
    fuzz_must(envelope_read(packed, arena, &envelope, NULL) == COLLEGA_OK);
    uint8_t *plain = arena_take(arena, envelope->sealed.len);
    size_t length = 0;
    fuzz_must(identity_unseal(recipient.identity, 0,
                              bytes_of(envelope->sealed.data, envelope->sealed.len), plain,
                              &length));
    Collega__Envelope bare = *envelope;
    uint8_t *box = arena_zero(arena, envelope->sealed.len);
    memcpy(box + envelope->sealed.len - length, plain, length);
    set_field(&bare.sealed, box, envelope->sealed.len);
    if (bare.has_copy) set_field(&bare.copy, box, envelope->sealed.len);
    for (uint8_t how = 1; how < 8; how += 2) {
      put_byte(&seed, how);
      put_bytes(&seed, message_pack(&bare.base, arena));
      write_seed(maker, "letter", &seed);
    }
    fuzz_must(letter_open(recipient.identity, members, envelope, arena, &opened, NULL) ==
              COLLEGA_OK);
  }
  buffer_free(&seed);
  members_destroy(&members);
  person_clear(&recipient);
  person_clear(&sender);
}

static void seed_proof(struct maker *maker, const Collega__Proof *proof, struct arena *arena) {
  struct buffer seed;
  struct bytes file = proof_pack(proof, arena);
  buffer_init(&seed, 0);
  for (uint8_t how = 0; how < 2; how++) {
    put_byte(&seed, how);
    put_bytes(&seed, file);
    write_seed(maker, "proof", &seed);
  }
  put_byte(&seed, 0); /* the closing hash does not fit */
  put_bytes(&seed, file);
  seed.data[seed.length - 1] ^= 1;
  write_seed(maker, "proof", &seed);
  buffer_free(&seed);
}

/* Something about an agreement is not as it should be. */
static void too_late(struct agreement_world *world, struct agreement *agreement,
                     enum agreement_stage stage) {
  (void)world;
  if (stage == STAGE_DECISION) agreement->decision.time = agreement->header.accept_by + DAY_MS;
}

static void too_many(struct agreement_world *world, struct agreement *agreement,
                     enum agreement_stage stage) {
  (void)world;
  if (stage == STAGE_TERMS) agreement->work.headcount = 25;
}

static void by_a_stranger(struct agreement_world *world, struct agreement *agreement,
                          enum agreement_stage stage) {
  if (stage == STAGE_ACCEPTANCE) agreement->acceptor = &world->stranger;
}

static void seed_proofs(struct maker *maker) {
  static const agreement_twist twists[] = {NULL, too_late, too_many, by_a_stranger};
  for (size_t i = 0; i < sizeof twists / sizeof twists[0]; i++) {
    struct agreement_world world;
    struct agreement first, second;
    agreement_world_make(&world, (uint8_t)(10 * i + 1));
    struct agreement *deals[] = {&first, &second};
    agreement_conclude(&world, &first, twists[i]);
    seed_proof(maker, agreement_proof(&world, deals, 1), world.arena);
    agreement_amend(&world, &first, &first.decision_id, 2, &second, twists[i]);
    if (i % 2 == 0) agreement_terminate(&world, &first, &second, 3, NULL);
    agreement_add_member(&world,
                         make_revocation(&world.broker, identity_party(world.lender.identity), 9,
                                         AGREEMENT_NOW + DAY_MS, world.arena),
                         AGREEMENT_NOW + DAY_MS);
    Collega__SaltedTerms *hidden = NULL;
    fuzz_must(terms_hide(first.salted, 6, world.arena, &hidden, NULL) == COLLEGA_OK);
    Collega__Proof *proof = agreement_proof(&world, deals, 2);
    seed_proof(maker, proof, world.arena);
    proof->deals[0]->terms = hidden;
    seed_proof(maker, proof, world.arena);
    seed_check(maker, &first.salted->base, 5, world.arena);
    seed_check(maker, &hidden->base, 255, world.arena);
    seed_check(maker, &first.header.base, 0, world.arena);
    agreement_world_clear(&world);
  }
}

static void seed_decision(struct maker *maker, Collega__Decision *decision, struct arena *arena) {
  Collega__Body *body = (Collega__Body *)fill_least(&collega__body__descriptor, 0, arena);
  body->type = COLLEGA__BODY_TYPE__BODY_TYPE_DECISION;
  body->decision = decision;
  seed_check(maker, &body->base, 0, arena);
}

/* An agreement of which parts ended, before and after it was amended. */
static void seed_parts(struct maker *maker) {
  struct agreement_world world;
  struct agreement first, second;
  struct agreement_part one, two, three;
  agreement_world_make(&world, 91);
  struct agreement *deals[] = {&first, &second};
  Collega__ProofReduction *parts[] = {&one.proved, &two.proved, &three.proved};
  agreement_conclude(&world, &first, NULL);
  agreement_reduce(&world, &first, &world.lender, NULL, 2, &one, NULL);
  agreement_reduce(&world, &first, &world.borrower, &one, 3, &two, NULL);
  Collega__Proof *proof = agreement_proof(&world, deals, 1);
  proof->reductions = parts;
  for (size_t count = 1; count <= 2; count++) { /* the newest left out, and all */
    proof->n_reductions = count;
    seed_proof(maker, proof, world.arena);
  }
  agreement_amend(&world, &first, &two.decision_id, 4, &second, NULL);
  agreement_reduce(&world, &second, &world.borrower, NULL, 5, &three, NULL);
  agreement_end_after(&second, &three);
  agreement_terminate(&world, &first, &second, 6, NULL);
  proof = agreement_proof(&world, deals, 2);
  proof->reductions = parts;
  proof->n_reductions = 3;
  seed_proof(maker, proof, world.arena);
  seed_decision(maker, &first.decision, world.arena);
  seed_decision(maker, &second.decision, world.arena);
  seed_decision(maker, &two.decision, world.arena);
  seed_decision(maker, &three.decision, world.arena);
  agreement_world_clear(&world);
}

static void seed_identities(struct maker *maker) {
  char recovery[RECOVERY_TEXT_BYTES], path[256];
  struct buffer seed;
  buffer_init(&seed, 0);
  for (uint8_t cards = 0; cards < 3; cards++) {
    struct person person;
    person_make(&person, (uint8_t)(50 + cards), FUZZ_NOW - 300 * DAY_MS);
    person_recovery_text((uint8_t)(50 + cards), recovery);
    for (uint8_t i = 0; i < cards; i++)
      fuzz_must(identity_rotate(person.identity, &person.epoch, ++person.seq,
                                FUZZ_NOW - (200 - 150 * i) * DAY_MS, NULL) == COLLEGA_OK);
    fuzz_must(identity_save(person.identity, fuzz_directory(), NULL) == COLLEGA_OK);
    snprintf(path, sizeof path, "%s/identity", fuzz_directory());
    char text[16384];
    FILE *file = fopen(path, "rb");
    fuzz_must(file != NULL);
    size_t length = fread(text, 1, sizeof text, file);
    fclose(file);
    static const uint8_t hows[] = {0, 1, 2, 6};
    for (size_t i = 0; i < sizeof hows; i++) {
      put_byte(&seed, hows[i]);
      put_piece(&seed, text_bytes(i == 3 ? "0000" : recovery));
      put_bytes(&seed, bytes_of(text, length));
      write_seed(maker, "identity", &seed);
    }
    person_clear(&person);
  }
  buffer_free(&seed);
}

static void seed_invitations(struct maker *maker) {
  struct arena *arena = arena_new(65536, 1u << 20);
  struct buffer seed;
  buffer_init(&seed, 0);
  for (unsigned variant = 0; variant < 4; variant++) {
    ProtobufCMessage *message = fill(&collega__invitation__descriptor, variant, arena);
    char text[INVITATION_TEXT_BYTES];
    put_byte(&seed, 1);
    put_bytes(&seed, message_pack(message, arena));
    write_seed(maker, "invitation", &seed);
    if (invitation_write((Collega__Invitation *)message, text, NULL) != COLLEGA_OK) continue;
    put_byte(&seed, 0);
    put_bytes(&seed, text_bytes(" \n"));
    put_bytes(&seed, text_bytes(text));
    write_seed(maker, "invitation", &seed);
  }
  buffer_free(&seed);
  arena_destroy(&arena);
}

/* ---- texts */

static void seed_texts(struct maker *maker) {
  static const char *const words[][2] = {{"2027-01-31T23:00:00Z", "2027-01-31"},
                                         {"2027-03-28T02:30:00.250+01:00", "é漢"},
                                         {"2028-02-29", "12345678"},
                                         {"headcount_range", "1"},
                                         {"offer_below_holds", "2027-01-04"},
                                         {"0123 4567 89ab cdef 0123 4567 89ab cdef", "nl_NL"},
                                         {"00112233445566778899aabbccddeeff", "en"},
                                         {"3a", "\xe2\x80\xae"},
                                         {"rates,persons,contact", "x"},
                                         {"medewerker magazijn", "warehouse"},
                                         {"4321", "AM25"},
                                         {"AM25", "4811AB"},
                                         {"4811", "mon-am"},
                                         {"sun-ni", "forklift"},
                                         {"bsn 111222333 hier", "123456782"},
                                         {"Y29sbGVnYQ", "base64"}};
  struct buffer seed;
  buffer_init(&seed, 0);
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    put_byte(&seed, (unsigned)(20 + i));
    put_piece(&seed, text_bytes(words[i][0]));
    put_bytes(&seed, text_bytes(words[i][1]));
    write_seed(maker, "words", &seed);
  }
  static const char *const settings[] = {
      "\x01[link]\nlisten = tcp://127.0.0.1:0\n[http]\nlisten = off\n",
      "\x01; only a comment\n[store]\nmap_gib = 64\n[broker]\nworkers = 2\n",
      "\x01[store]\nmap_gib = 0\n",
      "\x01[link]\nlisten=x\nunknown = 1\n",
      "\x01no section = 1\n",
      "\x02[link]\nreconnect_spread_ms = 100\n[follow]\nkinds = loan_out\n  loan_in\n"};
  for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
    put_bytes(&seed, text_bytes(settings[i]));
    write_seed(maker, "config", &seed);
  }
  static const char *const requests[] = {
      "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
      "GET /healthz HTTP/1.0\r\n\r\n",
      "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
      "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
      "GET /%2e%2e/etc/passwd?x=1 HTTP/1.1\r\nHost: x\r\nCookie: a=b\r\n\r\n",
      "POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
      "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"};
  for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
    put_bytes(&seed, text_bytes(requests[i]));
    write_seed(maker, "http", &seed);
  }
  static const char *const sheets[] = {
      "kind,title,occupation.isco,headcount,period.from,period.until,hours.per_week_min,"
      "hours.per_week_max,place.postcode,place.region,hours.slots,skills.must,languages.nice,"
      "credentials.must,private.reference\r\n"
      "loan_out,\"Magazijn, \"\"vroeg\"\"\",4321,4,2027-02-01,2027-03-01,24,40,4811,AM25,"
      "\"mon-am;tue-pm\",orderpicken;laden,nl:B1;en,forklift,HR-1\r\n"
      "loan_in,,abcd,x,2027-13-01,,,,,,,,,,\r\n",
      "\xef\xbb\xbfkind;title;occupation.isco;headcount;period.from;period.until;hours.per_week_"
      "min;"
      "hours.per_week_max;place.region\nloan_out;Schilders;7131;2;2027-02-01;2027-03-01;24;40;"
      "AM25\n"
      ";;;;;;;;\n\"open",
      "kind,kind,nonsense\n", "title\nx\n"};
  for (size_t i = 0; i < sizeof sheets / sizeof sheets[0]; i++) {
    put_bytes(&seed, text_bytes(sheets[i]));
    write_seed(maker, "csv", &seed);
  }
  for (unsigned size = 1; size < 400; size = size * 3 + 1) {
    put_byte(&seed, (size - 1) >> 8);
    put_byte(&seed, (size - 1) & 0xff);
    for (unsigned i = 0; i < size / 4 + 8; i++)
      put_byte(&seed, i * 37 + size);
    write_seed(maker, "tree", &seed);
  }
  buffer_free(&seed);
}

/* ---- the play */

static void see(void *context, enum scene last, int home, bool to_broker, struct bytes packed) {
  struct maker *maker = context;
  if (packed.length > PIECE_BYTES) return;
  if (to_broker) {
    put_byte(&maker->to_broker[last], home < 0 ? 2 : (unsigned)home);
    put_piece(&maker->to_broker[last], packed);
    put_byte(&maker->up, (unsigned)(home < 0 ? 2 : home) << 4 | 7);
    put_byte(&maker->up, 0);
    put_piece(&maker->up, packed);
  } else {
    fuzz_must(home >= 0 && home < STAGE_HOMES);
    put_piece(&maker->to_home[last][home], packed);
    put_byte(&maker->down, 4);
    put_byte(&maker->down, 0);
    put_piece(&maker->down, packed);
  }
}

/* One seed with all of it, and one for each frame. */
static void seed_frames(struct maker *maker, const char *target, unsigned how,
                        const struct buffer *frames, bool with_who) {
  struct buffer seed;
  buffer_init(&seed, 0);
  put_byte(&seed, how);
  buffer_append(&seed, frames->data, frames->length < SEED_BYTES ? frames->length : SEED_BYTES);
  write_seed(maker, target, &seed);
  size_t head = with_who ? 3 : 2;
  for (size_t at = 0; at + head <= frames->length;) {
    size_t length = (size_t)frames->data[at + head - 2] << 8 | frames->data[at + head - 1];
    put_byte(&seed, how);
    buffer_append(&seed, frames->data + at, head + length);
    write_seed(maker, target, &seed);
    at += head + length;
  }
  buffer_free(&seed);
}

/* A sequence for one side of the link: Hello or Welcome is somewhere in it, ticks are between. */
static void seed_link(struct maker *maker, const char *target, const struct buffer *steps,
                      struct bytes before) {
  struct buffer seed;
  buffer_init(&seed, 0);
  for (size_t at = 0; at + 4 <= steps->length;) {
    put_bytes(&seed, before);
    while (at + 4 <= steps->length) {
      size_t length = 4 + ((size_t)steps->data[at + 2] << 8 | steps->data[at + 3]);
      if (seed.length + length > SEED_BYTES / 8 && seed.length > before.length) break;
      buffer_append(&seed, steps->data + at, length);
      at += length;
    }
    write_seed(maker, target, &seed);
  }
  buffer_free(&seed);
}

/* Says Hello on every connection; a handshake as libzmq asks about it; time, reads, ends. */
static void greet_broker(struct arena *arena, struct buffer *out) {
  static const char *const frames[] = {"1.0", "1", "collega", "192.0.2.1", "", "CURVE"};
  static const uint8_t steps[] = {2, 0, 90, 3, 0, 9, 5, 7, 6, 0, 4, 0, 2, 0, 200, 0x31, 0};
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  frame.hello = (Collega__Hello *)fill(&collega__hello__descriptor, 0, arena);
  frame.hello->version = 1;
  for (unsigned connection = 0; connection < 3; connection++) {
    put_byte(out, connection << 4 | 7);
    put_byte(out, 0);
    put_piece(out, message_pack(&frame.base, arena));
  }
  uint8_t key[32];
  memset(key, 1, sizeof key);
  put_byte(out, 0);
  put_byte(out, 0);
  put_byte(out, 7);
  for (size_t i = 0; i < 6; i++)
    put_piece(out, text_bytes(frames[i]));
  put_piece(out, bytes_of(key, sizeof key));
  buffer_append(out, steps, sizeof steps);
}

/* Connects and is welcomed; time passes, something may be sent. */
static void greet_node(struct arena *arena, struct buffer *out) {
  static const uint8_t connect[] = {0, 1, 0, 0, 0, 0, 0},
                       later[] = {0, 0, 0, 0, 80, 0, 0, 0, 0, 0, 3, 1};
  Collega__FromBroker frame = COLLEGA__FROM_BROKER__INIT;
  frame.welcome = (Collega__Welcome *)fill(&collega__welcome__descriptor, 0, arena);
  frame.welcome->version = 1;
  buffer_append(out, connect, sizeof connect);
  put_byte(out, 4);
  put_byte(out, 0);
  put_piece(out, message_pack(&frame.base, arena));
  buffer_append(out, later, sizeof later);
}

/* Every kind of frame, small, after a greeting. */
static void seed_kinds(struct maker *maker, const char *target, struct bytes before,
                       const ProtobufCMessageDescriptor *type, unsigned step) {
  for (unsigned i = 0; i < type->n_fields; i++) {
    struct arena *arena = arena_new(65536, (size_t)64 << 20);
    struct buffer seed;
    ProtobufCMessage *frame = arena_zero(arena, type->sizeof_message);
    ProtobufCMessage *content = fill(type->fields[i].descriptor, 1, arena);
    protobuf_c_message_init(type, frame);
    memcpy((uint8_t *)frame + type->fields[i].offset, &content, sizeof content);
    struct bytes packed = message_pack(frame, arena);
    buffer_init(&seed, 0);
    put_bytes(&seed, before);
    for (int times = 0; times < 4; times++) {
      put_byte(&seed, step);
      put_byte(&seed, 1);
      put_piece(&seed, packed);
    }
    if (seed.length <= SEED_BYTES) write_seed(maker, target, &seed);
    buffer_free(&seed);
    arena_destroy(&arena);
  }
}

/* A scene's ledger as a file, as it is and in pieces (target_ledger_import.c). */
static void seed_pieces(struct maker *maker, const char *path, unsigned how) {
  struct arena *arena = arena_new(65536, (size_t)64 << 20);
  struct ledger_file *file = NULL;
  struct buffer seed;
  struct bytes frame;
  buffer_init(&seed, 0);
  put_byte(&seed, how | 8);
  fuzz_must(ledger_file_open(path, &file, NULL) == COLLEGA_OK);
  fuzz_must(ledger_file_next(file, LEDGER_START_BYTES, arena, &frame, NULL) == COLLEGA_OK);
  while (ledger_file_next(file, PIECE_BYTES, arena, &frame, NULL) == COLLEGA_OK &&
         seed.length + frame.length + 2 <= SEED_BYTES)
    put_piece(&seed, frame);
  write_seed(maker, "ledger_import", &seed);
  ledger_file_close(&file);
  arena_destroy(&arena);
}

static void seed_ledger(struct maker *maker, const char *home, unsigned how) {
  char path[128];
  uint64_t entries;
  struct exchange *exchange = NULL;
  struct buffer content, seed;
  snprintf(path, sizeof path, "%s/ledger-file", fuzz_directory());
  fuzz_must(exchange_open(home, &exchange, NULL) == COLLEGA_OK);
  fuzz_must(node_export(exchange, path, FUZZ_NOW, NULL, NULL, &entries, NULL) == COLLEGA_OK);
  exchange_close(&exchange);
  fuzz_must(file_read(path, (size_t)1 << 24, &content, NULL) == COLLEGA_OK);
  buffer_init(&seed, 0);
  put_byte(&seed, how & ~16u);
  put_bytes(&seed,
            bytes_of(content.data, content.length < SEED_BYTES ? content.length : SEED_BYTES));
  write_seed(maker, "ledger_import", &seed);
  seed_pieces(maker, path, how);
  buffer_free(&content);
  fuzz_must(remove(path) == 0);
}

static void seed_ledgers(struct maker *maker, const struct stage *stage) {
  for (unsigned scene = 0; scene < SCENES; scene++)
    for (unsigned home = 0; home < STAGE_HOMES; home++)
      seed_ledger(maker, stage_copy(stage, (enum scene)scene, home ? "home1" : "home0"),
                  scene | home << 2 | 16);
}

static void seed_play(struct maker *maker) {
  struct stage stage;
  for (size_t i = 0; i < SCENES; i++) {
    buffer_init(&maker->to_broker[i], 0);
    for (size_t home = 0; home < STAGE_HOMES; home++)
      buffer_init(&maker->to_home[i][home], 0);
  }
  buffer_init(&maker->up, 0);
  buffer_init(&maker->down, 0);
  stage_make(&stage, see, maker);
  for (unsigned i = 0; i < SCENES; i++) {
    seed_frames(maker, "commit", i, &maker->to_broker[i], true);
    for (unsigned home = 0; home < STAGE_HOMES; home++)
      seed_frames(maker, "intake", i | home << 2 | 8, &maker->to_home[i][home], false);
  }
  seed_ledgers(maker, &stage);
  struct arena *arena = arena_new(65536, 1u << 22);
  struct buffer broker, node;
  buffer_init(&broker, 0);
  buffer_init(&node, 0);
  greet_broker(arena, &broker);
  greet_node(arena, &node);
  struct bytes to_broker = bytes_of(broker.data, broker.length);
  struct bytes to_node = bytes_of(node.data, node.length);
  seed_link(maker, "link_broker", &maker->up, to_broker);
  seed_link(maker, "link_node", &maker->down, to_node);
  seed_kinds(maker, "link_broker", to_broker, &collega__to_broker__descriptor, 7);
  seed_kinds(maker, "link_node", to_node, &collega__from_broker__descriptor, 4);
  buffer_free(&broker);
  buffer_free(&node);
  arena_destroy(&arena);
  identity_destroy(&stage.broker);
}

int main(int count, char **arguments) {
  if (count != 2) {
    fprintf(stderr, "usage: make_seeds DIRECTORY\n");
    return EXIT_FAILURE;
  }
  LLVMFuzzerInitialize(&count, &arguments);
  (void)fuzz_begin(NULL, 0);
  struct maker maker = {.directory = arguments[1]};
  fuzz_must(mkdir(maker.directory, 0755) == 0 || errno == EEXIST);
  seed_schema(&maker);
  seed_meaning(&maker);
  seed_invitations(&maker);
  seed_identities(&maker);
  seed_texts(&maker);
  seed_imports(&maker);
  struct agreement_world world;
  agreement_world_make(&world, 1);
  seed_records(&maker, &world);
  seed_members(&maker, &world);
  seed_letters(&maker, &world);
  agreement_world_clear(&world);
  seed_proofs(&maker);
  seed_parts(&maker);
  seed_play(&maker);
  printf("%zu seeds\n", maker.count);
  return EXIT_SUCCESS;
}
