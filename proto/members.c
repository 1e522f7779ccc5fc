/* Who is known, in memory.
 *
 * A party comes in when somebody asks for it: the loader replays its records through members_take, the
 * same door that new records use, so what was stored is judged exactly as it was when it came. What is
 * not known is not remembered as unknown either: strangers cannot fill the table with their guesses.
 */
#include "proto/members.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Party ids are chosen by outsiders: the table hashes them with a random key of its own (below), and a
 * failed allocation leaves the entry out instead of ending the process. */
#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) ((void)(entry))
#include <uthash.h>

struct entry {
  struct known_party party;
  bool loading; /* its loader runs: it must stay where it is */
  UT_hash_handle hh;
};

struct members {
  members_loader loader;
  void *context;
  uint8_t hash_key[crypto_shorthash_KEYBYTES];
  struct entry *table;
};

static enum collega_status out_of_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

/* ---- the table */

struct members *members_new(members_loader loader, void *context) {
  struct members *members = calloc(1, sizeof *members);
  if (!members) return NULL;
  members->loader = loader;
  members->context = context;
  random_fill(members->hash_key, sizeof members->hash_key);
  return members;
}

static unsigned hash_of(const struct members *members, const struct id *party) {
  uint8_t out[crypto_shorthash_BYTES];
  crypto_shorthash(out, party->byte, ID_BYTES, members->hash_key);
  return get_be32(out);
}

static struct entry *entry_get(const struct members *members, const struct id *party) {
  struct entry *entry = NULL;
  HASH_FIND_BYHASHVALUE(hh, members->table, party->byte, ID_BYTES, hash_of(members, party), entry);
  return entry;
}

static struct entry *entry_add(struct members *members, const struct id *party) {
  struct entry *entry = calloc(1, sizeof *entry);
  if (!entry) return NULL;
  entry->party.id = *party;
  char fingerprint[FINGERPRINT_BYTES];
  fingerprint_write(fingerprint, party);
  memcpy(entry->party.short_name, fingerprint, sizeof entry->party.short_name - 1);
  HASH_ADD_BYHASHVALUE(hh, members->table, party.id, ID_BYTES, hash_of(members, party), entry);
  if (entry->hh.tbl) return entry;
  free(entry);
  return NULL;
}

static void mandate_release(struct known_mandate *mandate) {
  free(mandate->person);
  free(mandate->function);
  free(mandate->ground);
}

static void cert_release(struct known_cert *cert) {
  free(cert->name);
  free(cert->kvk);
}

static void entry_remove(struct members *members, struct entry *entry) {
  HASH_DEL(members->table, entry);
  struct known_party *party = &entry->party;
  for (size_t i = 0; i < party->mandate_count; i++)
    mandate_release(&party->mandates[i]);
  for (size_t i = 0; i < party->cert_count; i++)
    cert_release(&party->certs[i]);
  free(party->mandates);
  free(party->certs);
  free(party->cards);
  free(party->replaced);
  free(entry);
}

void members_destroy(struct members **members) {
  if (!*members) return;
  struct entry *entry, *next;
  HASH_ITER(hh, (*members)->table, entry, next) {
    entry_remove(*members, entry);
  }
  free(*members);
  *members = NULL;
}

void members_forget(struct members *members, const struct id *party) {
  struct entry *entry = entry_get(members, party);
  if (entry && !entry->loading) entry_remove(members, entry);
}

/* Without a card nothing can be said about a party: such an entry does not stay. */
static void drop_if_unknown(struct members *members, struct entry *entry) {
  if (entry->party.card_count == 0 && !entry->loading) entry_remove(members, entry);
}

/* The entry of `party`, loaded; with `make` also one that is still empty. The entry stands in the table
 * while its loader runs, so the records that the loader gives find it and do not load again. */
