/* Letters and envelopes.
 *
 * Inside out: the letter (who, to whom, which place in the sender's sequence, what) is packed and
 * signed; letter and signature are packed again, padded to a power of two, sealed to the recipient, and
 * once more to the sender. The envelope outside repeats from, to and sequence for the broker; the
 * signature inside is what counts, so an envelope that was changed on its way opens to nothing.
 *
 * Padding is one byte 0x80 and then zeros (ISO 7816-4), up to a size that counts the 48 bytes of the
 * sealed box: what the broker sees is a power of two from 1 to 256 KiB and nothing finer.
 */
#include "proto/letter.h"

#include <sodium.h>
#include <string.h>

#include "proto/guard.h"
#include "proto/limits.h"
#include "proto/tree.h"

static enum collega_status exhausted(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

static enum collega_status forged(struct collega_error *error, enum rule rule) {
  return error_set(error, COLLEGA_FORGED, rule, NULL, NULL);
}

static void borrow(ProtobufCBinaryData *field, const void *data, size_t length) {
  field->data = (uint8_t *)data; /* protobuf-c's fields are not const; packing only reads them */
  field->len = length;
}

/* Bytes that this file packed into an arena and that nobody else has seen. */
static void wipe(struct bytes bytes) {
  if (bytes.data) sodium_memzero((void *)bytes.data, bytes.length);
}

/* The tree of one leaf that a letter's signature covers. */
static void letter_root(struct id *root, struct bytes letter) {
  struct id id;
  hash_one(&id, "collega/letter/1", letter.data, letter.length);
  tree_leaf(root, id.byte, ID_BYTES);
}

static bool field_is(const ProtobufCBinaryData *field, const struct id *id) {
  return field->len == ID_BYTES && memcmp(field->data, id->byte, ID_BYTES) == 0;
}

static bool field_equal(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b) {
  return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* ---- sealing */

/* The sealed size that `length` plain bytes take; 0: too large. */
static size_t sealed_size(size_t length) {
  size_t size = LIMIT_MAIL_LEAST_BYTES;
  while (size <= LIMIT_MAIL_BYTES && size - crypto_box_SEALBYTES < length + 1)
    size *= 2;
  return size <= LIMIT_MAIL_BYTES ? size : 0;
}

/* Packs, signs, packs and pads: *padded is sealed_size - crypto_box_SEALBYTES long. */
static enum collega_status letter_pad(const struct identity *from, const Collega__Letter *letter,
                                      struct arena *arena, struct bytes *padded,
                                      struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  struct bytes whole = {NULL, 0};
  struct bytes packed = message_pack(&letter->base, arena);
  if (!packed.data) return exhausted(error);

  struct id root;
  uint8_t signature[64];
  letter_root(&root, packed);
  identity_sign(from, PURPOSE_LETTER, 1, &root, signature);
  Collega__SignedLetter outer = COLLEGA__SIGNED_LETTER__INIT;
  borrow(&outer.letter, packed.data, packed.length);
  outer.key_epoch = identity_card_number(from);
  borrow(&outer.signature, signature, sizeof signature);
  whole = message_pack(&outer.base, arena);
  wipe(packed);
  if (!whole.data) return exhausted(error);

  size_t size = sealed_size(whole.length);
  if (size == 0) {
    status = error_set(error, COLLEGA_INVALID, RULE_letter_too_large, NULL, NULL);
  } else {
    size -= crypto_box_SEALBYTES;
    uint8_t *plain = arena_zero(arena, size);
    if (plain) {
      memcpy(plain, whole.data, whole.length);
      plain[whole.length] = 0x80;
      *padded = bytes_of(plain, size);
    } else {
      status = exhausted(error);
    }
  }
  wipe(whole);
  return status;
}

static bool seal(ProtobufCBinaryData *out, struct bytes padded, const uint8_t key[32],
                 struct arena *arena) {
  size_t length = padded.length + crypto_box_SEALBYTES;
  uint8_t *box = arena_take(arena, length);
  if (!box || crypto_box_seal(box, padded.data, padded.length, key) != 0) return false;
  borrow(out, box, length);
  return true;
}

enum collega_status letter_seal(const struct identity *from, const struct known_party *to,
                                const Collega__Letter *letter, bool copy, collega_time not_after,
                                struct arena *arena, struct bytes *envelope,
                                struct collega_error *error) {
  if (!field_is(&letter->from, identity_party(from)) || !field_is(&letter->to, &to->id) ||
      to->card_count == 0) {
    return error_set(error, COLLEGA_INVALID, RULE_letter_parties, NULL, NULL);
  }
  struct bytes padded = {NULL, 0};
  enum collega_status status = letter_pad(from, letter, arena, &padded, error);
  if (status != COLLEGA_OK) return status;

  const struct known_card *card = &to->cards[to->card_count - 1];
  Collega__Envelope outside = COLLEGA__ENVELOPE__INIT;
  outside.from = letter->from;
  outside.to = letter->to;
  outside.epoch = letter->epoch;
  outside.seq = letter->seq;
  outside.not_after = not_after;
  outside.sealed_to = card->number;
  /* A card with a key of small order cannot be sealed to; such a key is nobody's mistake. */
  bool sealed = seal(&outside.sealed, padded, card->keys.sealing, arena);
  if (sealed && copy) {
    outside.has_copy = true;
    outside.has_copy_to = true;
    outside.copy_to = identity_card_number(from);
    sealed = seal(&outside.copy, padded, identity_public(from)->sealing, arena);
  }
  wipe(padded);
  if (!sealed) {
    if (arena_exhausted(arena)) return exhausted(error);
    return error_set(error, COLLEGA_INVALID, RULE_letter_key, NULL, NULL);
  }
  *envelope = message_pack(&outside.base, arena);
  return envelope->data ? COLLEGA_OK : exhausted(error);
}

void envelope_hash(struct id *out, struct bytes envelope) {
  hash_one(out, "collega/envelope/1", envelope.data, envelope.length);
}

/* ---- opening */

static bool mail_size(size_t length) {
  return length >= LIMIT_MAIL_LEAST_BYTES && length <= LIMIT_MAIL_BYTES &&
         (length & (length - 1)) == 0;
}

enum collega_status envelope_read(struct bytes packed, struct arena *arena,
                                  const Collega__Envelope **out, struct collega_error *error) {
  ProtobufCMessage *message;
  enum collega_status status =
      guard_unpack(&collega__envelope__descriptor, packed, arena, &message, error);
  if (status != COLLEGA_OK) return status;
  const Collega__Envelope *envelope = (const Collega__Envelope *)message;
  if (!mail_size(envelope->sealed.len)) {
    return error_set(error, COLLEGA_INVALID, RULE_letter_padding, "sealed", NULL);
  }
  if (envelope->has_copy != envelope->has_copy_to ||
      (envelope->has_copy && !mail_size(envelope->copy.len))) {
    return error_set(error, COLLEGA_INVALID, RULE_letter_padding, "copy", NULL);
  }
  *out = envelope;
  return COLLEGA_OK;
}

/* Length without the padding; false when it is not padding. */
static bool unpad(const uint8_t *plain, size_t *length) {
  size_t end = *length;
  while (end > 0 && plain[end - 1] == 0)
    end--;
  if (end == 0 || plain[end - 1] != 0x80) return false;
  *length = end - 1;
  return true;
}

/* The sender's key. A home that reads copies of its own letters knows its cards even before the
 * broker's records have come back. */
static enum collega_status sender_key(const struct identity *self, struct members *members,
                                      const struct id *sender, uint32_t key_epoch, uint8_t key[32],
                                      struct collega_error *error) {
  if (id_equal(sender, identity_party(self))) {
    const uint8_t *own = identity_signing_key(self, key_epoch);
    if (own) {
      memcpy(key, own, 32);
      return COLLEGA_OK;
    }
  }
  return members_signing_key(members, sender, key_epoch, key, error);
}

/* A letter may have waited until its sender's card was replaced by the recovery key. The broker takes letters from the
 * session of their sender alone, so that this one came before; what its records are worth is judged by themselves. */
static bool by_replaced(struct members *members, const Collega__SignedLetter *letter,
                        const struct id *sender, const struct id *root) {
  const struct known_party *party = members_find(members, sender);
  for (size_t i = 0; party && i < party->replaced_count; i++) {
    const struct known_card *card = &party->replaced[i].card;
    if (card->number == letter->key_epoch &&
        signature_verify(card->keys.signing, PURPOSE_LETTER, sender, 1, root,
                         letter->signature.data))
      return true;
  }
  return false;
}

static enum collega_status read_signed(const struct identity *self, struct members *members,
                                       const Collega__Envelope *envelope, struct bytes plain,
                                       struct arena *arena, const Collega__Letter **out,
                                       struct collega_error *error) {
  ProtobufCMessage *message;
  enum collega_status status =
      guard_unpack(&collega__signed_letter__descriptor, plain, arena, &message, error);
  if (status != COLLEGA_OK) return status;
  const Collega__SignedLetter *outer = (const Collega__SignedLetter *)message;
  struct bytes packed = bytes_of(outer->letter.data, outer->letter.len);
  status = guard_unpack(&collega__letter__descriptor, packed, arena, &message, error);
  const Collega__Letter *letter = (const Collega__Letter *)message;
  if (status == COLLEGA_OK) {
    struct id sender, root;
    uint8_t key[32];
    letter_root(&root, packed);
    if (!id_from(&sender, letter->from.data, letter->from.len) ||
        !field_equal(&letter->from, &envelope->from) || !field_equal(&letter->to, &envelope->to) ||
        !field_equal(&letter->epoch, &envelope->epoch) || letter->seq != envelope->seq) {
      status = forged(error, RULE_letter_envelope);
    } else {
      status = sender_key(self, members, &sender, outer->key_epoch, key, error);
      if (status == COLLEGA_OK &&
          !signature_verify(key, PURPOSE_LETTER, &sender, 1, &root, outer->signature.data))
        status = forged(error, RULE_letter_signature);
      if ((status == COLLEGA_FORGED || status == COLLEGA_NOT_FOUND) &&
          by_replaced(members, outer, &sender, &root)) {
        if (error) error_clear(error);
        status = COLLEGA_OK;
      }
    }
  }
  wipe(packed);
  if (status == COLLEGA_OK) *out = letter;
  return status;
}

enum collega_status letter_open(const struct identity *self, struct members *members,
                                const Collega__Envelope *envelope, struct arena *arena,
                                const Collega__Letter **out, struct collega_error *error) {
  struct bytes sealed;
  uint32_t card;
  if (field_is(&envelope->to, identity_party(self))) {
    sealed = bytes_of(envelope->sealed.data, envelope->sealed.len);
    card = envelope->sealed_to;
  } else if (field_is(&envelope->from, identity_party(self)) && envelope->has_copy) {
    sealed = bytes_of(envelope->copy.data, envelope->copy.len);
    card = envelope->copy_to;
  } else {
    return error_set(error, COLLEGA_REFUSED, RULE_letter_not_ours, NULL, NULL);
  }
  if (!mail_size(sealed.length)) {
    return error_set(error, COLLEGA_INVALID, RULE_letter_padding, NULL, NULL);
  }
  uint8_t *plain = arena_take(arena, sealed.length);
  if (!plain) return exhausted(error);
  size_t length = 0;
  if (!identity_unseal(self, card, sealed, plain, &length)) return forged(error, RULE_letter_seal);
  enum collega_status status;
  size_t content = length;
  if (unpad(plain, &content)) {
    status = read_signed(self, members, envelope, bytes_of(plain, content), arena, out, error);
  } else {
    status = error_set(error, COLLEGA_INVALID, RULE_letter_padding, NULL, NULL);
  }
  sodium_memzero(plain, length);
  return status;
}
