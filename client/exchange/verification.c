/* Judging entries. Their bytes may come from a file: nothing is believed of them but what was looked at.
 *
 * A signature is judged by the signer's card as it was known when the entry came, which is what the one
 * who took it in did. A few come before the card that they need, or after a recovery has put the card
 * aside that they were signed with: those wait for the end, and are right when any card of that
 * number that the chain has shown to be the signer's fits. */
#include "client/exchange/verification.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/exchange/inside.h"
#include "client/exchange/signatures.h"
#include "proto/guard.h"
#include "proto/limits.h"

struct seen_card {
  struct id party;
  uint32_t number;
  uint8_t key[32];
};

struct verification {
  struct members *members;
  struct signatures *signatures;
  struct seen_card *cards;
  size_t card_count, card_capacity;
  uint64_t count;               /* signatures */
  struct signature_job receipt; /* the last one: runs of one commit share it */
  /* While one entry is judged. */
  uint64_t entry;
  struct arena *arena;
  struct board_read read;
  struct collega_error *error;
};

struct verification *verification_new(void) {
  struct verification *verification = calloc(1, sizeof *verification);
  if (!verification) return NULL;
  verification->members = members_new(NULL, NULL);
  verification->signatures = signatures_new();
  if (!verification->members || !verification->signatures) verification_destroy(&verification);
  return verification;
}

void verification_destroy(struct verification **verification) {
  struct verification *own = *verification;
  if (!own) return;
  members_destroy(&own->members);
  signatures_destroy(&own->signatures);
  free(own->cards);
  free(own);
  *verification = NULL;
}

uint64_t verification_signatures(const struct verification *verification) {
  return verification->count;
}

static enum collega_status refuse(struct verification *verification, enum rule rule,
                                  const char *field) {
  return error_set(verification->error, COLLEGA_INVALID, rule, field, NULL);
}

static enum collega_status named(struct verification *verification, enum collega_status status,
                                 const char *field) {
  if (status != COLLEGA_OK) error_prefix(verification->error, field);
  return status;
}

/* ---- signatures */

static enum collega_status judge_signature(struct verification *verification,
                                           struct signature_job *job) {
  job->entry = verification->entry;
  verification->count++;
  enum collega_status known =
      members_signing_key(verification->members, &job->signer, job->key_epoch, job->key, NULL);
  if (known != COLLEGA_OK)
    return signatures_put_off(verification->signatures, job, verification->error);
  signatures_add(verification->signatures, job);
  return COLLEGA_OK;
}

static enum collega_status remember_card(struct verification *verification,
                                         const Collega__NodeCard *card) {
  if (verification->card_count == verification->card_capacity) {
    size_t capacity = verification->card_capacity ? 2 * verification->card_capacity : 64;
    struct seen_card *grown = realloc(verification->cards, capacity * sizeof *grown);
    if (!grown) return exchange_no_memory(verification->error);
    verification->cards = grown;
    verification->card_capacity = capacity;
  }
  struct seen_card *seen = &verification->cards[verification->card_count];
  if (!id_from(&seen->party, card->party.data, card->party.len) ||
      card->signing_key.len != sizeof seen->key)
    return refuse(verification, RULE_run_shape, "card");
  seen->number = card->number;
  memcpy(seen->key, card->signing_key.data, sizeof seen->key);
  verification->card_count++;
  return COLLEGA_OK;
}

/* Cards are taken at once, by the card before or the recovery key: what comes next needs them. */
static enum collega_status take_cards(struct verification *verification,
                                      const struct run_view *view) {
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; status == COLLEGA_OK && i < view->count; i++) {
    const Collega__NodeCard *card = view->records[i].body->card;
    if (!card) continue;
    enum collega_status taken = members_take(verification->members, view, i, NULL, NULL, 0, NULL);
    if (taken == COLLEGA_FULL) return exchange_no_memory(verification->error);
    if (taken == COLLEGA_OK) status = remember_card(verification, card);
  }
  return status;
}