static enum collega_status entry_load(struct members *members, const struct id *party, bool make,
                                      struct entry **out, struct collega_error *error) {
  *out = entry_get(members, party);
  if (*out) return COLLEGA_OK;
  if (!members->loader && !make) return COLLEGA_OK;
  struct entry *entry = entry_add(members, party);
  if (!entry) return out_of_memory(error);
  if (members->loader) {
    entry->loading = true;
    enum collega_status status = members->loader(members->context, members, party, error);
    entry->loading = false;
    if (status != COLLEGA_OK && status != COLLEGA_NOT_FOUND) {
      entry_remove(members, entry);
      return status;
    }
  }
  if (!make && entry->party.card_count == 0) {
    entry_remove(members, entry);
    return COLLEGA_OK;
  }
  *out = entry;
  return COLLEGA_OK;
}

const struct known_party *members_find(struct members *members, const struct id *party) {
  struct entry *entry = NULL;
  if (entry_load(members, party, false, &entry, NULL) != COLLEGA_OK || !entry) return NULL;
  return entry->party.card_count ? &entry->party : NULL;
}

/* ---- signatures */

static enum collega_status party_unknown(const struct id *party, struct collega_error *error) {
  char fingerprint[FINGERPRINT_BYTES];
  fingerprint_write(fingerprint, party);
  return error_set(error, COLLEGA_NOT_FOUND, RULE_party_unknown, NULL, fingerprint, NULL);
}

enum collega_status members_signing_key(struct members *members, const struct id *signer,
                                        uint32_t key_epoch, uint8_t key[32],
                                        struct collega_error *error) {
  struct entry *entry = NULL;
  enum collega_status status = entry_load(members, signer, false, &entry, error);
  if (status != COLLEGA_OK) return status;
  if (!entry || entry->party.card_count == 0) return party_unknown(signer, error);
  if (key_epoch >= entry->party.card_count) {
    return error_set(error, COLLEGA_NOT_FOUND, RULE_card_unknown, NULL,
                     known_party_name(&entry->party), NULL);
  }
  memcpy(key, entry->party.cards[key_epoch].keys.signing, 32);
  return COLLEGA_OK;
}

enum collega_status members_verify_run(struct members *members, const struct run_view *view,
                                       struct collega_error *error) {
  uint8_t key[32];
  if (view->run->has_recovery && view->run->recovery) {
    struct entry *entry = NULL;
    enum collega_status loaded = entry_load(members, &view->signer, false, &entry, error);
    if (loaded != COLLEGA_OK) return loaded;
    if (!entry || entry->party.card_count == 0) return party_unknown(&view->signer, error);
    return run_verify(view, entry->party.recovery_key, error);
  }
  enum collega_status status =
      members_signing_key(members, &view->signer, view->run->key_epoch, key, error);
  return status == COLLEGA_OK ? run_verify(view, key, error) : status;
}

/* Was it there before the card of the recovery key was? */
static bool anchored_before(const struct receipt_position *at,
                            const struct receipt_position *until) {
  if (!at || id_is_zero(&until->origin)) return true;
  bool same_log = at->seq > 0 && id_equal(&at->origin, &until->origin) &&
                  memcmp(at->epoch.byte, until->epoch.byte, EPOCH_BYTES) == 0;
  return same_log ? at->seq < until->seq : at->time <= until->time;
}

/* The replaced card whose key signed the run, while it counted; NULL: none. */
static const struct replaced_card *replaced_signer(const struct known_party *party,
                                                   const struct run_view *view,
                                                   const struct receipt_position *at) {
  for (size_t i = 0; i < party->replaced_count; i++) {
    const struct replaced_card *old = &party->replaced[i];
    if (old->card.number == view->run->key_epoch && anchored_before(at, &old->until) &&
        run_verify(view, old->card.keys.signing, NULL) == COLLEGA_OK)
      return old;
  }
  return NULL;
}

