/* The secret side of a party: what signs, what unseals, what opens the link.
 *
 * A card's 32 random bytes are all there is to keep; the three keys are derived from them, each for one
 * use, so that a leak in one protocol gives nothing away in another. The recovery key is the exception:
 * it signs cards only, never lies on this disk, and so outlives the theft of the whole home.
 *
 * The file, for a party with a link key that rotated once and whose first card's mail has expired:
 *
 *     party 5f0c...e1
 *     recovery 91ab...07
 *     card 0 - 0a20...
 *     card 1 77c2...9d 0a20...
 */
#include "proto/keys.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/process/process.h"
#include "proto/guard.h"
#include "proto/limits.h"
#include "proto/record.h"
#include "proto/tree.h"

#define SEED_BYTES          32
#define CARD_MOST           65535u               /* the schema's last card number */
#define CARD_ARENA_BYTES    (64u * 1024u)        /* one card's body and run are under 1 KiB */
#define IDENTITY_FILE_BYTES (8u * 1024u * 1024u) /* some thousands of cards */
#define LINE_LEAST_BYTES    96                   /* word, number, seed and blanks of a line */

enum { KEY_SIGNING = 1, KEY_SEALING = 2, KEY_LINK = 3 }; /* crypto_kdf subkeys */

struct secrets {
  uint8_t seed[SEED_BYTES];
  uint8_t signing[crypto_sign_SECRETKEYBYTES];
  uint8_t sealing[crypto_box_SECRETKEYBYTES];
  uint8_t link[crypto_scalarmult_SCALARBYTES];
};

struct card {
  uint32_t number;
  struct secrets *secrets; /* in locked memory; NULL: destroyed */
  struct public_keys keys;
  struct id record;
  collega_time time;
  bool recovered; /* signed by the recovery key */
  uint8_t *run;
  size_t run_length;
};

struct identity {
  struct id party;
  uint8_t recovery[crypto_sign_PUBLICKEYBYTES];
  struct card *cards; /* ascending; the last is the current one */
  size_t count;
};

static enum collega_status out_of_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

/* ---- keys */

static void secrets_derive(struct secrets *secrets, struct public_keys *keys, bool with_link) {
  uint8_t seed[crypto_sign_SEEDBYTES];
  crypto_kdf_derive_from_key(seed, sizeof seed, KEY_SIGNING, "collega1", secrets->seed);
  crypto_sign_seed_keypair(keys->signing, secrets->signing, seed);
  sodium_memzero(seed, sizeof seed);
  crypto_kdf_derive_from_key(secrets->sealing, sizeof secrets->sealing, KEY_SEALING, "collega1",
                             secrets->seed);
  crypto_scalarmult_base(keys->sealing, secrets->sealing);
  keys->has_link = with_link;
  memset(keys->link, 0, sizeof keys->link);
  if (!with_link) return;
  crypto_kdf_derive_from_key(secrets->link, sizeof secrets->link, KEY_LINK, "collega1",
                             secrets->seed);
  crypto_scalarmult_base(keys->link, secrets->link);
}

void party_id(struct id *out, const uint8_t signing_key[32], const uint8_t recovery_key[32]) {
  uint8_t both[64];
  memcpy(both, signing_key, 32);
  memcpy(both + 32, recovery_key, 32);
  crypto_generichash(out->byte, ID_BYTES, both, sizeof both, NULL, 0);
}

#define SIGNED_TAG   "collega/signature/1"
#define SIGNED_BYTES (sizeof SIGNED_TAG - 1 + 1 + ID_BYTES + 8 + ID_BYTES)

static void signed_bytes(uint8_t out[SIGNED_BYTES], enum purpose purpose, const struct id *signer,
                         uint64_t tree_size, const struct id *root) {
  uint8_t *at = out;
  memcpy(at, SIGNED_TAG, sizeof SIGNED_TAG - 1);
  at += sizeof SIGNED_TAG - 1;
  *at++ = (uint8_t)purpose;
  memcpy(at, signer->byte, ID_BYTES);
  at += ID_BYTES;
  put_be64(at, tree_size);
  at += 8;
  memcpy(at, root->byte, ID_BYTES);
}

