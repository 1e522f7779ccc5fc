/* libcollega's judgement of proofs: proto/proof.h behind a door that promises less and keeps it longer. */
#include "client/library/node.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "proto/keys.h"
#include "proto/proof.h"

#define PROOF_MOST_BYTES  (16u * 1024u * 1024u)
#define JUDGE_ARENA_BYTES (256u * 1024u * 1024u)
#define FINDING_BYTES     1024

struct finding_text {
  int against;
  char text[2][FINDING_BYTES]; /* by enum language */
};
struct collega_judgement {
  struct arena *arena;
  struct proof_judgement judged;
  enum collega_verdict verdict;
  char fingerprint[FINGERPRINT_BYTES];
  struct finding_text *findings;
  size_t finding_count;
};

const char *collega_version(void) {
  return COLLEGA_VERSION;
}

static int add_finding(struct collega_judgement *judgement, const struct collega_error *words,
                       int against) {
  struct finding_text *finding = &judgement->findings[judgement->finding_count++];
  finding->against = against;
  error_render(LANGUAGE_EN, words, finding->text[LANGUAGE_EN], FINDING_BYTES);
  error_render(LANGUAGE_NL, words, finding->text[LANGUAGE_NL], FINDING_BYTES);
  return 0;
}

static int read_findings(struct collega_judgement *judgement, enum collega_status status,
                         const struct collega_error *error) {
  size_t count = status == COLLEGA_OK ? judgement->judged.finding_count : 1;
  judgement->findings = calloc(count ? count : 1, sizeof *judgement->findings);
  if (!judgement->findings) return -1;
  if (status != COLLEGA_OK) return add_finding(judgement, error, 1);
  for (size_t i = 0; i < count; ++i)
    add_finding(judgement, &judgement->judged.findings[i].words,
                judgement->judged.findings[i].against);
  return 0;
}

/* The two doors judge alike; what is no proof gives an error, whose words are the judgement. */
static enum collega_status judge(const void *file, size_t length, const char *const *trusted,
                                 size_t count, struct arena *arena, struct proof_judgement *out,
                                 struct collega_error *error) {
  if (length > PROOF_MOST_BYTES)
    return error_set(error, COLLEGA_INVALID, RULE_file_too_large, NULL, "file", "16777216", NULL);
  return proof_judge(bytes_of(file ? file : "", length), trusted, count, arena, out, error);
}

static bool have_all(const char *const *trusted, size_t count) {
  for (size_t i = 0; i < count; ++i)
    if (!trusted || !trusted[i]) return false;
  return true;
}

int collega_proof_judge(const void *file, size_t length, const char *const *trusted, size_t count,
                        struct collega_judgement **out) {
  struct collega_error error;
  error_clear(&error);
  if (!out) return -1;
  *out = NULL;
  if ((!file && length) || !have_all(trusted, count) || bytes_start(&error) != COLLEGA_OK)
    return -1;
  struct collega_judgement *judgement = calloc(1, sizeof *judgement);
  if (!judgement) return -1;
  judgement->arena = arena_new(65536, JUDGE_ARENA_BYTES);
  if (!judgement->arena) {
    collega_judgement_destroy(&judgement);
    return -1;
  }
  enum collega_status status =
      judge(file, length, trusted, count, judgement->arena, &judgement->judged, &error);
  if (status == COLLEGA_OK) {
    fingerprint_write(judgement->fingerprint, &judgement->judged.broker);
    judgement->verdict = !judgement->judged.valid    ? COLLEGA_VERDICT_INVALID
                         : judgement->judged.trusted ? COLLEGA_VERDICT_TRUSTED
                                                     : COLLEGA_VERDICT_CONSISTENT;
  }
  if (read_findings(judgement, status, &error) != 0) {
    collega_judgement_destroy(&judgement);
    return -1;
  }
  *out = judgement;
  return 0;
}

