/* The agreement in a proof: header, acceptance, terms and decision of each entry in the register's
 * chain, and how they hang together. A forger who holds none of the keys can still take true parts of
 * other agreements and put them in one file: so every part is held against every other that names it.
 */
#include <stdio.h>
#include <string.h>

#include "proto/limits.h"
#include "proto/proof_parts.h"
#include "proto/terms.h"

/* Parties' clocks follow the broker's, which they are told at every Welcome; between two of them they
 * may drift. */
#define STEP_BACK_MS HOUR_MS /* by which one clock may have been set back */

#define AGAIN_MOST 2 /* as the schema allows */

/* Where the chain stands after the entries so far. */
struct chain {
  struct id deal; /* of the agreement */
  struct id root;
  struct id last;     /* deal of the last entry: the agreement, or the last amendment */
  struct id decision; /* the last entry, and as it was said again */
  struct id again[AGAIN_MOST];
  size_t again_count;
  uint32_t position;
  collega_time decided;
  struct reduction parts[REDUCTIONS_MOST]; /* of the last entry's deal, that one party ended */
  size_t part_count;
};

/* One entry, read. */
struct entry_read {
  char where_header[40], where_acceptance[40], where_terms[40], where_decision[40];
  struct run_view header_view, acceptance_view, decision_view;
  const struct record *header, *acceptance, *decision;
  const struct id *proposer, *other;
};

/* ---- signatures and mandates */

/* The signature of a party or of the decider, over what was decided at `decided`. */
static void judge_signature(struct proof_case *judged, const char *where,
                            const struct run_view *view, collega_time decided) {
  struct collega_error error;
  error_clear(&error);
  const struct receipt_position at = {.origin = judged->decider, .time = decided};
  const struct known_card *card = NULL;
  if (members_verify_anchored(judged->members, view, &at, &card, &error) != COLLEGA_OK) {
    proof_fails_error(judged, where, &error);
    return;
  }
  const struct known_party *party = members_find(judged->members, &view->signer);
  if (!party || !card) return; /* not verified, so said above */
  const struct receipt_position *anchor = proof_anchor(judged, &card->record);
  if (anchor && anchor->time > decided) proof_fails(judged, where, RULE_proof_card_late);
  if (party->revoked && party->revoked_at.time <= decided) {
    proof_fails_with(judged, where, RULE_proof_revoked, known_party_name(party), NULL);
  }
}

struct signing {
  const char *where;
  const struct id *party;
  const ProtobufCBinaryData *mandate; /* NULL: none named */
  collega_time time, decided;
  uint32_t headcount; /* 0: not shown */
};

static const struct known_mandate *covering_mandate(struct proof_case *judged,
                                                    const struct signing *signing,
                                                    const struct known_party *party) {
  struct id id;
  struct collega_error error;
  error_clear(&error);
  if (!id_from(&id, signing->mandate->data, signing->mandate->len) ||
      known_mandate_covers(party, &id, signing->time, signing->headcount, &error) != COLLEGA_OK) {
    proof_fails_error(judged, signing->where, &error);
    return NULL;
  }
  const struct known_mandate *mandate = known_party_mandate(party, &id);
  if (id_is_zero(&mandate->anchor.origin) || mandate->anchor.time > signing->decided) {
    proof_fails_with(judged, signing->where, RULE_proof_mandate_late, mandate->person, NULL);
    return NULL;
  }
  /* When it was signed only the signer says; when it was decided, the decider does. The end of a mandate in between
   * would let whoever holds the key date a signature back. */
  if (mandate_covers(mandate, mandate_time(mandate, signing->decided), signing->headcount,
                     &error) != COLLEGA_OK) {
    proof_fails_error(judged, signing->where, &error);
    return NULL;
  }
  return mandate;
}