static enum collega_status judge_view(struct verification *verification,
                                      const struct run_view *view) {
  const Collega__Run *run = view->run;
  struct signature_job job = {.purpose = PURPOSE_RECORD,
                              .signer = view->signer,
                              .key_epoch = run->key_epoch,
                              .tree_size = run->tree_size,
                              .root = view->root};
  enum collega_status status = take_cards(verification, view);
  if (status != COLLEGA_OK) return status;
  memcpy(job.signature, run->signature.data, sizeof job.signature);
  /* A card that is known already is taken without a look at its signature: so all are judged here. */
  if (!run->has_recovery || !run->recovery) return judge_signature(verification, &job);
  const struct known_party *party = members_find(verification->members, &view->signer);
  if (party && signature_fits(&job, party->recovery_key)) {
    verification->count++;
    return COLLEGA_OK;
  }
  return error_set(verification->error, COLLEGA_FORGED, RULE_run_signature, NULL, NULL);
}

static enum collega_status judge_receipt(struct verification *verification,
                                         const Collega__ReceiptRun *receipt, const struct id *ids,
                                         size_t count) {
  struct signature_job job = {
      .purpose = PURPOSE_RECEIPT, .key_epoch = receipt->key_epoch, .tree_size = receipt->tree_size};
  enum collega_status status =
      receipt_root(receipt, ids, count, &job.root, NULL, verification->error);
  if (status != COLLEGA_OK) return status;
  const struct signature_job *last = &verification->receipt;
  memcpy(job.signature, receipt->signature.data, sizeof job.signature);
  if (!id_from(&job.signer, receipt->origin.data, receipt->origin.len))
    return refuse(verification, RULE_run_shape, "origin");
  bool judged = last->entry > 0 && id_equal(&last->root, &job.root) &&
                id_equal(&last->signer, &job.signer) && last->tree_size == job.tree_size &&
                last->key_epoch == job.key_epoch &&
                memcmp(last->signature, job.signature, sizeof job.signature) == 0;
  if (judged) return COLLEGA_OK;
  status = judge_signature(verification, &job);
  verification->receipt = job;
  return status;
}

/* ---- what entries hold */

static enum collega_status guarded(struct verification *verification,
                                   const ProtobufCMessageDescriptor *type, struct bytes bytes,
                                   ProtobufCMessage **out) {
  return guard_unpack_borrowing(type, bytes, verification->arena, out, verification->error);
}

static enum collega_status judge_only(struct verification *verification,
                                      const ProtobufCMessageDescriptor *type,
                                      const ProtobufCBinaryData *field, const char *name) {
  ProtobufCMessage *message;
  return named(verification, guarded(verification, type, field_bytes(field), &message), name);
}

static enum collega_status judge_unpacked(struct verification *verification,
                                          const Collega__Run *run) {
  struct run_view view;
  enum collega_status status = run_read(run, verification->arena, &view, verification->error);
  return status == COLLEGA_OK ? judge_view(verification, &view) : status;
}

static enum collega_status judge_run(struct verification *verification, struct bytes packed) {
  ProtobufCMessage *run;
  enum collega_status status = guarded(verification, &collega__run__descriptor, packed, &run);
  return status == COLLEGA_OK ? judge_unpacked(verification, (const Collega__Run *)run) : status;
}

static enum collega_status judge_field(struct verification *verification,
                                       const ProtobufCBinaryData *run, const char *name) {
  return named(verification, judge_run(verification, field_bytes(run)), name);
}

static enum collega_status judge_runs(struct verification *verification, Collega__Run *const *runs,
                                      size_t count, const char *name) {
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; status == COLLEGA_OK && i < count; i++)
    status = named(verification, judge_unpacked(verification, runs[i]), name);
  return status;
}

static enum collega_status judge_envelope(struct verification *verification,
                                          const ProtobufCBinaryData *envelope) {
  const Collega__Envelope *read;
  return named(
      verification,
      envelope_read(field_bytes(envelope), verification->arena, &read, verification->error),
      "envelope");
}

static enum collega_status judge_party(struct verification *verification,
                                       const CollegaStore__PartyInit *init) {
  enum collega_status status = judge_field(verification, &init->card, "card");
  for (size_t i = 0; status == COLLEGA_OK && i < init->n_later_cards; i++)
    status = judge_field(verification, &init->later_cards[i], "later_cards");
  return status;
}