enum collega_status members_verify_anchored(struct members *members, const struct run_view *view,
                                            const struct receipt_position *at,
                                            const struct known_card **by,
                                            struct collega_error *error) {
  enum collega_status status = members_verify_run(members, view, error);
  const struct known_party *party = members_find(members, &view->signer);
  const uint32_t number = view->run->key_epoch;
  if (by) *by = status == COLLEGA_OK && number < party->card_count ? &party->cards[number] : NULL;
  if ((status != COLLEGA_FORGED && status != COLLEGA_NOT_FOUND) || !party ||
      (view->run->has_recovery && view->run->recovery))
    return status;
  const struct replaced_card *old = replaced_signer(party, view, at);
  if (!old) return status;
  if (by) *by = &old->card;
  if (error) error_clear(error);
  return COLLEGA_OK;
}

/* ---- cards */

static void card_fill(struct known_card *card, const struct record *record) {
  const Collega__NodeCard *content = record->body->card;
  memset(card, 0, sizeof *card);
  card->record = record->id;
  card->number = content->number;
  memcpy(card->keys.signing, content->signing_key.data, sizeof card->keys.signing);
  memcpy(card->keys.sealing, content->sealing_key.data, sizeof card->keys.sealing);
  card->keys.has_link = content->has_link_key;
  if (content->has_link_key)
    memcpy(card->keys.link, content->link_key.data, sizeof card->keys.link);
  card->time = content->time;
}

/* A mandate of a replaced card is over with that card: whoever made it may not have been the owner, and who relied
 * on it before did so in good faith. */
static void mandate_replaced(struct known_mandate *mandate, const struct receipt_position *until) {
  mandate->replaced = true;
  if (mandate->ended == 0 || until->time < mandate->ended) mandate->ended = until->time;
}

/* What `signer`'s cards from `number` on have signed: its mandates end, and certificates of a broker go: nobody but its
 * own receipts says when those were made. */
static void end_signed_since(struct members *members, const struct id *signer, uint32_t number,
                             const struct receipt_position *until) {
  struct entry *entry, *next;
  HASH_ITER(hh, members->table, entry, next) {
    struct known_party *party = &entry->party;
    size_t kept = 0;
    for (size_t i = 0; i < party->cert_count; i++) {
      struct known_cert *cert = &party->certs[i];
      if (id_equal(&cert->broker, signer) && cert->key_epoch >= number) {
        cert_release(cert);
      } else {
        party->certs[kept++] = *cert;
      }
    }
    party->cert_count = kept;
    if (!id_equal(&party->id, signer)) continue;
    for (size_t i = 0; i < party->mandate_count; i++) {
      struct known_mandate *mandate = &party->mandates[i];
      if (!mandate->replaced && mandate->key_epoch >= number) mandate_replaced(mandate, until);
    }
  }
}

static enum collega_status card_conflict(const struct known_party *party,
                                         struct collega_error *error) {
  return error_set(error, COLLEGA_REFUSED, RULE_card_conflict, NULL, known_party_name(party), NULL);
}

/* The card that this one says it follows: of the chain, or of what was replaced. NULL: neither. */
static const struct known_card *card_before(const struct known_party *party,
                                            const Collega__NodeCard *content,
                                            const struct replaced_card **old) {
  struct id previous;
  *old = NULL;
  if (!content->has_previous || !id_from(&previous, content->previous.data, content->previous.len))
    return NULL;
  uint32_t before = content->number - 1;
  if (before < party->card_count && id_equal(&party->cards[before].record, &previous))
    return &party->cards[before];
  for (size_t i = 0; i < party->replaced_count; i++) {
    *old = &party->replaced[i];
    if ((*old)->card.number == before && id_equal(&(*old)->card.record, &previous))
      return &(*old)->card;
  }
  *old = NULL;
  return NULL;
}