/* Who signed for a party, and whether that person could. `print` (may be NULL) gets the name. */
static void judge_mandate(struct proof_case *judged, const struct signing *signing,
                          struct proof_party *print) {
  char time[32];
  time_write(time, sizeof time, signing->time);
  if (signing->time > signing->decided + CLOCKS_APART_MS) {
    proof_fails_with(judged, signing->where, RULE_proof_signed_later, time, NULL);
  }
  const struct known_party *party = members_find(judged->members, signing->party);
  if (!party) return; /* said where its card is missing */
  const char *name = known_party_name(party);
  if (!signing->mandate) {
    proof_fits(judged, RULE_proof_not_named, (const char *const[4]){name, time});
    return;
  }
  const struct known_mandate *mandate = covering_mandate(judged, signing, party);
  if (!mandate) return;
  proof_fits(judged, RULE_proof_signed,
             (const char *const[4]){mandate->person, mandate->function, name, time});
  if (mandate->headcount_limit && signing->headcount == 0) {
    char limit[16];
    snprintf(limit, sizeof limit, "%u", (unsigned)mandate->headcount_limit);
    proof_fits(judged, RULE_proof_limit_hidden, (const char *const[4]){mandate->person, limit});
  }
  if (!print) return;
  print->named = true;
  snprintf(print->mandate_person, sizeof print->mandate_person, "%s", mandate->person);
  snprintf(print->mandate_function, sizeof print->mandate_function, "%s", mandate->function);
}

/* Both parties certified by the decider when it decided. */
static void judge_certificate(struct proof_case *judged, const char *where,
                              struct proof_party *print, collega_time decided, bool say) {
  const struct known_party *party = members_find(judged->members, &print->id);
  if (!party) return; /* said where its card is missing */
  const struct known_cert *cert = known_party_cert(party, &judged->decider, decided);
  char time[32];
  time_write(time, sizeof time, decided);
  if (!cert) {
    proof_fails_with(judged, where, RULE_proof_cert_missing, known_party_name(party), time);
    return;
  }
  if (!say) return;
  snprintf(print->name, sizeof print->name, "%s", cert->name);
  snprintf(print->kvk, sizeof print->kvk, "%s", cert->kvk);
  proof_fits(judged, RULE_proof_certified, (const char *const[4]){cert->name, cert->kvk, time});
}

/* ---- said again */

static bool names_last(const ProtobufCBinaryData *field, const struct chain *chain) {
  bool names = proof_is_id(field, &chain->decision);
  for (size_t i = 0; i < chain->again_count && !names; i++)
    names = proof_is_id(field, &chain->again[i]);
  return names;
}

static bool same_field(const ProtobufCBinaryData *one, const ProtobufCBinaryData *other) {
  return bytes_equal(bytes_of(one->data, one->len), bytes_of(other->data, other->len));
}

/* The last entry as a restored decider said it again: of the same deal, at the same place. What it lists and when
 * it was said is told by the first. */
static void judge_again(struct proof_case *judged, const char *where, Collega__Run *const *runs,
                        size_t count, const Collega__Decision *first, struct chain *chain) {
  chain->again_count = 0;
  for (size_t i = 0; i < count && i < AGAIN_MOST; i++) {
    struct run_view view;
    const struct record *record =
        proof_record(judged, runs[i], COLLEGA__BODY_TYPE__BODY_TYPE_DECISION, where, &view);
    if (!record) continue;
    const Collega__Decision *again = record->body->decision;
    if (!id_equal(&view.signer, &judged->decider)) {
      proof_fails(judged, where, RULE_proof_decision_author);
    } else if (again->verdict != first->verdict || again->position != first->position ||
               !same_field(&again->root, &first->root) || !same_field(&again->deal, &first->deal)) {
      proof_fails(judged, where, RULE_proof_again);
    } else {
      judge_signature(judged, where, &view, again->time);
      chain->again[chain->again_count++] = record->id;
    }
  }
}

/* ---- one entry of the chain */

static bool read_entry(struct proof_case *judged, size_t index, struct entry_read *entry) {
  const Collega__ProofDeal *deal = judged->proof->deals[index];
  unsigned number = (unsigned)index;
  memset(entry, 0, sizeof *entry);
  snprintf(entry->where_header, sizeof entry->where_header, "deals[%u].header", number);
  snprintf(entry->where_acceptance, sizeof entry->where_acceptance, "deals[%u].acceptance", number);
  snprintf(entry->where_terms, sizeof entry->where_terms, "deals[%u].terms", number);
  snprintf(entry->where_decision, sizeof entry->where_decision, "deals[%u].decision", number);
  entry->header = proof_record(judged, deal->header, COLLEGA__BODY_TYPE__BODY_TYPE_DEAL,
                               entry->where_header, &entry->header_view);
  entry->acceptance =
      proof_record(judged, deal->acceptance, COLLEGA__BODY_TYPE__BODY_TYPE_ACCEPTANCE,
                   entry->where_acceptance, &entry->acceptance_view);
  entry->decision = proof_record(judged, deal->decision, COLLEGA__BODY_TYPE__BODY_TYPE_DECISION,
                                 entry->where_decision, &entry->decision_view);
  return entry->header && entry->acceptance && entry->decision;
}

