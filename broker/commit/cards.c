/* A party's row has two keys at most: the card's, and the one before it while that may still be in use. */
#include "broker/commit/cards.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const uint8_t none[LINK_KEY_BYTES];

static enum collega_status drop(struct batch *batch, uint8_t key[LINK_KEY_BYTES],
                                struct collega_error *error) {
  if (!memcmp(key, none, LINK_KEY_BYTES)) return COLLEGA_OK;
  enum collega_status status = link_row_delete(batch->txn, key, error);
  if (!status) status = news_link(batch, key, false, error);
  memset(key, 0, LINK_KEY_BYTES);
  return status;
}

static enum collega_status change_link(struct batch *batch, struct party_row *row,
                                       const struct id *party, const uint8_t *key, bool recovery,
                                       struct collega_error *error) {
  enum collega_status status = drop(batch, row->old_link_key, error);
  if (!status && recovery) status = drop(batch, row->link_key, error);
  if (status) return status;
  memcpy(row->old_link_key, row->link_key, LINK_KEY_BYTES);
  memcpy(row->link_key, key, LINK_KEY_BYTES);
  struct link_row fresh = {.party = *party};
  memcpy(fresh.key, key, LINK_KEY_BYTES);
  status = link_row_write(batch->txn, &fresh, error);
  return status ? status : news_link(batch, fresh.key, true, error);
}

enum collega_status card_take(struct batch *batch, struct party_row *row,
                              const struct record *record, bool recovery, struct collega_error *why,
                              struct collega_error *error) {
  const Collega__NodeCard *card = record->body->card;
  struct id party;
  error_clear(why);
  bool next = card->number == row->card_number + 1 &&
              !memcmp(card->previous.data, row->card.byte, ID_BYTES);
  if (!next && !(recovery && card->number > 0 && card->number <= row->card_number)) {
    char number[12];
    snprintf(number, sizeof number, "%" PRIu32, row->card_number);
    why->status = error_set(why, COLLEGA_REFUSED, RULE_card_order, "card.number", number, NULL);
    return COLLEGA_OK;
  }
  if (!id_from(&party, card->party.data, card->party.len)) return COLLEGA_OK; /* checked before */
  if (card->has_link_key && !id_equal(&row->host, &party)) {
    why->status = error_set(why, COLLEGA_REFUSED, RULE_join_hosted_link, NULL, NULL);
    return COLLEGA_OK;
  }
  if (card->has_link_key && memcmp(card->link_key.data, row->link_key, LINK_KEY_BYTES) != 0) {
    struct link_row link;
    bool found = false;
    enum collega_status status =
        link_row_read(batch->txn, card->link_key.data, &link, &found, error);
    if (!status && found && !id_equal(&link.party, &party)) {
      why->status = error_set(why, COLLEGA_REFUSED, RULE_join_link_key, NULL, NULL);
      return COLLEGA_OK;
    }
    if (!status) status = change_link(batch, row, &party, card->link_key.data, recovery, error);
    if (status) return status;
  }
  row->card = record->id;
  row->card_number = card->number;
  return COLLEGA_OK;
}

enum collega_status link_used(struct batch *batch, const struct id *party,
                              const uint8_t key[LINK_KEY_BYTES], struct collega_error *error) {
  struct party_row row;
  bool found = false;
  enum collega_status status = party_row_read(batch->txn, party, &row, &found, error);
  if (status || !found || !memcmp(row.old_link_key, none, LINK_KEY_BYTES) ||
      memcmp(row.link_key, key, LINK_KEY_BYTES) != 0)
    return status;
  status = drop(batch, row.old_link_key, error);
  return status ? status : party_row_write(batch->txn, party, &row, error);
}