static enum collega_status judge_joined(struct verification *verification,
                                        const CollegaStore__Joined *joined) {
  ProtobufCMessage *message;
  enum collega_status status =
      named(verification,
            guarded(verification, &collega__cert__descriptor, field_bytes(&joined->cert), &message),
            "cert");
  if (status != COLLEGA_OK) return status;
  const Collega__Cert *cert = (const Collega__Cert *)message;
  status = judge_runs(verification, cert->cards, cert->n_cards, "cert.cards");
  return status == COLLEGA_OK
             ? named(verification, judge_unpacked(verification, cert->cert), "cert.cert")
             : status;
}

static enum collega_status judge_own(struct verification *verification,
                                     const CollegaStore__OwnRecords *own) {
  enum collega_status status = judge_field(verification, &own->run, "run");
  for (size_t i = 0; status == COLLEGA_OK && i < own->n_privates; i++)
    if (own->privates[i].len > 0)
      status = judge_only(verification, &collega__offer_private__descriptor, &own->privates[i],
                          "privates");
  for (size_t i = 0; status == COLLEGA_OK && i < own->n_envelopes; i++)
    if (own->envelopes[i].len > 0) status = judge_envelope(verification, &own->envelopes[i]);
  return status;
}

static enum collega_status judge_receipts(struct verification *verification,
                                          const Collega__Receipts *receipts) {
  struct id *ids = arena_take(verification->arena, receipts->n_ids * sizeof *ids);
  if (!ids) return exchange_no_memory(verification->error);
  for (size_t i = 0; i < receipts->n_ids; i++)
    if (!id_from(&ids[i], receipts->ids[i].data, receipts->ids[i].len))
      return refuse(verification, RULE_run_shape, "ids");
  return named(verification, judge_receipt(verification, receipts->receipt, ids, receipts->n_ids),
               "receipt");
}

static enum collega_status judge_board_run(struct verification *verification,
                                           const Collega__BoardRun *board_run,
                                           struct run_view *view) {
  enum collega_status status =
      run_read(board_run->run, verification->arena, view, verification->error);
  if (status == COLLEGA_OK) status = judge_view(verification, view);
  if (status != COLLEGA_OK) return named(verification, status, "run");
  struct id *ids = arena_take(verification->arena, view->count * sizeof *ids);
  if (!ids) return exchange_no_memory(verification->error);
  for (size_t i = 0; i < view->count; i++)
    ids[i] = view->records[i].id;
  return named(verification, judge_receipt(verification, board_run->receipt, ids, view->count),
               "receipt");
}

static enum collega_status judge_board(struct verification *verification,
                                       const Collega__Board *board) {
  enum collega_status status = COLLEGA_OK;
  char name[32];
  struct run_view *views =
      arena_take(verification->arena, (board->n_runs ? board->n_runs : 1) * sizeof *views);
  if (!views) return exchange_no_memory(verification->error);
  for (size_t i = 0; status == COLLEGA_OK && i < board->n_runs; i++) {
    status = judge_board_run(verification, board->runs[i], &views[i]);
    if (status == COLLEGA_OK) continue;
    snprintf(name, sizeof name, "runs[%zu]", i);
    error_prefix(verification->error, name);
  }
  verification->read = (struct board_read){.board = board, .view = views};
  return status;
}

static enum collega_status judge_letter(struct verification *verification,
                                        const CollegaStore__MailIn *mail) {
  if (!mail->has_letter) /* a copy of what was asked of the decider */
    return mail->own_copy ? judge_field(verification, &mail->envelope, "envelope") : COLLEGA_OK;
  ProtobufCMessage *message;
  enum collega_status status = named(
      verification,
      guarded(verification, &collega__letter__descriptor, field_bytes(&mail->letter), &message),
      "letter");
  if (status != COLLEGA_OK) return status;
  const Collega__Letter *letter = (const Collega__Letter *)message;
  return judge_runs(verification, letter->runs, letter->n_runs, "letter.runs");
}