bool signature_verify(const uint8_t key[32], enum purpose purpose, const struct id *signer,
                      uint64_t tree_size, const struct id *root, const uint8_t signature[64]) {
  uint8_t message[SIGNED_BYTES];
  signed_bytes(message, purpose, signer, tree_size, root);
  return crypto_sign_verify_detached(signature, message, sizeof message, key) == 0;
}

static void sign_with(const uint8_t *secret, enum purpose purpose, const struct id *signer,
                      uint64_t tree_size, const struct id *root, uint8_t signature[64]) {
  uint8_t message[SIGNED_BYTES];
  signed_bytes(message, purpose, signer, tree_size, root);
  crypto_sign_detached(signature, NULL, message, sizeof message, secret);
}

/* ---- cards */

static void card_release(struct card *card) {
  sodium_free(card->secrets); /* wipes */
  free(card->run);
}

static struct card *card_current(const struct identity *identity) {
  return &identity->cards[identity->count - 1];
}

static const struct card *card_find(const struct identity *identity, uint32_t number) {
  for (size_t i = 0; i < identity->count; i++) {
    if (identity->cards[i].number == number) return &identity->cards[i];
  }
  return NULL;
}

/* Moves *card to the end of the list; on failure it stays the caller's. */
static bool cards_append(struct identity *identity, const struct card *card) {
  struct card *grown = realloc(identity->cards, (identity->count + 1) * sizeof *grown);
  if (!grown) return false;
  grown[identity->count++] = *card;
  identity->cards = grown;
  return true;
}

/* Who signs a card: the key before it, the recovery key, or, for card 0, the card's own. */
struct card_signer {
  const uint8_t *secret; /* NULL: the card's own */
  uint32_t key_epoch;
  bool recovery;
};

static void set_bytes(ProtobufCBinaryData *field, const uint8_t *data, size_t length) {
  field->data = (uint8_t *)data; /* protobuf-c's fields are not const; packing only reads them */
  field->len = length;
}

/* Packs and signs the record of `card` into card->run; card->record and time are set. */
static enum collega_status card_sign(struct card *card, const struct identity *identity,
                                     const struct id *previous, struct card_signer signer,
                                     const struct epoch *epoch, uint64_t seq,
                                     struct collega_error *error) {
  struct arena *arena = arena_new(4096, CARD_ARENA_BYTES);
  if (!arena) return out_of_memory(error);
  enum collega_status status = COLLEGA_OK;

  Collega__NodeCard content = COLLEGA__NODE_CARD__INIT;
  set_bytes(&content.party, identity->party.byte, ID_BYTES);
  content.number = card->number;
  set_bytes(&content.signing_key, card->keys.signing, sizeof card->keys.signing);
  set_bytes(&content.sealing_key, card->keys.sealing, sizeof card->keys.sealing);
  content.has_link_key = card->keys.has_link;
  if (card->keys.has_link) set_bytes(&content.link_key, card->keys.link, sizeof card->keys.link);
  set_bytes(&content.recovery_key, identity->recovery, sizeof identity->recovery);
  content.has_previous = previous != NULL;
  if (previous) set_bytes(&content.previous, previous->byte, ID_BYTES);
  content.time = card->time;

  Collega__Body body;
  body_init(&body, &identity->party, epoch, seq);
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_CARD;
  body.card = &content;
  struct bytes packed = message_pack(&body.base, arena);

  struct id root;
  uint8_t signature[64];
  Collega__Run run = COLLEGA__RUN__INIT;
  ProtobufCBinaryData bodies[1];
  struct bytes whole = {NULL, 0};
  if (packed.data) {
    record_id(&card->record, packed);
    tree_leaf(&root, card->record.byte, ID_BYTES);
    sign_with(signer.secret ? signer.secret : card->secrets->signing, PURPOSE_RECORD,
              &identity->party, 1, &root, signature);
    set_bytes(&run.signer, identity->party.byte, ID_BYTES);
    run.key_epoch = signer.key_epoch;
    run.tree_size = 1;
    set_bytes(&run.signature, signature, sizeof signature);
    set_bytes(&bodies[0], packed.data, packed.length);
    run.n_bodies = 1;
    run.bodies = bodies;
    run.has_recovery = signer.recovery;
    run.recovery = signer.recovery;
    whole = message_pack(&run.base, arena);
  }
  card->run = whole.data ? malloc(whole.length) : NULL;
  if (card->run) {
    memcpy(card->run, whole.data, whole.length);
    card->run_length = whole.length;
  } else {
    status = out_of_memory(error);
  }
  arena_destroy(&arena);
  return status;
}