static const Collega__DealHeader *deal_of(const struct entry_read *entry) {
  return entry->header->body->deal;
}
static const Collega__Decision *decision_of(const struct entry_read *entry) {
  return entry->decision->body->decision;
}

/* Proposed by one of the two, accepted by the other, decided by the one whom the header names. */
static bool judge_authors(struct proof_case *judged, struct entry_read *entry) {
  if (id_equal(&entry->header_view.signer, &judged->lender)) {
    entry->proposer = &judged->lender;
    entry->other = &judged->borrower;
  } else if (id_equal(&entry->header_view.signer, &judged->borrower)) {
    entry->proposer = &judged->borrower;
    entry->other = &judged->lender;
  } else {
    proof_fails(judged, entry->where_header, RULE_proof_header_author);
    return false;
  }
  bool fits = true;
  if (!id_equal(&entry->acceptance_view.signer, entry->other)) {
    proof_fails(judged, entry->where_acceptance, RULE_proof_acceptance_author);
    fits = false;
  }
  if (!id_equal(&entry->decision_view.signer, &judged->decider)) {
    proof_fails(judged, entry->where_decision, RULE_proof_decision_author);
    fits = false;
  }
  return fits;
}

/* Header, acceptance and decision speak of the same deal. */
static void judge_belonging(struct proof_case *judged, const struct entry_read *entry) {
  const Collega__Decision *decision = decision_of(entry);
  const struct id *deal = &entry->header->id;
  if (!proof_is_id(&entry->acceptance->body->acceptance->deal, deal)) {
    proof_fails(judged, entry->where_acceptance, RULE_proof_acceptance_other);
  }
  if (!proof_is_id(&decision->deal, deal)) {
    proof_fails(judged, entry->where_decision, RULE_proof_decision_other);
  }
  struct id root;
  if (!id_from(&root, deal_of(entry)->root.data, deal_of(entry)->root.len) ||
      !proof_is_id(&decision->root, &root)) {
    proof_fails(judged, entry->where_decision, RULE_proof_decision_root);
  }
  if (decision->has_basis && !proof_is_id(&decision->basis, &entry->acceptance->id)) {
    proof_fails(judged, entry->where_decision, RULE_proof_basis);
  }
  if (decision->time > deal_of(entry)->accept_by) {
    char decided[32], by[32];
    time_write(decided, sizeof decided, decision->time);
    time_write(by, sizeof by, deal_of(entry)->accept_by);
    proof_fails_with(judged, entry->where_decision, RULE_proof_late, decided, by);
  }
}

/* The agreement begins the chain; an amendment follows the entry before it and changes nobody's part. */
static void judge_place(struct proof_case *judged, const struct entry_read *entry, size_t index,
                        const struct chain *chain) {
  const Collega__DealHeader *deal = deal_of(entry);
  const Collega__Decision *decision = decision_of(entry);
  Collega__Verdict verdict =
      index == 0 ? COLLEGA__VERDICT__VERDICT_CONCLUDED : COLLEGA__VERDICT__VERDICT_AMENDED;
  if (decision->verdict != verdict) proof_fails(judged, entry->where_decision, RULE_proof_verdict);
  if (decision->position != chain->position + 1)
    proof_fails(judged, entry->where_decision, RULE_proof_position);
  if (index == 0) {
    if (deal->has_amends || deal->has_predecessor) {
      proof_fails(judged, entry->where_header, RULE_proof_first_amends);
    }
    if (decision->has_predecessor)
      proof_fails(judged, entry->where_decision, RULE_proof_predecessor);
    return;
  }
  if (!deal->has_amends || !proof_is_id(&deal->amends, &chain->deal)) {
    proof_fails(judged, entry->where_header, RULE_proof_amends);
  }
  if (!proof_is_id(&deal->root, &chain->root))
    proof_fails(judged, entry->where_header, RULE_proof_amend_root);
  if (!deal->has_predecessor || !names_last(&deal->predecessor, chain)) {
    proof_fails(judged, entry->where_header, RULE_proof_predecessor);
  }
  if (!decision->has_predecessor || !names_last(&decision->predecessor, chain)) {
    proof_fails(judged, entry->where_decision, RULE_proof_predecessor);
  }
  if (!proof_is_id(&deal->edges[0]->lender, &judged->lender) ||
      !proof_is_id(&deal->edges[0]->borrower, &judged->borrower) ||
      !proof_is_id(&deal->decider, &judged->decider)) {
    proof_fails(judged, entry->where_header, RULE_proof_amend_parties);
  }
  if (decision->time + STEP_BACK_MS < chain->decided) {
    proof_fails(judged, entry->where_decision, RULE_proof_order);
  }
}