static enum collega_status judge_draft(struct verification *verification,
                                       const CollegaStore__DealAct *act) {
  enum collega_status status = COLLEGA_OK;
  if (act->body.len > 0)
    status = judge_only(verification, &collega__body__descriptor, &act->body, "body");
  if (status == COLLEGA_OK && act->has_terms)
    status = judge_only(verification, &collega__salted_terms__descriptor, &act->terms, "terms");
  return status;
}

static enum collega_status judge_signed(struct verification *verification,
                                        const CollegaStore__SignedAct *act) {
  enum collega_status status = judge_field(verification, &act->run, "run");
  return status == COLLEGA_OK && act->has_envelope && act->envelope.len > 0
             ? judge_envelope(verification, &act->envelope)
             : status;
}

static enum collega_status judge_match_act(struct verification *verification,
                                           const CollegaStore__MatchAct *act) {
  enum collega_status status =
      act->has_run ? judge_field(verification, &act->run, "run") : COLLEGA_OK;
  return status == COLLEGA_OK && act->has_envelope && act->envelope.len > 0
             ? judge_envelope(verification, &act->envelope)
             : status;
}

static enum collega_status judge_welcome(struct verification *verification,
                                         const CollegaStore__BrokerSeen *seen) {
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; status == COLLEGA_OK && i < seen->n_cards; i++)
    status = judge_field(verification, &seen->cards[i], "cards");
  return status;
}

static enum collega_status judge_sealed(struct verification *verification,
                                        const CollegaStore__Sealed *sealed) {
  return sealed->envelope.len > 0 ? judge_envelope(verification, &sealed->envelope) : COLLEGA_OK;
}

/* What a kind's payload is: a message of the wire (guarded by its rules), or one of store.proto; neither: `bytes` of
 * them, any number when 0. */
struct content_type {
  const ProtobufCMessageDescriptor *wire, *store;
  size_t bytes;
};

static bool content_type(CollegaStore__EntryKind kind, struct content_type *out) {
  memset(out, 0, sizeof *out);
  switch (kind) {
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_GENESIS:
    return true;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_PARTY:
    out->store = &collega_store__party_init__descriptor;
    return true;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_EPOCH:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RESTORED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_LAPSED:
    out->bytes = 8;
    return true;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_JOINED:
    out->store = &collega_store__joined__descriptor;
    return true;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_OWN_RECORDS:
    out->store = &collega_store__own_records__descriptor;
    return true;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RECEIPTS:
    out->wire = &collega__receipts__descriptor;
    return true;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_BOARD:
    out->wire = &collega__board__descriptor;
    return true;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RESET:
    out->wire = &collega__reset__descriptor;
    return true;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_IN:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FETCHED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_BAD:
    out->store = &collega_store__mail_in__descriptor;
    return true;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_DECISION_IN:
    out->wire = &collega__run__descriptor;
    return true;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_DRAFT:
    out->store = &collega_store__deal_act__descriptor;
    return true;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_SIGNED:
    out->store = &collega_store__signed_act__descriptor;
    return true;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ACT_DROPPED:
    out->store = &collega_store__act_dropped__descriptor;
    return true;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_STORED:
    out->wire = &collega__stored__descriptor;
    return true;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_REFUSED:
    out->wire = &collega__refusal__descriptor;
    return true;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_WELCOME:
    out->store = &collega_store__broker_seen__descriptor;
    return true;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MATCH_ACT:
    out->store = &collega_store__match_act__descriptor;
    return true;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_QUESTION:
    out->wire = &collega__question__descriptor;
    return true;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FILTER:
    out->wire = &collega__filter__descriptor;
    return true;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ADOPTED:
    out->wire = &collega__head__descriptor;
    return true;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_SEALED:
    out->store = &collega_store__sealed__descriptor;
    return true;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ERASED:
    out->store = &collega_store__erased__descriptor;
    return true;
  case _COLLEGA_STORE__ENTRY_KIND_IS_INT_SIZE:
    break;
  }
  return false;
}

