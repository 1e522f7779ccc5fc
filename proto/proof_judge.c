/* Judging a proof without a ledger, a network or anybody's word.
 *
 * A list of questions, each with its own sentence, asked one by one and never stopped by the first
 * "no": whoever checks should see all that does not fit. Judged are the file's own bytes only; whether
 * the network that vouches is one to believe, the reader says with its fingerprint.
 *
 *   proof.c          the file: magic, closing hash, form
 *   proof_members.c  who is who: cards, certificates, mandates, receipts
 *   proof_deals.c    the agreement, its amendments, its end
 *   here             what is found, and the verdict
 */
#include <stdio.h>
#include <string.h>

#include "proto/proof_parts.h"

/* ---- findings */

static struct proof_finding *add(struct proof_case *judged, bool against) {
  struct proof_judgement *out = judged->out;
  if (against) judged->against++;
  if (out->finding_count == judged->capacity) {
    size_t capacity = judged->capacity ? 2 * judged->capacity : 32;
    struct proof_finding *grown = arena_take(judged->arena, capacity * sizeof *grown);
    if (!grown) {
      judged->exhausted = true;
      return NULL;
    }
    if (out->finding_count) memcpy(grown, out->findings, out->finding_count * sizeof *grown);
    out->findings = grown;
    judged->capacity = capacity;
  }
  struct proof_finding *finding = &out->findings[out->finding_count++];
  finding->against = against;
  error_clear(&finding->words);
  return finding;
}

void proof_fits(struct proof_case *judged, enum rule rule, const char *const arguments[4]) {
  struct proof_finding *finding = add(judged, false);
  if (!finding) return;
  error_set(&finding->words, COLLEGA_OK, rule, NULL, arguments[0], arguments[1], arguments[2],
            arguments[3], NULL);
}

void proof_fails_with(struct proof_case *judged, const char *where, enum rule rule,
                      const char *first, const char *second) {
  struct proof_finding *finding = add(judged, true);
  if (finding) error_set(&finding->words, COLLEGA_INVALID, rule, where, first, second, NULL);
}

void proof_fails(struct proof_case *judged, const char *where, enum rule rule) {
  proof_fails_with(judged, where, rule, NULL, NULL);
}

void proof_fails_error(struct proof_case *judged, const char *where,
                       const struct collega_error *error) {
  struct proof_finding *finding = add(judged, true);
  if (!finding) return;
  finding->words = *error;
  if (where) error_prefix(&finding->words, where);
}

/* ---- helpers of the parts */

bool proof_is_id(const ProtobufCBinaryData *field, const struct id *id) {
  return field->len == ID_BYTES && memcmp(field->data, id->byte, ID_BYTES) == 0;
}

const struct record *proof_record(struct proof_case *judged, const Collega__Run *run,
                                  Collega__BodyType type, const char *where,
                                  struct run_view *view) {
  struct collega_error error;
  error_clear(&error);
  if (run_read(run, judged->arena, view, &error) != COLLEGA_OK) {
    proof_fails_error(judged, where, &error);
    return NULL;
  }
  const struct record *record = &view->records[0];
  if (view->count != 1) {
    proof_fails(judged, where, RULE_proof_one_record);
    return NULL;
  }
  if (record->refused != NULL) {
    proof_fails_error(judged, where, record->refused);
    return NULL;
  }
  if (record->body->type != type) {
    proof_fails(judged, where, RULE_proof_kind);
    return NULL;
  }
  return record;
}

/* ---- the verdict */

/* The three whom the proof is about, from the first header. */
static bool find_parties(struct proof_case *judged) {
  struct run_view view;
  const struct record *header =
      proof_record(judged, judged->proof->deals[0]->header, COLLEGA__BODY_TYPE__BODY_TYPE_DEAL,
                   "deals[0].header", &view);
  if (!header) return false;
  const Collega__DealHeader *deal = header->body->deal;
  const Collega__Edge *edge = deal->edges[0];
  if (!id_from(&judged->lender, edge->lender.data, edge->lender.len) ||
      !id_from(&judged->borrower, edge->borrower.data, edge->borrower.len) ||
      !id_from(&judged->decider, deal->decider.data, deal->decider.len) ||
      id_equal(&judged->lender, &judged->borrower) || id_equal(&judged->lender, &judged->decider) ||
      id_equal(&judged->borrower, &judged->decider)) {
    proof_fails(judged, "deals[0].header", RULE_proof_parties_same);
    return false;
  }
  judged->out->deal = header->id;
  judged->out->broker = judged->decider;
  judged->out->lender.id = judged->lender;
  judged->out->borrower.id = judged->borrower;
  return true;
}

/* What the maker of the file says of itself and nobody signed: it may not contradict what was signed. */
static void judge_frame(struct proof_case *judged) {
  const Collega__Proof *proof = judged->proof;
  snprintf(judged->out->broker_name, sizeof judged->out->broker_name, "%s", proof->decider_name);
  const struct known_party *decider = members_find(judged->members, &judged->decider);
  const struct known_cert *itself =
      decider ? known_party_cert(decider, &judged->decider, judged->out->decided) : NULL;
  if (!itself) {
    proof_fits(judged, RULE_proof_name_unsigned, (const char *const[4]){proof->decider_name});
  } else if (strcmp(itself->name, proof->decider_name) != 0) {
    proof_fails_with(judged, "decider_name", RULE_proof_name, proof->decider_name, itself->name);
  }
}

static void judge_trust(struct proof_case *judged, const char *const *fingerprints, size_t count) {
  struct proof_judgement *out = judged->out;
  for (size_t i = 0; i < count; i++) {
    if (fingerprint_fits(fingerprints[i], &out->broker)) out->trusted = true;
  }
  char fingerprint[FINGERPRINT_BYTES];
  fingerprint_write(fingerprint, &out->broker);
  proof_fits(judged, out->trusted ? RULE_proof_trusted : RULE_proof_consistent,
             (const char *const[4]){out->broker_name, fingerprint});
}

enum collega_status proof_judge(struct bytes file, const char *const *fingerprints,
                                size_t fingerprint_count, struct arena *arena,
                                struct proof_judgement *out, struct collega_error *error) {
  memset(out, 0, sizeof *out);
  Collega__Proof *proof = NULL;
  bool hash_fits;
  enum collega_status status = proof_unpack_any(file, arena, &proof, &hash_fits, error);
  if (status != COLLEGA_OK) return status;

  struct proof_case judged = {.arena = arena, .proof = proof, .out = out};
  judged.members = members_new(NULL, NULL);
  judged.items = arena_zero(arena, proof->n_members * sizeof *judged.items);
  if (!hash_fits) proof_fails(&judged, NULL, RULE_proof_damaged);
  if (!judged.members || !judged.items) {
    judged.exhausted = true;
  } else if (find_parties(&judged)) {
    proof_judge_members(&judged);
    proof_judge_deals(&judged);
    judge_frame(&judged);
    if (judged.against == 0) judge_trust(&judged, fingerprints, fingerprint_count);
  }
  members_destroy(&judged.members);
  if (judged.exhausted || arena_exhausted(arena)) {
    return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  }
  out->valid = judged.against == 0;
  return COLLEGA_OK;
}