/* Verifies a card against the chain that is known. *old: it follows this card that was replaced, as it was itself. */
static enum collega_status card_verify(const struct known_party *party, const struct run_view *view,
                                       const Collega__NodeCard *content,
                                       const struct replaced_card **old,
                                       struct collega_error *error) {
  bool recovery = view->run->has_recovery && view->run->recovery;
  uint32_t number = content->number;
  *old = NULL;
  if (number == 0) {
    struct id made;
    party_id(&made, content->signing_key.data, content->recovery_key.data);
    if (recovery || content->has_previous || view->run->key_epoch != 0 ||
        !id_equal(&made, &party->id)) {
      return error_set(error, COLLEGA_FORGED, RULE_card_first, NULL, NULL);
    }
    return run_verify(view, content->signing_key.data, error);
  }
  const struct known_card *before = card_before(party, content, old);
  if (!before && number > party->card_count) {
    return error_set(error, COLLEGA_NOT_FOUND, RULE_card_gap, NULL, known_party_name(party), NULL);
  }
  if (!before || view->run->key_epoch != number - 1 ||
      memcmp(content->recovery_key.data, party->recovery_key, sizeof party->recovery_key) != 0) {
    return error_set(error, COLLEGA_FORGED, RULE_card_chain, NULL, known_party_name(party), NULL);
  }
  return run_verify(view, recovery ? party->recovery_key : before->keys.signing, error);
}

/* The recovered card's own receipt, or as long as that is not known what it says of its time. */
static struct receipt_position until_of(const struct known_card *recovered) {
  struct receipt_position until = recovered->anchor;
  if (id_is_zero(&until.origin)) until.time = recovered->time;
  return until;
}

static enum collega_status put_aside(struct known_party *party, const struct known_card *card,
                                     uint32_t branch, const struct receipt_position *until,
                                     struct collega_error *error) {
  struct replaced_card *grown =
      realloc(party->replaced, (party->replaced_count + 1) * sizeof *grown);
  if (!grown) return out_of_memory(error);
  party->replaced = grown;
  grown[party->replaced_count++] =
      (struct replaced_card){.card = *card, .branch = branch, .until = *until};
  return COLLEGA_OK;
}

/* The same card again may bring the receipt that was missing: from then on it is known until when others counted. */
static void anchor_card(struct known_party *party, struct known_card *card,
                        const struct receipt_position *anchor) {
  if (!anchor || !id_is_zero(&card->anchor.origin)) return;
  card->anchor = *anchor;
  if (!card->recovered) return;
  for (size_t i = 0; i < party->replaced_count; i++) {
    struct replaced_card *old = &party->replaced[i];
    if (old->branch == card->number && id_is_zero(&old->until.origin)) old->until = *anchor;
  }
}

static struct known_card *card_known(struct known_party *party, uint32_t number,
                                     const struct id *record) {
  if (number < party->card_count && id_equal(&party->cards[number].record, record))
    return &party->cards[number];
  for (size_t i = 0; i < party->replaced_count; i++)
    if (id_equal(&party->replaced[i].card.record, record)) return &party->replaced[i].card;
  return NULL;
}