enum collega_status verification_read(const struct ledger_event *event, struct arena *arena,
                                      ProtobufCMessage **out, struct collega_error *error) {
  struct content_type type;
  *out = NULL;
  if (!event->payload.data) return COLLEGA_OK;
  if (!content_type(event->kind, &type))
    return error_set(error, COLLEGA_INVALID, RULE_outside_enum, "kind", NULL);
  if (type.wire && !event->reduced)
    return guard_unpack_borrowing(type.wire, event->payload, arena, out, error);
  if (type.store) return row_unpack_outside(type.store, event->payload, arena, out, error);
  if (type.bytes > 0 && event->payload.length != type.bytes)
    return error_set(error, COLLEGA_INVALID, RULE_bytes_length, NULL, "8", NULL);
  return COLLEGA_OK;
}

static enum collega_status judge_content(struct verification *verification,
                                         CollegaStore__EntryKind kind,
                                         const ProtobufCMessage *content) {
  switch (kind) {
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_PARTY:
    return judge_party(verification, (const CollegaStore__PartyInit *)content);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_JOINED:
    return judge_joined(verification, (const CollegaStore__Joined *)content);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_OWN_RECORDS:
    return judge_own(verification, (const CollegaStore__OwnRecords *)content);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RECEIPTS:
    return judge_receipts(verification, (const Collega__Receipts *)content);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_BOARD:
    return judge_board(verification, (const Collega__Board *)content);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_IN:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FETCHED:
    return judge_letter(verification, (const CollegaStore__MailIn *)content);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_DECISION_IN:
    return judge_unpacked(verification, (const Collega__Run *)content);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_DRAFT:
    return judge_draft(verification, (const CollegaStore__DealAct *)content);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_SIGNED:
    return judge_signed(verification, (const CollegaStore__SignedAct *)content);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MATCH_ACT:
    return judge_match_act(verification, (const CollegaStore__MatchAct *)content);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_WELCOME:
    return judge_welcome(verification, (const CollegaStore__BrokerSeen *)content);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_SEALED:
    return judge_sealed(verification, (const CollegaStore__Sealed *)content);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_GENESIS:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_EPOCH:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RESET:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_BAD:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ACT_DROPPED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_STORED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_REFUSED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_QUESTION:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_LAPSED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FILTER:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ADOPTED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RESTORED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ERASED:
  case _COLLEGA_STORE__ENTRY_KIND_IS_INT_SIZE:
    break;
  }
  return COLLEGA_OK;
}

enum collega_status verification_take(struct verification *verification,
                                      const struct ledger_event *event,
                                      const ProtobufCMessage *content, struct arena *arena,
                                      struct board_read *read, struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  verification->entry = event->number;
  verification->arena = arena;
  verification->error = error;
  verification->read = (struct board_read){.board = NULL};
  if (content && !event->reduced) status = judge_content(verification, event->kind, content);
  if (read) *read = verification->read;
  return status;
}

/* ---- the end */

static int by_party(const void *one, const void *other) {
  const struct seen_card *a = one, *b = other;
  int order = memcmp(a->party.byte, b->party.byte, ID_BYTES);
  return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

/* The first card of this party and number; card_count: none. */
static size_t first_card(const struct verification *verification, const struct seen_card *wanted) {
  size_t low = 0, high = verification->card_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (by_party(&verification->cards[middle], wanted) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static bool fits_any_card(const struct verification *verification,
                          const struct signature_job *job) {
  const struct seen_card wanted = {.party = job->signer, .number = job->key_epoch};
  for (size_t i = first_card(verification, &wanted); i < verification->card_count; i++) {
    const struct seen_card *card = &verification->cards[i];
    if (by_party(card, &wanted) != 0) return false;
    if (signature_fits(job, card->key)) return true;
  }
  return false;
}

enum collega_status verification_end(struct verification *verification,
                                     struct collega_error *error) {
  struct signature_job *left;
  size_t count;
  char number[24];
  enum collega_status status = signatures_end(verification->signatures, &left, &count, error);
  if (status != COLLEGA_OK || count == 0) return status;
  if (verification->card_count > 1)
    qsort(verification->cards, verification->card_count, sizeof *verification->cards, by_party);
  for (size_t i = 0; i < count; i++) {
    if (fits_any_card(verification, &left[i])) continue;
    snprintf(number, sizeof number, "%" PRIu64, left[i].entry);
    return error_set(error, COLLEGA_DAMAGED, RULE_entry_signature, NULL, number, NULL);
  }
  return COLLEGA_OK;
}
