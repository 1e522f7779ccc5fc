/* Members: cards, certificates, mandates and revocations in any order, by anyone. A party's cards
 * stay an unbroken chain, certificates the newest first, and nothing grows without end. */
#include "proto/members.h"

#include "tests/fuzz/fuzz.h"

#define PARTIES 16

struct seen {
  struct id parties[PARTIES];
  size_t count;
};

static void see(struct seen *seen, const struct id *party) {
  for (size_t i = 0; i < seen->count; i++)
    if (id_equal(&seen->parties[i], party)) return;
  if (seen->count < PARTIES) seen->parties[seen->count++] = *party;
}

static void check_party(struct members *members, const struct id *id) {
  const struct known_party *party = members_find(members, id);
  if (party == NULL) return;
  struct collega_error error;
  uint8_t key[32];
  fuzz_must(party->card_count > 0);
  for (size_t i = 0; i < party->card_count; i++)
    fuzz_must(party->cards[i].number == i);
  fuzz_must(party->cert_count <= PARTIES * CERTS_KEPT && party->mandate_count <= MANDATES_KEPT);
  for (size_t i = 1; i < party->cert_count; i++)
    fuzz_must(party->certs[i - 1].valid_from >= party->certs[i].valid_from);
  fuzz_must(known_party_name(party)[0] != '\0' && known_party_kvk(party) != NULL);
  const struct known_cert *cert = known_party_cert(party, NULL, FUZZ_NOW);
  fuzz_must(cert == NULL || (cert->valid_from <= FUZZ_NOW && FUZZ_NOW <= cert->valid_until));
  error_clear(&error);
  fuzz_must(members_signing_key(members, id, (uint32_t)party->card_count - 1, key, &error) ==
            COLLEGA_OK);
  fuzz_must(members_signing_key(members, id, (uint32_t)party->card_count, key, &error) !=
            COLLEGA_OK);
  for (size_t i = 0; i < party->mandate_count; i++) {
    const struct known_mandate *mandate = &party->mandates[i];
    error_clear(&error);
    fuzz_must(known_party_mandate(party, &mandate->record) != NULL);
    if (known_mandate_covers(party, &mandate->record, FUZZ_NOW, 5, &error) != COLLEGA_OK)
      fuzz_check_error(&error);
    else
      fuzz_must(!mandate->jointly && mandate->valid_from <= FUZZ_NOW);
  }
}

/* One byte: bit 0 forgives, bit 1 anchors, bit 2 restricts issuers, bit 3 takes it again. */
static void take(struct fuzz_input *input, struct members *members, struct seen *seen, uint64_t seq,
                 struct arena *arena) {
  uint8_t how = fuzz_byte(input);
  struct run_view view;
  struct collega_error error;
  error_clear(&error);
  fuzz_forgive(how & 1);
  if (run_read_bytes(fuzz_piece(input), arena, &view, &error) != COLLEGA_OK) {
    fuzz_check_error(&error);
    return;
  }
  see(seen, &view.signer);
  struct receipt_position anchor = {.origin = seen->parties[0], .seq = seq, .time = FUZZ_NOW};
  for (size_t i = 0; i < view.count; i++) {
    const Collega__Body *body = view.records[i].body;
    if (!body_is_members_class(body) || view.records[i].refused != NULL) continue;
    struct id subject;
    if (body->cert != NULL && id_from(&subject, body->cert->party.data, body->cert->party.len))
      see(seen, &subject);
    error_clear(&error);
    enum collega_status status =
        members_take(members, &view, i, how & 2 ? &anchor : NULL, how & 4 ? seen->parties : NULL,
                     how & 4 ? 1 : 0, &error);
    if (status != COLLEGA_OK) fuzz_check_error(&error);
    if (status == COLLEGA_OK && how & 8)
      fuzz_must(members_take(members, &view, i, NULL, NULL, 0, &error) == COLLEGA_OK);
  }
  error_clear(&error);
  if (members_verify_run(members, &view, &error) != COLLEGA_OK) fuzz_check_error(&error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  struct fuzz_input input = fuzz_begin(data, length);
  struct members *members = members_new(NULL, NULL);
  struct arena *arena = fuzz_arena();
  struct seen seen = {.count = 0};
  fuzz_must(members != NULL);
  for (uint64_t seq = 1; input.length > 0 && seq < 64; seq++) {
    arena_reset(arena);
    take(&input, members, &seen, seq, arena);
  }
  for (size_t i = 0; i < seen.count; i++)
    check_party(members, &seen.parties[i]);
  if (seen.count > 0) {
    members_forget(members, &seen.parties[0]);
    fuzz_must(members_find(members, &seen.parties[0]) == NULL);
  }
  arena_destroy(&arena);
  members_destroy(&members);
  return 0;
}