static enum collega_status take_card(struct members *members, struct known_party *party,
                                     const struct run_view *view, const struct record *record,
                                     const struct receipt_position *anchor,
                                     struct collega_error *error) {
  const Collega__NodeCard *content = record->body->card;
  const struct replaced_card *old;
  struct known_card card, *known = card_known(party, content->number, &record->id);
  uint32_t number = content->number;
  if (known) {
    anchor_card(party, known, anchor);
    return COLLEGA_OK;
  }
  enum collega_status status = card_verify(party, view, content, &old, error);
  if (status != COLLEGA_OK) return status;
  card_fill(&card, record);
  card.recovered = view->run->has_recovery && view->run->recovery;
  if (anchor) card.anchor = *anchor;
  if (old) { /* it was replaced with the one that it follows */
    const uint32_t branch = old->branch;
    const struct receipt_position until = old->until;
    return put_aside(party, &card, branch, &until, error);
  }
  if (number < party->card_count && number > 0 && !card.recovered &&
      party->cards[number].recovered) {
    /* It was there before the recovery that is known here already. */
    const struct receipt_position until = until_of(&party->cards[number]);
    return put_aside(party, &card, number, &until, error);
  }
  if (number < party->card_count) {
    if (number == 0 || !card.recovered || party->cards[number].recovered)
      return card_conflict(party, error);
    const struct receipt_position until = until_of(&card);
    end_signed_since(members, &party->id, number, &until);
    for (size_t i = number; status == COLLEGA_OK && i < party->card_count; i++)
      status = put_aside(party, &party->cards[i], number, &until, error);
    if (status != COLLEGA_OK) return status;
    party->card_count = number;
  }
  struct known_card *grown = realloc(party->cards, (number + 1u) * sizeof *grown);
  if (!grown) return out_of_memory(error);
  party->cards = grown;
  grown[number] = card;
  party->card_count = number + 1u;
  if (number == 0) {
    memcpy(party->recovery_key, content->recovery_key.data, sizeof party->recovery_key);
  }
  return COLLEGA_OK;
}

/* ---- mandates, certificates, revocations */

static enum collega_status take_mandate(struct known_party *party, const struct run_view *view,
                                        const struct record *record,
                                        const struct receipt_position *anchor,
                                        const struct receipt_position *until,
                                        struct collega_error *error) {
  for (size_t i = 0; i < party->mandate_count; i++) {
    struct known_mandate *known = &party->mandates[i];
    if (!id_equal(&known->record, &record->id)) continue;
    if (anchor && id_is_zero(&known->anchor.origin)) known->anchor = *anchor;
    return COLLEGA_OK;
  }
  if (party->mandate_count == MANDATES_KEPT) {
    return error_set(error, COLLEGA_REFUSED, RULE_mandate_too_many, NULL, known_party_name(party),
                     NULL);
  }
  const Collega__Mandate *content = record->body->mandate;
  struct known_mandate mandate = {.record = record->id, .key_epoch = view->run->key_epoch};
  mandate.person = strdup(content->person);
  mandate.function = strdup(content->function);
  mandate.ground = content->ground ? strdup(content->ground) : NULL;
  mandate.jointly = content->jointly;
  mandate.headcount_limit = content->has_headcount_limit ? content->headcount_limit : 0;
  mandate.valid_from = content->valid_from;
  mandate.valid_until = content->has_valid_until ? content->valid_until : 0;
  if (anchor) mandate.anchor = *anchor;
  if (until) mandate_replaced(&mandate, until);
  struct known_mandate *grown =
      realloc(party->mandates, (party->mandate_count + 1) * sizeof *grown);
  if (grown) party->mandates = grown;
  if (!grown || !mandate.person || !mandate.function || (content->ground && !mandate.ground)) {
    mandate_release(&mandate);
    return out_of_memory(error);
  }
  grown[party->mandate_count++] = mandate;
  return COLLEGA_OK;
}

static enum collega_status take_mandate_end(struct known_party *party, const struct record *record,
                                            const struct receipt_position *anchor,
                                            struct collega_error *error) {
  const Collega__MandateEnd *content = record->body->mandate_end;
  for (size_t i = 0; i < party->mandate_count; i++) {
    struct known_mandate *known = &party->mandates[i];
    if (memcmp(known->record.byte, content->mandate.data, ID_BYTES) != 0) continue;
    /* Nobody can end a mandate in the past, under what was signed with it since. */
    collega_time ended = content->time;
    if (anchor && anchor->time > ended) ended = anchor->time;
    if (known->ended == 0 || ended < known->ended) known->ended = ended;
    return COLLEGA_OK;
  }
  return error_set(error, COLLEGA_NOT_FOUND, RULE_mandate_unknown, NULL, NULL);
}

