/* Going over the chain once more, for what the hashes do not say: that whoever is said to have signed
 * something did sign it. Every run that an entry holds is judged by the signer's cards as they are known
 * here now. What was reduced is passed over: nobody's signature fits the rest of it. */
#include "client/exchange/inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/guard.h"

#define VERIFY_CHUNK 256 /* entries in one read transaction: a long one makes the file grow */

/* A card that the chain holds. One that a recovered card replaced is no longer known to `members`; what it signed
 * before is here all the same, and was right when it came. */
struct seen_card {
  struct id party;
  uint32_t number;
  uint8_t key[32];
  struct seen_card *next;
};

struct verifying {
  struct members *members;
  struct arena *cards_arena;
  struct seen_card *cards;
  struct arena *arena;
  uint64_t signatures;
  struct collega_error *error;
};

static enum collega_status remember_card(struct verifying *verifying,
                                         const Collega__NodeCard *card) {
  struct seen_card *seen = arena_zero(verifying->cards_arena, sizeof *seen);
  if (!seen) return exchange_no_memory(verifying->error);
  if (!id_from(&seen->party, card->party.data, card->party.len) ||
      card->signing_key.len != sizeof seen->key)
    return exchange_row_damaged(verifying->error, "card");
  seen->number = card->number;
  memcpy(seen->key, card->signing_key.data, sizeof seen->key);
  seen->next = verifying->cards;
  verifying->cards = seen;
  return COLLEGA_OK;
}

static bool fits_seen_card(const struct verifying *verifying, const struct run_view *view) {
  for (const struct seen_card *card = verifying->cards; card; card = card->next)
    if (card->number == view->run->key_epoch && id_equal(&card->party, &view->signer) &&
        run_verify(view, card->key, NULL) == COLLEGA_OK)
      return true;
  return false;
}

/* A card may be signed with the recovery key, and by one that was replaced: proto/members judges the whole
 * row of them whenever it loads a party. */
static enum collega_status verify_run(struct verifying *verifying, const Collega__Run *run) {
  struct run_view view;
  bool recovery = run->has_recovery && run->recovery;
  enum collega_status status = run_read(run, verifying->arena, &view, verifying->error);
  if (status == COLLEGA_OK && !recovery) {
    verifying->signatures++;
    status = members_verify_run(verifying->members, &view, verifying->error);
    if (status != COLLEGA_OK && fits_seen_card(verifying, &view)) status = COLLEGA_OK;
  }
  for (size_t i = 0; status == COLLEGA_OK && i < view.count; i++)
    if (view.records[i].body->card) status = remember_card(verifying, view.records[i].body->card);
  return status;
}

static enum collega_status verify_bytes(struct verifying *verifying, struct bytes packed) {
  const Collega__Run *run =
      (const Collega__Run *)row_unpack(&collega__run__descriptor, packed, verifying->arena);
  return run ? verify_run(verifying, run) : exchange_row_damaged(verifying->error, "run");
}

static enum collega_status verify_letter(struct verifying *verifying,
                                         const CollegaStore__MailIn *mail) {
  if (!mail->has_letter) /* a copy of what was asked of the decider */
    return mail->own_copy ? verify_bytes(verifying, field_bytes(&mail->envelope)) : COLLEGA_OK;
  const Collega__Letter *letter = (const Collega__Letter *)row_unpack(
      &collega__letter__descriptor, field_bytes(&mail->letter), verifying->arena);
  if (!letter) return exchange_row_damaged(verifying->error, "mail");
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; status == COLLEGA_OK && i < letter->n_runs; i++)
    status = verify_run(verifying, letter->runs[i]);
  return status;
}

static enum collega_status verify_board(struct verifying *verifying, const Collega__Board *board) {
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; status == COLLEGA_OK && i < board->n_runs; i++)
    status = verify_run(verifying, board->runs[i]->run);
  return status;
}