/* Derives, signs and appends a card. */
static enum collega_status card_add(struct identity *identity, const uint8_t seed[SEED_BYTES],
                                    bool with_link, struct card_signer signer,
                                    const struct epoch *epoch, uint64_t seq, collega_time now,
                                    struct collega_error *error) {
  const struct card *before = identity->count ? card_current(identity) : NULL;
  struct card card = {
      .number = before ? before->number + 1 : 0, .time = now, .recovered = signer.recovery};
  card.secrets = sodium_malloc(sizeof *card.secrets);
  if (!card.secrets) return out_of_memory(error);
  memset(card.secrets, 0, sizeof *card.secrets);
  memcpy(card.secrets->seed, seed, SEED_BYTES);
  secrets_derive(card.secrets, &card.keys, with_link);
  if (!before) party_id(&identity->party, card.keys.signing, identity->recovery);

  enum collega_status status =
      card_sign(&card, identity, before ? &before->record : NULL, signer, epoch, seq, error);
  if (status == COLLEGA_OK && !cards_append(identity, &card)) status = out_of_memory(error);
  if (status != COLLEGA_OK) card_release(&card);
  return status;
}

/* ---- creating and replacing */

enum collega_status identity_create_from(const uint8_t seed[32], const uint8_t recovery_secret[32],
                                         bool with_link, const struct epoch *epoch, uint64_t seq,
                                         collega_time now, struct identity **out,
                                         struct collega_error *error) {
  *out = NULL;
  struct identity *identity = calloc(1, sizeof *identity);
  if (!identity) return out_of_memory(error);
  uint8_t recovery[crypto_sign_SECRETKEYBYTES];
  crypto_sign_seed_keypair(identity->recovery, recovery, recovery_secret);
  sodium_memzero(recovery, sizeof recovery);
  struct card_signer itself = {NULL, 0, false};
  enum collega_status status = card_add(identity, seed, with_link, itself, epoch, seq, now, error);
  if (status != COLLEGA_OK) {
    identity_destroy(&identity);
    return status;
  }
  *out = identity;
  return COLLEGA_OK;
}

enum collega_status identity_create(bool with_link, const struct epoch *epoch, uint64_t seq,
                                    collega_time now, char recovery_text[RECOVERY_TEXT_BYTES],
                                    struct identity **out, struct collega_error *error) {
  uint8_t seed[SEED_BYTES], recovery_secret[SEED_BYTES];
  random_fill(seed, sizeof seed);
  random_fill(recovery_secret, sizeof recovery_secret);
  enum collega_status status =
      identity_create_from(seed, recovery_secret, with_link, epoch, seq, now, out, error);
  recovery_text[0] = '\0';
  if (status == COLLEGA_OK) {
    char *at = recovery_text;
    for (size_t group = 0; group < 8; group++) {
      if (group > 0) *at++ = ' ';
      hex_write(at, recovery_secret + 4 * group, 4);
      at += 8;
    }
  }
  sodium_memzero(seed, sizeof seed);
  sodium_memzero(recovery_secret, sizeof recovery_secret);
  return status;
}