/* The terms fit the commitment that the header signs. Returns the headcount; 0: not shown, or wrong. */
static uint32_t judge_terms(struct proof_case *judged, const struct entry_read *entry,
                            size_t index) {
  const Collega__SaltedTerms *salted = judged->proof->deals[index]->terms;
  struct collega_error error;
  error_clear(&error);
  struct id commitment;
  Collega__Terms *terms = NULL;
  unsigned hidden = 0;
  if (terms_commitment(salted, &commitment, &error) != COLLEGA_OK ||
      terms_read(salted, judged->arena, &terms, &hidden, &error) != COLLEGA_OK) {
    proof_fails_error(judged, entry->where_terms, &error);
    return 0;
  }
  if (!proof_is_id(&deal_of(entry)->edges[0]->commitment, &commitment)) {
    proof_fails(judged, entry->where_terms, RULE_proof_commitment);
    return 0;
  }
  judged->out->terms = terms;
  judged->out->hidden = hidden;
  return terms->work ? terms->work->headcount : 0;
}

static struct proof_party *party_of(struct proof_case *judged, const struct id *id) {
  return id_equal(id, &judged->lender) ? &judged->out->lender : &judged->out->borrower;
}

static void judge_entry(struct proof_case *judged, size_t index, struct chain *chain) {
  struct entry_read entry;
  size_t before = judged->against;
  if (!read_entry(judged, index, &entry) || !judge_authors(judged, &entry)) return;
  const Collega__DealHeader *deal = deal_of(&entry);
  const Collega__Acceptance *acceptance = entry.acceptance->body->acceptance;
  collega_time decided = decision_of(&entry)->time;
  bool first = index == 0;
  if (first) judged->out->decided = decided;

  judge_certificate(judged, entry.where_decision, &judged->out->lender, decided, first);
  judge_certificate(judged, entry.where_decision, &judged->out->borrower, decided, first);
  judge_signature(judged, entry.where_header, &entry.header_view, decided);
  judge_signature(judged, entry.where_acceptance, &entry.acceptance_view, decided);
  judge_signature(judged, entry.where_decision, &entry.decision_view, decided);
  judge_belonging(judged, &entry);
  judge_place(judged, &entry, index, chain);
  uint32_t headcount = judge_terms(judged, &entry, index);

  struct signing proposed = {
      entry.where_header, entry.proposer, deal->has_mandate ? &deal->mandate : NULL,
      deal->time,         decided,        headcount};
  judge_mandate(judged, &proposed, first ? party_of(judged, entry.proposer) : NULL);
  struct signing accepted = {
      entry.where_acceptance, entry.other, acceptance->has_mandate ? &acceptance->mandate : NULL,
      acceptance->time,       decided,     headcount};
  judge_mandate(judged, &accepted, first ? party_of(judged, entry.other) : NULL);

  if (first) {
    chain->deal = entry.header->id;
    memcpy(chain->root.byte, deal->root.data, ID_BYTES);
  }
  chain->last = entry.header->id;
  chain->decision = entry.decision->id;
  chain->position = decision_of(&entry)->position;
  chain->decided = decided;
  judge_again(judged, entry.where_decision, judged->proof->deals[index]->again,
              judged->proof->deals[index]->n_again, decision_of(&entry), chain);
  chain->part_count = 0; /* both signed how many there are from now on */
  if (judged->against > before) return;
  char time[32];
  time_write(time, sizeof time, decided);
  proof_fits(judged, first ? RULE_proof_concluded : RULE_proof_amended,
             (const char *const[4]){time});
}

/* ---- what one party ended: a part, or all */

struct ending {
  const char *where_request, *where_verdict;
  const Collega__Run *request_run, *verdict_run;
  struct run_view request_view, verdict_view;
  const struct record *request, *verdict;
};

