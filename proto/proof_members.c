/* Who is who in a proof.
 *
 * Three passes: cards first, since every signature needs one; then receipts, which say until when a card counted that
 * the recovery key has replaced; then all the rest. What the
 * decider itself signed needs no receipt: its word is the receipt. What the parties signed does: only
 * then is it certain that a card or a mandate was there when the decider decided.
 */
#include <stdio.h>
#include <string.h>

#include "proto/proof_parts.h"

struct place {
  char text[48];
};

static struct place place_of(size_t index) {
  struct place place;
  snprintf(place.text, sizeof place.text, "members[%u]", (unsigned)index);
  return place;
}

static bool is_card(const struct record *record) {
  return record->body->card != NULL;
}

/* Reads the record; false: a finding says why not. */
static bool read_item(struct proof_case *judged, size_t index) {
  struct proof_item *item = &judged->items[index];
  struct place place = place_of(index);
  struct collega_error error;
  error_clear(&error);
  enum collega_status status =
      run_read(judged->proof->members[index]->run, judged->arena, &item->view, &error);
  if (status == COLLEGA_OK && item->view.count == 1 && item->view.records[0].refused != NULL) {
    error = *item->view.records[0].refused;
    status = error.status;
  }
  if (status != COLLEGA_OK) {
    proof_fails_error(judged, place.text, &error);
    return false;
  }
  if (item->view.count != 1) {
    proof_fails(judged, place.text, RULE_proof_one_record);
    return false;
  }
  const Collega__Body *body = item->view.records[0].body;
  if (!body->card && !body->cert && !body->mandate && !body->mandate_end && !body->revocation) {
    proof_fails(judged, place.text, RULE_proof_kind);
    return false;
  }
  for (size_t i = 0; i < index; i++) {
    if (judged->items[i].read &&
        id_equal(&judged->items[i].view.records[0].id, &item->view.records[0].id)) {
      proof_fails(judged, place.text, RULE_proof_twice);
      return false;
    }
  }
  return true;
}

/* Nobody but the three belongs in the file: whoever else is in it would be believed to have a part. */
static bool is_about_us(const struct proof_case *judged, const struct proof_item *item) {
  const Collega__Body *body = item->view.records[0].body;
  const struct id *all[] = {&judged->lender, &judged->borrower, &judged->decider};
  const ProtobufCBinaryData *subject = body->cert         ? &body->cert->party
                                       : body->revocation ? &body->revocation->party
                                                          : &body->author;
  for (size_t i = 0; i < 3; i++) {
    if (proof_is_id(subject, all[i])) return true;
  }
  return false;
}

static void take(struct proof_case *judged, size_t index) {
  struct proof_item *item = &judged->items[index];
  struct collega_error error;
  error_clear(&error);
  if (members_take(judged->members, &item->view, 0, item->receipted ? &item->anchor : NULL,
                   &judged->decider, 1, &error) == COLLEGA_OK) {
    return;
  }
  item->read = false;
  struct place place = place_of(index);
  proof_fails_error(judged, place.text, &error);
}

static void judge_receipt(struct proof_case *judged, size_t index) {
  struct proof_item *item = &judged->items[index];
  struct place place = place_of(index);
  const Collega__ReceiptRun *receipt = judged->proof->members[index]->receipt;
  if (!receipt) {
    if (!id_equal(&item->view.signer, &judged->decider)) {
      proof_fails(judged, place.text, RULE_proof_receipt_missing);
    }
    return;
  }
  if (!proof_is_id(&receipt->origin, &judged->decider)) {
    proof_fails(judged, place.text, RULE_proof_receipt_origin);
    return;
  }
  struct collega_error error;
  error_clear(&error);
  uint8_t key[32];
  uint64_t seq = 0;
  size_t count = receipt->n_leaves ? receipt->n_leaves : receipt->tree_size;
  enum collega_status status = COLLEGA_OK;
  if (count != 1) {
    proof_fails(judged, place.text, RULE_proof_one_record);
    return;
  }
  status = members_signing_key(judged->members, &judged->decider, receipt->key_epoch, key, &error);
  if (status == COLLEGA_OK) {
    status = receipt_verify(receipt, &item->view.records[0].id, 1, key, &seq, &error);
  }
  if (status != COLLEGA_OK) {
    proof_fails_error(judged, place.text, &error);
    return;
  }
  item->receipted = true;
  item->anchor =
      (struct receipt_position){.origin = judged->decider, .seq = seq, .time = receipt->time};
  memcpy(item->anchor.epoch.byte, receipt->epoch.data, EPOCH_BYTES);
}

void proof_judge_members(struct proof_case *judged) {
  size_t count = judged->proof->n_members;
  size_t before = judged->against;
  for (size_t i = 0; i < count; i++) {
    struct proof_item *item = &judged->items[i];
    item->read = read_item(judged, i);
    if (item->read && !is_about_us(judged, item)) {
      struct place place = place_of(i);
      proof_fails(judged, place.text, RULE_proof_stranger);
      item->read = false;
    }
    if (item->read && is_card(&item->view.records[0])) take(judged, i);
  }
  for (size_t i = 0; i < count; i++) {
    struct proof_item *item = &judged->items[i];
    if (!item->read) continue;
    judge_receipt(judged, i);
    if (is_card(&item->view.records[0])) take(judged, i); /* again: now with its receipt */
  }
  for (size_t i = 0; i < count; i++) {
    struct proof_item *item = &judged->items[i];
    if (item->read && !is_card(&item->view.records[0])) take(judged, i);
  }
  const struct id *all[] = {&judged->lender, &judged->borrower, &judged->decider};
  for (size_t i = 0; i < 3; i++) {
    if (members_find(judged->members, all[i])) continue;
    char fingerprint[FINGERPRINT_BYTES];
    fingerprint_write(fingerprint, all[i]);
    proof_fails_with(judged, NULL, RULE_proof_no_card, fingerprint, NULL);
  }
  if (judged->against > before) return;
  char number[24];
  snprintf(number, sizeof number, "%u", (unsigned)count);
  proof_fits(judged, RULE_proof_members_fit, (const char *const[4]){number});
}

const struct receipt_position *proof_anchor(const struct proof_case *judged,
                                            const struct id *record) {
  for (size_t i = 0; i < judged->proof->n_members; i++) {
    const struct proof_item *item = &judged->items[i];
    if (item->receipted && id_equal(&item->view.records[0].id, record)) return &item->anchor;
  }
  return NULL;
}