static enum collega_status card_replace(struct identity *identity, struct card_signer signer,
                                        const struct epoch *epoch, uint64_t seq, collega_time now,
                                        struct collega_error *error) {
  const struct card *current = card_current(identity);
  if (current->number == CARD_MOST) {
    return error_set(error, COLLEGA_REFUSED, RULE_card_numbers_spent, NULL, NULL);
  }
  uint8_t seed[SEED_BYTES];
  random_fill(seed, sizeof seed);
  signer.key_epoch = current->number;
  enum collega_status status =
      card_add(identity, seed, current->keys.has_link, signer, epoch, seq, now, error);
  sodium_memzero(seed, sizeof seed);
  if (status == COLLEGA_OK) identity_expire(identity, now);
  return status;
}

enum collega_status identity_rotate(struct identity *identity, const struct epoch *epoch,
                                    uint64_t seq, collega_time now, struct collega_error *error) {
  struct card_signer signer = {card_current(identity)->secrets->signing, 0, false};
  return card_replace(identity, signer, epoch, seq, now, error);
}

/* Hexadecimal digits of `text` without blanks, colons and hyphens into `digits` (capacity with NUL). */
static bool digits_only(const char *text, char *digits, size_t capacity) {
  size_t count = 0;
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (isspace(c) || c == ':' || c == '-') continue;
    if (!isxdigit(c) || count + 1 >= capacity) return false;
    digits[count++] = (char)tolower(c);
  }
  digits[count] = '\0';
  return true;
}

enum collega_status identity_recover(struct identity *identity, const char *recovery_text,
                                     const struct epoch *epoch, uint64_t seq, collega_time now,
                                     struct collega_error *error) {
  char digits[2 * SEED_BYTES + 1];
  uint8_t secret_seed[SEED_BYTES], key[crypto_sign_PUBLICKEYBYTES];
  uint8_t secret[crypto_sign_SECRETKEYBYTES];
  enum collega_status status;
  if (!digits_only(recovery_text, digits, sizeof digits) ||
      !hex_read(secret_seed, SEED_BYTES, digits)) {
    status = error_set(error, COLLEGA_INVALID, RULE_recovery_text, NULL, NULL);
    goto done;
  }
  crypto_sign_seed_keypair(key, secret, secret_seed);
  if (sodium_memcmp(key, identity->recovery, sizeof key) != 0) {
    status = error_set(error, COLLEGA_REFUSED, RULE_recovery_other, NULL, NULL);
    goto done;
  }
  struct card_signer signer = {secret, 0, true};
  status = card_replace(identity, signer, epoch, seq, now, error);
done:
  sodium_memzero(digits, sizeof digits);
  sodium_memzero(secret_seed, sizeof secret_seed);
  sodium_memzero(secret, sizeof secret);
  return status;
}

size_t identity_expire(struct identity *identity, collega_time now) {
  size_t destroyed = 0;
  for (size_t i = 0; i + 1 < identity->count; i++) {
    struct card *card = &identity->cards[i];
    if (!card->secrets || now - identity->cards[i + 1].time <= MAIL_LIFETIME_MS) continue;
    sodium_free(card->secrets);
    card->secrets = NULL;
    destroyed++;
  }
  return destroyed;
}

void identity_cut(struct identity *identity, uint32_t number) {
  while (identity->count > 1 && card_current(identity)->number > number) {
    card_release(card_current(identity));
    identity->count--;
  }
}

void identity_destroy(struct identity **identity) {
  if (!*identity) return;
  for (size_t i = 0; i < (*identity)->count; i++)
    card_release(&(*identity)->cards[i]);
  free((*identity)->cards);
  free(*identity);
  *identity = NULL;
}

/* ---- on disk */