/* The kinds that hold runs. */
static const ProtobufCMessageDescriptor *content_of(CollegaStore__EntryKind kind) {
  static const struct {
    CollegaStore__EntryKind kind;
    const ProtobufCMessageDescriptor *type;
  } KINDS[] = {
      {COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_OWN_RECORDS, &collega_store__own_records__descriptor},
      {COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_BOARD, &collega__board__descriptor},
      {COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_IN, &collega_store__mail_in__descriptor},
      {COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FETCHED, &collega_store__mail_in__descriptor},
      {COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_SIGNED, &collega_store__signed_act__descriptor},
      {COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MATCH_ACT, &collega_store__match_act__descriptor}};
  for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
    if (KINDS[i].kind == kind) return KINDS[i].type;
  return NULL;
}

static enum collega_status verify_entry(struct verifying *verifying,
                                        const struct ledger_event *event) {
  const ProtobufCMessageDescriptor *type = content_of(event->kind);
  if (!event->payload.data || event->reduced) return COLLEGA_OK;
  if (event->kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_DECISION_IN)
    return verify_bytes(verifying, event->payload);
  if (!type) return COLLEGA_OK;
  ProtobufCMessage *content = row_unpack(type, event->payload, verifying->arena);
  if (!content) return exchange_row_damaged(verifying->error, type->short_name);
  if (event->kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_OWN_RECORDS)
    return verify_bytes(verifying, field_bytes(&((CollegaStore__OwnRecords *)content)->run));
  if (event->kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_SIGNED)
    return verify_bytes(verifying, field_bytes(&((CollegaStore__SignedAct *)content)->run));
  if (event->kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_BOARD)
    return verify_board(verifying, (const Collega__Board *)content);
  if (event->kind != COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MATCH_ACT)
    return verify_letter(verifying, (const CollegaStore__MailIn *)content);
  const CollegaStore__MatchAct *act = (const CollegaStore__MatchAct *)content;
  return act->has_run ? verify_bytes(verifying, field_bytes(&act->run)) : COLLEGA_OK;
}

static enum collega_status verify_chunk(struct exchange *exchange, struct verifying *verifying,
                                        uint64_t *next, uint64_t *until) {
  struct ledger_txn *txn = NULL;
  struct ledger_event event;
  struct ledger_head head;
  enum collega_status status = ledger_read(exchange->ledger, &txn, verifying->error);
  if (status != COLLEGA_OK) return status;
  status = ledger_head(txn, &head, verifying->error);
  *until = head.number;
  verifying->members = exchange_members(exchange, txn);
  for (int i = 0; status == COLLEGA_OK && i < VERIFY_CHUNK && *next <= *until; i++) {
    arena_reset(verifying->arena);
    status = ledger_entry(txn, *next, verifying->arena, &event, verifying->error);
    if (status == COLLEGA_OK) status = verify_entry(verifying, &event);
    if (status == COLLEGA_OK) (*next)++;
  }
  ledger_abort(&txn);
  return status;
}

enum collega_status exchange_verify(struct exchange *exchange,
                                    void (*progress)(void *, uint64_t, uint64_t), void *context,
                                    uint64_t *signatures, struct collega_error *error) {
  struct verifying verifying = {
      .arena = exchange_arena(), .cards_arena = exchange_arena(), .error = error};
  uint64_t next = 1, until = 1;
  char number[24];
  if (!verifying.arena || !verifying.cards_arena) {
    arena_destroy(&verifying.arena);
    arena_destroy(&verifying.cards_arena);
    return exchange_no_memory(error);
  }
  enum collega_status status = COLLEGA_OK;
  while (status == COLLEGA_OK && next <= until) {
    status = verify_chunk(exchange, &verifying, &next, &until);
    if (progress) progress(context, next - 1, until);
  }
  arena_destroy(&verifying.arena);
  arena_destroy(&verifying.cards_arena);
  *signatures = verifying.signatures;
  if (status != COLLEGA_FORGED && status != COLLEGA_INVALID && status != COLLEGA_NOT_FOUND)
    return status;
  snprintf(number, sizeof number, "%" PRIu64, next);
  return error_set(error, COLLEGA_DAMAGED, RULE_entry_signature, NULL, number, NULL);
}