static bool same_reductions(const Collega__Decision *decision, const struct chain *chain) {
  struct reduction listed[REDUCTIONS_MOST];
  if (decision->n_reductions != chain->part_count) return false;
  size_t count = reductions_read(decision, listed);
  for (size_t i = 0; i < count; i++) {
    const struct reduction *is = &listed[i], *was = &chain->parts[i];
    if (is->headcount != was->headcount || is->effective != was->effective ||
        !id_equal(&is->by, &was->by) || !id_equal(&is->basis, &was->basis))
      return false;
  }
  return true;
}

static void judge_end_place(struct proof_case *judged, const struct ending *ending,
                            Collega__Verdict verdict, const struct chain *chain) {
  const Collega__Terminate *terminate = ending->request->body->terminate;
  const Collega__Decision *decision = ending->verdict->body->decision;
  const char *where_request = ending->where_request, *where_verdict = ending->where_verdict;
  bool part = verdict == COLLEGA__VERDICT__VERDICT_REDUCED;
  if (!proof_is_id(&terminate->deal, &chain->last))
    proof_fails(judged, where_request, RULE_proof_end_other);
  if (!names_last(&terminate->predecessor, chain))
    proof_fails(judged, where_request, RULE_proof_predecessor);
  if (decision->verdict != verdict || (terminate->has_headcount != 0) != part)
    proof_fails(judged, where_verdict, RULE_proof_verdict);
  if (decision->position != chain->position + 1)
    proof_fails(judged, where_verdict, RULE_proof_position);
  if (!decision->has_predecessor || !names_last(&decision->predecessor, chain))
    proof_fails(judged, where_verdict, RULE_proof_predecessor);
  if (!proof_is_id(&decision->deal, &chain->last))
    proof_fails(judged, where_verdict, RULE_proof_decision_other);
  if (!proof_is_id(&decision->root, &chain->root))
    proof_fails(judged, where_verdict, RULE_proof_decision_root);
  if (decision->has_basis && !proof_is_id(&decision->basis, &ending->request->id))
    proof_fails(judged, where_verdict, RULE_proof_basis);
  if (decision->has_effective && decision->effective != terminate->effective)
    proof_fails(judged, where_verdict, RULE_proof_effective);
  if (decision->time + STEP_BACK_MS < chain->decided)
    proof_fails(judged, where_verdict, RULE_proof_order);
}

/* Request and decision, read and signed by whom they should be. */
static bool read_ending(struct proof_case *judged, struct ending *ending) {
  ending->request =
      proof_record(judged, ending->request_run, COLLEGA__BODY_TYPE__BODY_TYPE_TERMINATE,
                   ending->where_request, &ending->request_view);
  ending->verdict =
      proof_record(judged, ending->verdict_run, COLLEGA__BODY_TYPE__BODY_TYPE_DECISION,
                   ending->where_verdict, &ending->verdict_view);
  if (!ending->request || !ending->verdict) return false;
  if (!id_equal(&ending->request_view.signer, &judged->lender) &&
      !id_equal(&ending->request_view.signer, &judged->borrower)) {
    proof_fails(judged, ending->where_request, RULE_proof_end_author);
    return false;
  }
  if (!id_equal(&ending->verdict_view.signer, &judged->decider)) {
    proof_fails(judged, ending->where_verdict, RULE_proof_decision_author);
    return false;
  }
  return true;
}

static void judge_ending(struct proof_case *judged, const struct ending *ending,
                         Collega__Verdict verdict, const struct chain *chain) {
  const Collega__Terminate *terminate = ending->request->body->terminate;
  collega_time decided = ending->verdict->body->decision->time;
  judge_signature(judged, ending->where_request, &ending->request_view, decided);
  judge_signature(judged, ending->where_verdict, &ending->verdict_view, decided);
  judge_end_place(judged, ending, verdict, chain);
  struct signing ended = {ending->where_request,
                          &ending->request_view.signer,
                          terminate->has_mandate ? &terminate->mandate : NULL,
                          terminate->time,
                          decided,
                          terminate->has_headcount ? terminate->headcount : 0};
  judge_mandate(judged, &ended, NULL);
}

/* ---- a part */

