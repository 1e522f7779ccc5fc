/* From an offer's body to its card: look-ups and hashes, once for each offer. */
#include "client/match/card.h"

#include <string.h>

#include "client/match/occupation.h"
#include "proto/lists.h"

bool kind_supplies(Collega__OfferKind kind) {
  return kind == COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT ||
         kind == COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_OUT;
}

Collega__OfferKind kind_counter(Collega__OfferKind kind) {
  switch (kind) {
  case COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT:
    return COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN;
  case COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN:
    return COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT;
  case COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_OUT:
    return COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_IN;
  case COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_IN:
    return COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_OUT;
  case _COLLEGA__OFFER_KIND_IS_INT_SIZE:
    break;
  }
  return kind;
}

/* ---- texts: FNV-1a, 32 bits, over lower-case ASCII; other bytes as they are (source: the FNV draft of Fowler, Noll
 * and Vo). No outsider gains by a collision: it makes two texts equal in a score that its author could have had by
 * writing the other's text. */

static uint32_t bytes_hash(const char *text, bool fold) {
  uint32_t hash = 2166136261u;
  for (; *text; ++text) {
    unsigned char byte = (unsigned char)*text;
    if (fold && byte >= 'A' && byte <= 'Z') byte = (unsigned char)(byte + ('a' - 'A'));
    hash = (hash ^ byte) * 16777619u;
  }
  return hash ? hash : 1u;
}

static uint32_t text_hash(const char *text) {
  return bytes_hash(text, true);
}

static uint32_t key_of_hash(uint32_t hash) {
  return CARD_TEXT | (((hash >> 29) ^ hash) & (CARD_TEXT - 1u));
}

static uint32_t key_hash(const char *text) {
  return key_of_hash(text_hash(text));
}

/* ---- places */

enum place_known place_point(const struct places *places, const Collega__Place *place,
                             float point[3]) {
  double latitude = 0, longitude = 0;
  enum place_known known = places_find(places, place, &latitude, &longitude);
  point[0] = point[1] = point[2] = 0;
  if (known != PLACE_UNKNOWN) point_at(latitude, longitude, point);
  return known;
}

/* ---- the card */

static uint32_t must_bit(protobuf_c_boolean told, Collega__Need need) {
  return told && need == COLLEGA__NEED__NEED_MUST ? CARD_MUST : 0u;
}

static uint32_t level_of(const char *level) {
  if (!level || level[0] < 'A' || level[0] > 'C' || level[1] < '1' || level[1] > '2') return 0;
  return (uint32_t)(level[0] - 'A') * 2u + (uint32_t)(level[1] - '0');
}

/* The keys of those of its skills that have an address, in their order. */
static void address_keys(const struct taxonomy *taxonomy, const Collega__Offer *offer,
                         uint32_t *keys) {
  const char *addresses[TAXONOMY_SOME] = {NULL};
  size_t count = 0;
  for (size_t i = 0; i < offer->n_skills && count < TAXONOMY_SOME; ++i)
    if (offer->skills[i]->esco) addresses[count++] = offer->skills[i]->esco;
  if (taxonomy && count > 0) taxonomy_find_some(taxonomy, TAXONOMY_SKILL, addresses, count, keys);
  for (size_t i = 0; i < count; ++i)
    if (!taxonomy || keys[i] == TAXONOMY_NOT_THERE)
      keys[i] = key_of_hash(bytes_hash(addresses[i], false));
}

/* A skill is known by its ESCO address, where it has one, and by its label beside that. */
static uint32_t *fill_skills(struct match_card *card, const struct taxonomy *taxonomy,
                             const Collega__Offer *offer, uint32_t *item) {
  uint32_t *first = item, keys[TAXONOMY_SOME], *key = keys;
  address_keys(taxonomy, offer, keys);
  for (size_t i = 0; i < offer->n_skills; ++i) {
    const Collega__Skill *skill = offer->skills[i];
    uint32_t must = must_bit(skill->has_need, skill->need);
    if (skill->esco) *item++ = must | *key++;
    *item++ = key_hash(skill->label) | (skill->esco ? CARD_ALIAS : must);
  }
  card->skill_count = (uint8_t)(item - first);
  return item;
}

static void fill_terms(struct match_card *card, const Collega__OfferTerms *terms) {
  if (!terms) return;
  if (terms->cao) card->cao = text_hash(terms->cao);
  if (terms->vat) card->vat = text_hash(terms->vat);
  unsigned bits = 0;
  if (terms->has_return_guarantee)
    bits |= CARD_RETURN_TOLD | (terms->return_guarantee ? CARD_RETURN : 0u);
  if (terms->has_takeover) bits |= (unsigned)terms->takeover * CARD_TAKEOVER;
  card->terms = (uint8_t)bits;
}

size_t match_card_fill(struct match_card *card, const Collega__Offer *offer,
                       const struct match_sources *sources) {
  const struct taxonomy *taxonomy = sources->taxonomy;
  memset(card, 0, sizeof *card);
  enum place_known known = place_point(sources->places, offer->place, card->point);
  for (size_t i = 0; i < offer->hours->n_slots; ++i) {
    int slot = slot_index(offer->hours->slots[i]);
    if (slot >= 0) card->slots |= 1u << slot;
  }
  fill_terms(card, offer->terms);
  if (known == PLACE_POSTCODE) card->terms |= CARD_PLACE_FINE;
  card->from = offer->period->from;
  card->until =
      offer->period->has_until ? offer->period->until : offer->period->from + CARD_OPEN_DAYS;
  card->flex_days = (uint16_t)(offer->period->has_flex_days ? offer->period->flex_days : 0);
  card->occupation = occupation_key(taxonomy, offer->occupation->isco, offer->occupation->esco);
  card->headcount = (uint16_t)offer->headcount;
  card->min_headcount = (uint16_t)(offer->has_min_headcount ? offer->min_headcount : 0);
  card->travel_km = (uint16_t)(offer->has_travel_km ? offer->travel_km : CARD_NOT_TOLD);
  card->kind = (uint8_t)offer->kind;
  card->hours_min = (uint8_t)offer->hours->per_week_min;
  card->hours_max = (uint8_t)offer->hours->per_week_max;
  card->education = (uint8_t)(offer->has_education ? offer->education : UINT8_MAX);
  uint32_t *item = fill_skills(card, taxonomy, offer, card->items);
  card->credential_count = (uint8_t)offer->n_credentials;
  for (size_t i = 0; i < offer->n_credentials; ++i) {
    const Collega__Credential *credential = offer->credentials[i];
    *item++ = key_hash(credential->code) | must_bit(credential->has_need, credential->need);
  }
  card->language_count = (uint8_t)offer->n_languages;
  for (size_t i = 0; i < offer->n_languages; ++i) {
    const Collega__Language *language = offer->languages[i];
    *item++ = (uint32_t)(unsigned char)language->code[0] |
              (uint32_t)(unsigned char)language->code[1] << 8 | level_of(language->level) << 16 |
              must_bit(language->has_need, language->need);
  }
  return card_bytes(card);
}