/* Newest first; of two with the same start the one that lasts longer, then the smaller record id. */
static bool cert_newer(const struct known_cert *a, const struct known_cert *b) {
  if (a->valid_from != b->valid_from) return a->valid_from > b->valid_from;
  if (a->valid_until != b->valid_until) return a->valid_until > b->valid_until;
  return memcmp(a->record.byte, b->record.byte, ID_BYTES) < 0;
}

static void cert_insert(struct known_party *party, const struct known_cert *cert) {
  size_t at = party->cert_count++;
  while (at > 0 && cert_newer(cert, &party->certs[at - 1])) {
    party->certs[at] = party->certs[at - 1];
    at--;
  }
  party->certs[at] = *cert;
  size_t of_broker = 0, oldest = 0;
  for (size_t i = 0; i < party->cert_count; i++) {
    if (!id_equal(&party->certs[i].broker, &cert->broker)) continue;
    of_broker++;
    oldest = i;
  }
  if (of_broker <= CERTS_KEPT) return;
  cert_release(&party->certs[oldest]);
  memmove(&party->certs[oldest], &party->certs[oldest + 1],
          (party->cert_count - oldest - 1) * sizeof *party->certs);
  party->cert_count--;
}

static enum collega_status take_cert(struct known_party *party, const struct run_view *view,
                                     const struct record *record, struct collega_error *error) {
  for (size_t i = 0; i < party->cert_count; i++) {
    if (id_equal(&party->certs[i].record, &record->id)) return COLLEGA_OK;
  }
  const Collega__MemberCert *content = record->body->cert;
  struct known_cert cert = {.record = record->id, .broker = view->signer};
  cert.key_epoch = view->run->key_epoch;
  if (content->has_host) memcpy(cert.host.byte, content->host.data, ID_BYTES);
  cert.role = (int)content->role;
  cert.name = strdup(content->entities[0]->name);
  cert.kvk = strdup(content->entities[0]->kvk);
  cert.valid_from = content->valid_from;
  cert.valid_until = content->valid_until;
  struct known_cert *grown = realloc(party->certs, (party->cert_count + 1) * sizeof *grown);
  if (grown) party->certs = grown;
  if (!grown || !cert.name || !cert.kvk) {
    cert_release(&cert);
    return out_of_memory(error);
  }
  cert_insert(party, &cert);
  return COLLEGA_OK;
}

/* The first revocation stands; a later one of the same log may only move the last valid position back. */
static void take_revocation(struct known_party *party, const Collega__Revocation *content) {
  struct receipt_position position = {.seq = content->seq, .time = content->time};
  memcpy(position.origin.byte, content->origin.data, ID_BYTES);
  memcpy(position.epoch.byte, content->epoch.data, EPOCH_BYTES);
  bool same_log = party->revoked && id_equal(&position.origin, &party->revoked_at.origin) &&
                  memcmp(position.epoch.byte, party->revoked_at.epoch.byte, EPOCH_BYTES) == 0;
  if (party->revoked && (!same_log || position.seq >= party->revoked_at.seq)) return;
  party->revoked = true;
  party->revoked_at = position;
  party->revoked_key_epoch = content->key_epoch;
}

/* ---- the door */

bool body_is_members_class(const Collega__Body *body) {
  return body->type >= COLLEGA__BODY_TYPE__BODY_TYPE_CARD &&
         body->type <= COLLEGA__BODY_TYPE__BODY_TYPE_EPOCH_START;
}

static bool is_issuer(const struct id *signer, const struct id *issuers, size_t count) {
  if (!issuers) return true;
  for (size_t i = 0; i < count; i++) {
    if (id_equal(&issuers[i], signer)) return true;
  }
  return false;
}

/* Whom the record is about, and whether only an issuer may say it. check_body has seen to it that the body
 * has exactly the content that its type numbers. */