enum collega_status identity_save(const struct identity *identity, const char *directory,
                                  struct collega_error *error) {
  char path[4096];
  enum collega_status status = path_join(path, sizeof path, directory, "identity", error);
  if (status != COLLEGA_OK) return status;

  size_t capacity = 4 * LINE_LEAST_BYTES;
  for (size_t i = 0; i < identity->count; i++) {
    capacity += LINE_LEAST_BYTES + 2 * identity->cards[i].run_length;
  }
  char *text = sodium_malloc(capacity);
  if (!text) return out_of_memory(error);
  char *at = text;
  char hex[2 * ID_BYTES + 1];
  hex_write(hex, identity->party.byte, ID_BYTES);
  at += sprintf(at, "party %s\n", hex);
  hex_write(hex, identity->recovery, sizeof identity->recovery);
  at += sprintf(at, "recovery %s\n", hex);
  for (size_t i = 0; i < identity->count; i++) {
    const struct card *card = &identity->cards[i];
    at += sprintf(at, "card %u ", (unsigned)card->number);
    if (card->secrets) {
      hex_write(at, card->secrets->seed, SEED_BYTES);
      at += 2 * SEED_BYTES;
    } else {
      *at++ = '-';
    }
    *at++ = ' ';
    hex_write(at, card->run, card->run_length);
    at += 2 * card->run_length;
    *at++ = '\n';
  }
  status = file_write(path, text, (size_t)(at - text), 0600, error);
  sodium_free(text);
  return status;
}

/* Cuts the next word of a line; NULL: none left. */
static char *next_word(char **line) {
  char *word = *line + strspn(*line, " ");
  if (!*word) return NULL;
  char *end = word + strcspn(word, " ");
  *line = *end ? end + 1 : end;
  *end = '\0';
  return word;
}

/* The card's public half from its run; the chain so far judges its signature. */
static bool card_accept(struct card *card, const struct identity *identity, struct arena *arena) {
  struct run_view view;
  if (run_read_bytes(bytes_of(card->run, card->run_length), arena, &view, NULL) != COLLEGA_OK ||
      view.count != 1 || view.records[0].refused ||
      view.records[0].body->type != COLLEGA__BODY_TYPE__BODY_TYPE_CARD ||
      !id_equal(&view.signer, &identity->party)) {
    return false;
  }
  const Collega__NodeCard *content = view.records[0].body->card;
  const struct card *before = identity->count ? card_current(identity) : NULL;
  if (content->number != card->number || card->number != (before ? before->number + 1 : 0) ||
      view.run->key_epoch != (before ? before->number : 0) ||
      memcmp(content->recovery_key.data, identity->recovery, sizeof identity->recovery) != 0) {
    return false;
  }
  memcpy(card->keys.signing, content->signing_key.data, sizeof card->keys.signing);
  memcpy(card->keys.sealing, content->sealing_key.data, sizeof card->keys.sealing);
  card->keys.has_link = content->has_link_key;
  if (content->has_link_key) {
    memcpy(card->keys.link, content->link_key.data, sizeof card->keys.link);
  }
  card->record = view.records[0].id;
  card->time = content->time;
  card->recovered = view.run->has_recovery && view.run->recovery;
  if (!before) {
    struct id party;
    party_id(&party, card->keys.signing, identity->recovery);
    if (!id_equal(&party, &identity->party)) return false;
  }
  const uint8_t *key = card->recovered ? identity->recovery
                       : before        ? before->keys.signing
                                       : card->keys.signing;
  return run_verify(&view, key, NULL) == COLLEGA_OK;
}

/* The party that the first card makes of itself. */
static bool party_of_card(struct bytes run, struct identity *identity, struct arena *arena) {
  struct run_view view;
  if (run_read_bytes(run, arena, &view, NULL) != COLLEGA_OK || view.count != 1 ||
      view.records[0].refused || !view.records[0].body->card)
    return false;
  const Collega__NodeCard *card = view.records[0].body->card;
  memcpy(identity->recovery, card->recovery_key.data, sizeof identity->recovery);
  party_id(&identity->party, card->signing_key.data, identity->recovery);
  return true;
}

static bool card_known(struct identity *identity, struct bytes run, struct arena *arena) {
  struct card card = {.number = (uint32_t)identity->count};
  card.run = malloc(run.length + 1);
  card.run_length = run.length;
  if (card.run) memcpy(card.run, run.data, run.length);
  bool fits = card.run && card_accept(&card, identity, arena) && cards_append(identity, &card);
  if (!fits) card_release(&card);
  return fits;
}

