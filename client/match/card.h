/* What matching needs of an offer, in one small block: numbers and hashes, no text.
 *
 * An engine holds a card for each open offer, so that a million of them fit into memory and are compared without
 * unpacking anything. A card is made from the offer's body and is never stored or sent: its form may change from
 * version to version.
 *
 * Texts that are only compared for equality (a collective agreement, a VAT treatment, a credential's code, a skill
 * that no taxonomy knows) stand in it as hashes of 29 or 32 bits over their lower-case form, addresses as they are
 * written. Two different texts may therefore be taken for the same, once in half a billion pairs; who reads a
 * match sees the texts themselves. Occupations and skills that a taxonomy knows stand in it by its numbers: a card
 * is compared only with those that were made with the same one. */
#ifndef COLLEGA_CLIENT_CARD_H
#define COLLEGA_CLIENT_CARD_H
#include "base/bytes.h"
#include "client/match/courses.h"
#include "client/match/places.h"
#include "client/match/point.h"
#include "client/match/taxonomy.h"
#include "proto/offer.pb-c.h"

#define CARD_NOT_TOLD    UINT16_MAX
#define CARD_NO_LEVEL    0u
#define CARD_OPEN_DAYS   365 /* a transfer without an end is compared over a year */
#define CARD_MUST        0x80000000u
#define CARD_ALIAS       0x40000000u /* another name of the skill before it */
#define CARD_KEY         0x3fffffffu
#define CARD_TEXT        0x20000000u /* of a key: a hash; else a concept of the taxonomy */
#define CARD_SKILLS_MOST 40u         /* of an offer */
#define CARD_ITEMS_MOST  110u        /* twice the skills, 20 credentials, 10 languages */
/* Room for any card, a multiple of its alignment. */
#define CARD_ROOM (sizeof(struct match_card) + CARD_ITEMS_MOST * sizeof(uint32_t))

enum card_term {
  CARD_RETURN_TOLD = 1,
  CARD_RETURN = 2,
  CARD_TAKEOVER = 4, /* the value, 1 .. 3, in these two bits; 0: not told */
  CARD_TAKEOVER_MASK = 12,
  CARD_PLACE_FINE = 16, /* no term: its place is known to the postcode (PLACE_POSTCODE) */
};

struct match_card {
  float point[3];                    /* of its place on the unit sphere; all zero: not known */
  uint32_t slots;                    /* bit slot_index; none: any */
  uint32_t cao, vat;                 /* 0: not told */
  int32_t from, until;               /* days since 1970, both included */
  uint16_t occupation;               /* occupation_key */
  uint16_t headcount, min_headcount; /* min 0: not told */
  uint16_t travel_km, flex_days;     /* travel CARD_NOT_TOLD: no limit */
  uint8_t kind, hours_min, hours_max;
  uint8_t education;   /* UINT8_MAX: not told */
  uint8_t terms;       /* enum card_term */
  uint8_t skill_count; /* items, aliases included */
  uint8_t credential_count, language_count;
  uint32_t items[]; /* skills, then credentials, then languages */
};

/* A language's item: two letters in bits 0 .. 15, level 1 (A1) .. 6 (C2) in bits 16 .. 18. */
#define CARD_LANGUAGE(item) ((item)&0xffffu)
#define CARD_LEVEL(item)    (((item) >> 16) & 7u)

/* What a node has imported, and cards are made with. Each may be NULL: then what is built in. The sources stay their
 * owner's, and must outlive what was made with them. */
struct match_sources {
  const struct places *places;
  const struct taxonomy *taxonomy;
  const struct courses *courses; /* no card depends on them: matches do */
};

/* Fills a block of CARD_ROOM bytes from a checked offer; returns the bytes used. */
size_t match_card_fill(struct match_card *card, const Collega__Offer *offer,
                       const struct match_sources *sources);

static inline const uint32_t *card_credentials(const struct match_card *card) {
  return card->items + card->skill_count;
}
static inline const uint32_t *card_languages(const struct match_card *card) {
  return card->items + card->skill_count + card->credential_count;
}
static inline bool card_is_concept(uint32_t key) {
  return (key & CARD_TEXT) == 0;
}
static inline size_t card_bytes(const struct match_card *card) {
  return sizeof *card + sizeof(uint32_t) * ((size_t)card->skill_count + card->credential_count +
                                            card->language_count);
}

/* Whether the kind supplies people (loan_out, transfer_out), and which kind it meets. */
bool kind_supplies(Collega__OfferKind kind);
Collega__OfferKind kind_counter(Collega__OfferKind kind);

/* A place as a point (point.h), as far as it is known (places.h). */
enum place_known place_point(const struct places *places, const Collega__Place *place,
                             float point[3]);
#endif