static void judge_part(struct proof_case *judged, size_t index, struct chain *chain) {
  const Collega__ProofReduction *part = judged->proof->reductions[index];
  char where_request[40], where_verdict[40];
  struct ending ending = {where_request, where_verdict, part->terminate, part->decision,
                          .request = NULL};
  size_t before = judged->against;
  snprintf(where_request, sizeof where_request, "reductions[%u].terminate", (unsigned)index);
  snprintf(where_verdict, sizeof where_verdict, "reductions[%u].decision", (unsigned)index);
  if (!read_ending(judged, &ending)) return;
  judge_ending(judged, &ending, COLLEGA__VERDICT__VERDICT_REDUCED, chain);
  const Collega__Terminate *terminate = ending.request->body->terminate;
  const Collega__Decision *decision = ending.verdict->body->decision;
  if (chain->part_count < REDUCTIONS_MOST)
    chain->parts[chain->part_count++] = (struct reduction){.headcount = terminate->headcount,
                                                           .effective = terminate->effective,
                                                           .by = ending.request_view.signer,
                                                           .basis = ending.request->id,
                                                           .time = decision->time};
  if (!same_reductions(decision, chain)) proof_fails(judged, where_verdict, RULE_proof_reductions);
  chain->decision = ending.verdict->id;
  judge_again(judged, where_verdict, part->again, part->n_again, decision, chain);
  chain->position = decision->position;
  chain->decided = decision->time;
  if (judged->against > before) return;
  const struct known_party *party = members_find(judged->members, &ending.request_view.signer);
  char people[16], date[32];
  snprintf(people, sizeof people, "%u", (unsigned)terminate->headcount);
  date_write(date, sizeof date, terminate->effective);
  proof_fits(judged, RULE_proof_reduced,
             (const char *const[4]){people, date, party ? known_party_name(party) : "?"});
}

/* Where its decision stands; 0: it cannot be read, which its own judgement will say. */
static uint32_t part_position(struct proof_case *judged, size_t index) {
  struct run_view view;
  struct collega_error error;
  error_clear(&error);
  if (run_read(judged->proof->reductions[index]->decision, judged->arena, &view, &error) !=
          COLLEGA_OK ||
      view.count != 1 || view.records[0].refused || !view.records[0].body->decision)
    return 0;
  return view.records[0].body->decision->position;
}

/* Those whose place is right after what was judged so far. */
static void judge_parts(struct proof_case *judged, size_t *next, struct chain *chain) {
  while (*next < judged->proof->n_reductions) {
    uint32_t position = part_position(judged, *next);
    if (position > chain->position + 1) return;
    judge_part(judged, (*next)++, chain);
  }
}

/* ---- the end */

static void judge_end(struct proof_case *judged, const struct chain *chain) {
  const Collega__Proof *proof = judged->proof;
  if (!proof->terminate && !proof->termination) return;
  if (!proof->terminate || !proof->termination) {
    proof_fails(judged, proof->terminate ? "terminate" : "termination", RULE_proof_end_half);
    return;
  }
  struct ending ending = {"terminate", "termination", proof->terminate, proof->termination,
                          .request = NULL};
  size_t before = judged->against;
  if (!read_ending(judged, &ending)) return;
  judge_ending(judged, &ending, COLLEGA__VERDICT__VERDICT_TERMINATED, chain);
  if (!same_reductions(ending.verdict->body->decision, chain))
    proof_fails(judged, "termination", RULE_proof_reductions);
  const Collega__Terminate *terminate = ending.request->body->terminate;
  judged->out->terminated = true;
  judged->out->terminated_on = terminate->effective;
  if (judged->against > before) return;
  char date[32];
  date_write(date, sizeof date, terminate->effective);
  proof_fits(judged, RULE_proof_terminated, (const char *const[4]){date});
}

void proof_judge_deals(struct proof_case *judged) {
  const Collega__Proof *proof = judged->proof;
  struct chain chain = {.position = 0};
  size_t part = 0;
  for (size_t i = 0; i < proof->n_deals; i++) {
    judge_entry(judged, i, &chain);
    judge_parts(judged, &part, &chain);
  }
  while (part < proof->n_reductions)
    judge_part(judged, part++, &chain); /* out of place: that is said of each */
  memcpy(judged->out->reductions, chain.parts, sizeof chain.parts);
  judged->out->reduction_count = chain.part_count;
  judge_end(judged, &chain);
  if (proof->made + CLOCKS_APART_MS < chain.decided) proof_fails(judged, "made", RULE_proof_made);
}