static bool subject_of(const struct record *record, const struct id *signer, struct id *subject,
                       bool *by_issuer) {
  const Collega__Body *body = record->body;
  *subject = *signer;
  *by_issuer = false;
  if (body->card) {
    /* A card of somebody else under one's own signature says nothing. */
    return id_from(subject, body->card->party.data, body->card->party.len) &&
           id_equal(subject, signer);
  }
  if (body->mandate || body->mandate_end) return true;
  *by_issuer = true;
  if (body->cert) return id_from(subject, body->cert->party.data, body->cert->party.len);
  if (body->revocation) {
    return id_from(subject, body->revocation->party.data, body->revocation->party.len);
  }
  return body->trust || body->epoch_start;
}

/* Stores a record whose signature is verified (a card's is verified here, against its chain). `until`: when the card
 * that signed it was replaced; NULL: it was not. */
static enum collega_status store(struct members *members, struct known_party *party,
                                 const struct run_view *view, const struct record *record,
                                 const struct receipt_position *anchor,
                                 const struct receipt_position *until,
                                 struct collega_error *error) {
  const Collega__Body *body = record->body;
  if (body->card) return take_card(members, party, view, record, anchor, error);
  if (body->mandate) return take_mandate(party, view, record, anchor, until, error);
  if (body->mandate_end) return take_mandate_end(party, record, anchor, error);
  if (body->cert) return take_cert(party, view, record, error);
  if (body->revocation) take_revocation(party, body->revocation);
  return COLLEGA_OK; /* trust lists and epoch starts are believed, and kept by whoever needs them */
}

/* By a card that counts; or with the anchor by one that did: *until then. */
static enum collega_status verify_member(struct members *members, const struct run_view *view,
                                         const struct receipt_position *anchor, bool *was_replaced,
                                         struct receipt_position *until,
                                         struct collega_error *error) {
  enum collega_status status = members_verify_run(members, view, error);
  *was_replaced = false;
  if (!anchor || (status != COLLEGA_FORGED && status != COLLEGA_NOT_FOUND)) return status;
  const struct known_party *party = members_find(members, &view->signer);
  const struct replaced_card *old = party ? replaced_signer(party, view, anchor) : NULL;
  if (!old) return status;
  *was_replaced = true;
  *until = old->until;
  return COLLEGA_OK;
}

enum collega_status members_take(struct members *members, const struct run_view *view, size_t index,
                                 const struct receipt_position *anchor, const struct id *issuers,
                                 size_t issuer_count, struct collega_error *error) {
  const struct record *record = &view->records[index];
  struct id subject;
  bool by_issuer;
  if (record->refused != NULL) {
    if (error) *error = *record->refused;
    return record->refused->status;
  }
  if (!subject_of(record, &view->signer, &subject, &by_issuer)) {
    return error_set(error, COLLEGA_INVALID, RULE_members_class, NULL, NULL);
  }
  if (by_issuer && !is_issuer(&view->signer, issuers, issuer_count)) {
    return error_set(error, COLLEGA_REFUSED, RULE_members_issuer, NULL, NULL);
  }
  bool card = record->body->type == COLLEGA__BODY_TYPE__BODY_TYPE_CARD, was_replaced = false;
  struct receipt_position until;
  enum collega_status status = COLLEGA_OK;
  if (!card) {
    status = verify_member(members, view, by_issuer ? NULL : anchor, &was_replaced, &until, error);
    if (status != COLLEGA_OK) return status;
  }
  struct entry *entry = NULL;
  status = entry_load(members, &subject, card && record->body->card->number == 0, &entry, error);
  if (status != COLLEGA_OK) return status;
  if (!entry || (!card && entry->party.card_count == 0)) return party_unknown(&subject, error);
  status = store(members, &entry->party, view, record, anchor, was_replaced ? &until : NULL, error);
  if (status != COLLEGA_OK && card) drop_if_unknown(members, entry);
  return status;
}