enum collega_status identity_of_cards(const struct bytes *cards, size_t count,
                                      struct identity **out, struct collega_error *error) {
  *out = NULL;
  struct identity *identity = calloc(1, sizeof *identity);
  struct arena *arena = arena_new(4096, LIMIT_ARENA_BYTES);
  bool fits = identity && arena && count > 0 && party_of_card(cards[0], identity, arena);
  for (size_t i = 0; fits && i < count; i++)
    fits = card_known(identity, cards[i], arena);
  enum collega_status status = COLLEGA_OK;
  if (!identity || !arena)
    status = out_of_memory(error);
  else if (!fits)
    status = error_set(error, COLLEGA_FORGED, RULE_card_chain, "cards", NULL);
  arena_destroy(&arena);
  if (status != COLLEGA_OK) identity_destroy(&identity);
  *out = identity;
  return status;
}

static bool line_card(struct identity *identity, char *line, struct arena *arena) {
  char *number = next_word(&line), *seed = next_word(&line), *run = next_word(&line);
  if (!number || !seed || !run || next_word(&line)) return false;
  char *end = NULL;
  unsigned long value = strtoul(number, &end, 10);
  if (*end || !isdigit((unsigned char)number[0]) || value > CARD_MOST) return false;

  struct card card = {.number = (uint32_t)value};
  bool fits = false;
  card.run_length = strlen(run) / 2;
  card.run = malloc(card.run_length + 1);
  if (!card.run || !hex_read(card.run, card.run_length, run)) goto done;
  if (!card_accept(&card, identity, arena)) goto done;
  if (strcmp(seed, "-") != 0) {
    struct public_keys derived;
    card.secrets = sodium_malloc(sizeof *card.secrets);
    if (!card.secrets) goto done;
    memset(card.secrets, 0, sizeof *card.secrets);
    if (!hex_read(card.secrets->seed, SEED_BYTES, seed)) goto done;
    secrets_derive(card.secrets, &derived, card.keys.has_link);
    if (memcmp(derived.signing, card.keys.signing, sizeof derived.signing) != 0 ||
        memcmp(derived.sealing, card.keys.sealing, sizeof derived.sealing) != 0 ||
        memcmp(derived.link, card.keys.link, sizeof derived.link) != 0) {
      goto done;
    }
  }
  fits = cards_append(identity, &card);
done:
  if (!fits) card_release(&card);
  return fits;
}

static bool line_key(char *line, uint8_t *out, size_t length) {
  char *hex = next_word(&line);
  return hex && !next_word(&line) && hex_read(out, length, hex);
}

/* Party, recovery, then the cards in order, each line once. */
static bool line_read(struct identity *identity, unsigned number, char *line, struct arena *arena) {
  char *word = next_word(&line);
  if (!word) return false;
  if (number == 1) {
    return strcmp(word, "party") == 0 && line_key(line, identity->party.byte, ID_BYTES);
  }
  if (number == 2) {
    return strcmp(word, "recovery") == 0 &&
           line_key(line, identity->recovery, sizeof identity->recovery);
  }
  return strcmp(word, "card") == 0 && line_card(identity, line, arena);
}

enum collega_status identity_load(const char *directory, struct identity **out,
                                  struct collega_error *error) {
  *out = NULL;
  char path[4096];
  enum collega_status status = path_join(path, sizeof path, directory, "identity", error);
  if (status != COLLEGA_OK) return status;

  struct buffer file;
  buffer_init(&file, IDENTITY_FILE_BYTES + 1);
  struct identity *identity = calloc(1, sizeof *identity);
  struct arena *arena = arena_new(4096, LIMIT_ARENA_BYTES);
  if (!identity || !arena) {
    status = out_of_memory(error);
    goto done;
  }
  status = file_read(path, IDENTITY_FILE_BYTES, &file, error);
  if (status != COLLEGA_OK) goto done;

  unsigned number = 0;
  bool fits = file.length > 0 && file.data[file.length - 1] == '\n' &&
              !memchr(file.data, '\0', file.length);
  char *line = (char *)file.data;
  char *end = fits ? line + file.length : line;
  while (fits && line < end) {
    char *newline = memchr(line, '\n', (size_t)(end - line));
    *newline = '\0';
    fits = line_read(identity, ++number, line, arena);
    arena_reset(arena);
    line = newline + 1;
  }
  if (!fits || identity->count == 0 || !card_current(identity)->secrets) {
    char at[16];
    snprintf(at, sizeof at, "%u", number > 0 ? number : 1); /* an empty file lacks its first line */
    status = error_set(error, COLLEGA_DAMAGED, RULE_identity_damaged, NULL, path, at, NULL);
    goto done;
  }
  *out = identity;
  identity = NULL;
done:
  if (file.data) sodium_memzero(file.data, file.length);
  buffer_free(&file);
  arena_destroy(&arena);
  identity_destroy(&identity);
  return status;
}