int collega_verify(const void *file, size_t length, const char *const *trusted, size_t count,
                   enum collega_language language, char **json, struct collega_failure *failure) {
  struct call call;
  struct proof_judgement judged;
  json_t *document = NULL;
  memset(&judged, 0, sizeof judged);
  enum collega_status status = call_begin_alone(&call, (int)language, json, failure);
  if (status == COLLEGA_OK && length) status = call_need(&call, file, "file");
  if (status == COLLEGA_OK && !have_all(trusted, count)) status = call_need(&call, NULL, "trusted");
  if (status != COLLEGA_OK) return call_end_bare(&call, status);
  status = judge(file, length, trusted, count, call.view.arena, &judged, &call.error);
  if (status == COLLEGA_OK) {
    document = document_judgement(&judged, call.language);
  } else if (status == COLLEGA_INVALID) {
    document = document_no_proof(&call.error, call.language);
    status = COLLEGA_OK;
  }
  return call_end(&call, status, document);
}

void collega_judgement_destroy(struct collega_judgement **judgement) {
  if (!judgement || !*judgement) return;
  arena_destroy(&(*judgement)->arena);
  free((*judgement)->findings);
  free(*judgement);
  *judgement = NULL;
}

enum collega_verdict collega_judgement_verdict(const struct collega_judgement *judgement) {
  return judgement->verdict;
}

static const struct proof_party *party_of(const struct collega_judgement *judgement,
                                          enum collega_side side) {
  return side == COLLEGA_SIDE_LENDER ? &judgement->judged.lender : &judgement->judged.borrower;
}

const char *collega_judgement_name(const struct collega_judgement *judgement,
                                   enum collega_side side) {
  return party_of(judgement, side)->name;
}

const char *collega_judgement_kvk(const struct collega_judgement *judgement,
                                  enum collega_side side) {
  return party_of(judgement, side)->kvk;
}

const char *collega_judgement_signatory(const struct collega_judgement *judgement,
                                        enum collega_side side) {
  return party_of(judgement, side)->mandate_person;
}

const char *collega_judgement_function(const struct collega_judgement *judgement,
                                       enum collega_side side) {
  return party_of(judgement, side)->mandate_function;
}

const char *collega_judgement_network(const struct collega_judgement *judgement) {
  return judgement->judged.broker_name;
}

const char *collega_judgement_fingerprint(const struct collega_judgement *judgement) {
  return judgement->fingerprint;
}

/* What was agreed may be read only from a proof that fits. */
static const Collega__TermsWork *work_of(const struct collega_judgement *judgement) {
  return judgement->judged.valid && judgement->judged.terms ? judgement->judged.terms->work : NULL;
}

uint32_t collega_judgement_headcount(const struct collega_judgement *judgement) {
  const Collega__TermsWork *work = work_of(judgement);
  return work ? work->headcount : 0;
}

uint32_t collega_judgement_people_left(const struct collega_judgement *judgement) {
  return reductions_left(collega_judgement_headcount(judgement), judgement->judged.reductions,
                         judgement->judged.reduction_count, INT32_MAX);
}

int32_t collega_judgement_from(const struct collega_judgement *judgement) {
  const Collega__TermsWork *work = work_of(judgement);
  return work ? work->from : 0;
}

int32_t collega_judgement_until(const struct collega_judgement *judgement) {
  const Collega__TermsWork *work = work_of(judgement);
  if (!work) return 0;
  return work->has_until ? work->until : INT32_MAX;
}

uint32_t collega_judgement_hours_per_week(const struct collega_judgement *judgement) {
  const Collega__TermsWork *work = work_of(judgement);
  return work ? work->hours_per_week : 0;
}

int64_t collega_judgement_concluded(const struct collega_judgement *judgement) {
  return judgement->judged.valid ? judgement->judged.decided : 0;
}

size_t collega_judgement_finding_count(const struct collega_judgement *judgement) {
  return judgement->finding_count;
}

const char *collega_judgement_finding(const struct collega_judgement *judgement, size_t index,
                                      enum collega_language language, int *against) {
  if (index >= judgement->finding_count) return NULL;
  if (against) *against = judgement->findings[index].against;
  return judgement->findings[index]
      .text[language == COLLEGA_LANGUAGE_DUTCH ? LANGUAGE_NL : LANGUAGE_EN];
}