/* ---- use */

const struct id *identity_party(const struct identity *identity) {
  return &identity->party;
}

uint32_t identity_card_number(const struct identity *identity) {
  return card_current(identity)->number;
}

struct bytes identity_card_run(const struct identity *identity, uint32_t number) {
  const struct card *card = card_find(identity, number);
  return card ? bytes_of(card->run, card->run_length) : bytes_of(NULL, 0);
}

const struct public_keys *identity_public(const struct identity *identity) {
  return &card_current(identity)->keys;
}

const uint8_t *identity_link_secret(const struct identity *identity) {
  const struct card *card = card_current(identity);
  return card->keys.has_link ? card->secrets->link : NULL;
}

const uint8_t *identity_link_secret_of(const struct identity *identity, uint32_t number) {
  const struct card *card = card_find(identity, number);
  return card && card->secrets && card->keys.has_link ? card->secrets->link : NULL;
}

const struct id *identity_card_record(const struct identity *identity, uint32_t number) {
  const struct card *card = card_find(identity, number);
  return card ? &card->record : NULL;
}

bool identity_card_recovered(const struct identity *identity, uint32_t number) {
  const struct card *card = card_find(identity, number);
  return card && card->recovered;
}

const uint8_t *identity_signing_key(const struct identity *identity, uint32_t number) {
  const struct card *card = card_find(identity, number);
  return card ? card->keys.signing : NULL;
}

void identity_sign(const struct identity *identity, enum purpose purpose, uint64_t tree_size,
                   const struct id *root, uint8_t signature[64]) {
  sign_with(card_current(identity)->secrets->signing, purpose, &identity->party, tree_size, root,
            signature);
}

bool identity_unseal(const struct identity *identity, uint32_t number, struct bytes sealed,
                     uint8_t *out, size_t *length) {
  *length = 0;
  const struct card *card = card_find(identity, number);
  if (!card || !card->secrets || sealed.length < crypto_box_SEALBYTES) return false;
  if (crypto_box_seal_open(out, sealed.data, sealed.length, card->keys.sealing,
                           card->secrets->sealing) != 0) {
    return false;
  }
  *length = sealed.length - crypto_box_SEALBYTES;
  return true;
}

void fingerprint_write(char out[FINGERPRINT_BYTES], const struct id *party) {
  char *at = out;
  for (size_t group = 0; group < 8; group++) {
    if (group > 0) *at++ = ' ';
    hex_write(at, party->byte + 2 * group, 2);
    at += 4;
  }
}

/* How many bytes of an id the text names, 0: it is no fingerprint. */
static size_t fingerprint_read(const char *text, uint8_t named[ID_BYTES]) {
  char digits[2 * ID_BYTES + 1];
  if (!digits_only(text, digits, sizeof digits)) return 0;
  size_t digit_count = strlen(digits), length = digit_count / 2;
  if (digit_count != 2 * ID_BYTES && digit_count != ID_BYTES) return 0;
  return hex_read(named, length, digits) ? length : 0;
}

bool fingerprint_valid(const char *text) {
  uint8_t named[ID_BYTES];
  return fingerprint_read(text, named) != 0;
}

bool fingerprint_fits(const char *text, const struct id *party) {
  uint8_t named[ID_BYTES];
  size_t length = fingerprint_read(text, named);
  return length != 0 && memcmp(named, party->byte, length) == 0;
}
