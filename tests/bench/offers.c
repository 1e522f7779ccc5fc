/* Offers for measuring. They differ in kind, occupation, place and text, so that no cache sees the same one
 * twice; their length is the same, so that figures can be compared with those of bare payloads. */
#include "tests/bench/offers.h"

#include <string.h>

#include "proto/guard.h"
#include "tests/bench/measure.h"

#define CARD_TIME INT64_C(1767225600000) /* 2026-01-01: a card is the same in every process */

struct work {
  const char *isco, *occupation, *title, *sector;
};
struct town {
  const char *postcode, *city, *region;
};

static const struct work works[OFFER_OCCUPATIONS] = {
    {"4321", "magazijnmedewerker", "Magazijnmedewerkers na het hoogseizoen", "52.10"},
    {"5120", "kok", "Zelfstandig werkende koks in de winterstop", "56.10"},
    {"5321", "verzorgende IG", "Verzorgenden beschikbaar door verbouwing", "87.10"},
    {"7115", "timmerman", "Timmerlieden tussen twee projecten", "41.20"},
    {"7411", "monteur elektrotechniek", "Monteurs voor nieuwbouw gevraagd", "43.21"},
    {"8344", "heftruckchauffeur", "Chauffeurs voor de avondploeg gevraagd", "52.24"},
    {"3512", "medewerker servicedesk", "Servicedesk tijdelijk met minder werk", "62.09"},
    {"5223", "verkoopmedewerker", "Verkopers voor de feestmaand gevraagd", "47.71"},
};
static const struct town towns[] = {
    {"4811", "Breda", "AM25"},
    {"5616", "Eindhoven", "AM28"},
    {"4835", "Breda", "AM25"},
    {"5611", "Eindhoven", "AM28"},
};
static const char *const slots[] = {"mon-am", "mon-pm", "tue-am", "tue-pm",
                                    "wed-am", "thu-am", "fri-am"};
static const char filler[] =
    "Onze mensen kennen het vak, werken graag in een andere omgeving en komen na afloop weer "
    "terug. "
    "Ploegendienst is mogelijk; reiskosten vergoeden wij zelf. Een kennismaking op de werkvloer "
    "stellen wij "
    "op prijs, net als een vast aanspreekpunt. Wie al veiligheidsinstructie gaf, hoeft dat niet te "
    "herhalen. "
    "Het rooster spreken wij per week af en wij houden rekening met wie geen auto heeft. ";

static ProtobufCBinaryData field_of(const void *data, size_t length) {
  return (ProtobufCBinaryData){length, (uint8_t *)(uintptr_t)data};
}

static char *text_of(const char *text) {
  return (char *)(uintptr_t)text;
}

void employer_make(struct employer *employer, uint32_t number) {
  uint8_t name[4];
  struct id seed, recovery;
  struct epoch card_epoch;
  *employer = (struct employer){.seq = 0};
  put_be32(name, number);
  hash_one(&seed, "collega/bench/seed", name, sizeof name);
  hash_one(&recovery, "collega/bench/recovery", name, sizeof name);
  memcpy(card_epoch.byte, seed.byte, sizeof card_epoch.byte);
  NEED(identity_create_from(seed.byte, recovery.byte, true, &card_epoch, 1, CARD_TIME,
                            &employer->identity, NULL) == COLLEGA_OK);
  random_fill(employer->epoch.byte, sizeof employer->epoch.byte);
  collega__head__init(&employer->head);
  employer->head_epoch = employer->epoch;
  employer->head.epoch = field_of(employer->head_epoch.byte, EPOCH_BYTES);
  employer->head.hash = field_of(employer->head_hash.byte, ID_BYTES);
  employer->head.previous = field_of(employer->head_previous.byte, ID_BYTES);
}

void employer_clear(struct employer *employer) {
  identity_destroy(&employer->identity);
}

Collega__Run *employer_card(const struct employer *employer, struct arena *arena) {
  ProtobufCMessage *run = NULL;
  struct bytes packed = identity_card_run(employer->identity, 0);
  NEED(guard_unpack(&collega__run__descriptor, packed, arena, &run, NULL) == COLLEGA_OK);
  return (Collega__Run *)run;
}

void employer_head_seen(struct employer *employer, const Collega__Head *seen) {
  if (seen == NULL) return;
  employer->head.number = seen->number;
  NEED(id_from(&employer->head_hash, seen->hash.data, seen->hash.len));
}

char *offer_occupation(size_t number) {
  return text_of(works[number % (sizeof works / sizeof works[0])].isco);
}

Collega__Head *employer_next_head(struct employer *employer) {
  employer->head.has_previous = employer->head.number > 0;
  employer->head_previous = employer->head_hash;
  employer->head.number++;
  random_fill(employer->head_hash.byte, ID_BYTES);
  return &employer->head;
}

/* One offer, packed as a body: all that makes it an offer, then as much description as fits. */
static struct bytes offer_body(struct employer *employer, struct arena *arena) {
  uint64_t turn = employer->seq;
  const struct work *work = &works[turn % (sizeof works / sizeof works[0])];
  const struct town *town = &towns[turn / 3 % (sizeof towns / sizeof towns[0])];
  collega_time now = clock_now();
  struct short_id id;
  random_fill(id.byte, sizeof id.byte);

  Collega__Occupation occupation = COLLEGA__OCCUPATION__INIT;
  occupation.isco = text_of(work->isco);
  occupation.title = text_of(work->occupation);
  Collega__Skill first = COLLEGA__SKILL__INIT, second = COLLEGA__SKILL__INIT,
                 *skills[] = {&first, &second};
  first.label = text_of("zelfstandig werken");
  first.has_need = 1;
  first.need = COLLEGA__NEED__NEED_MUST;
  second.label = text_of("samenwerken in een ploeg");
  Collega__Language language = COLLEGA__LANGUAGE__INIT, *languages[] = {&language};
  language.code = text_of("nl");
  language.level = text_of("B1");
  Collega__Period period = COLLEGA__PERIOD__INIT;
  period.from = date_of_time(now) + 14 + (int32_t)(turn % 60);
  period.has_until = 1;
  period.until = period.from + 90;
  Collega__Hours hours = COLLEGA__HOURS__INIT;
  char *week[4];
  hours.per_week_min = 16;
  hours.per_week_max = 32 + (uint32_t)(turn % 8);
  hours.n_slots = sizeof week / sizeof week[0];
  hours.slots = week;
  for (size_t i = 0; i < hours.n_slots; i++)
    week[i] = text_of(slots[(turn + i) % (sizeof slots / sizeof slots[0])]);
  Collega__Place place = COLLEGA__PLACE__INIT;
  place.postcode = text_of(town->postcode);
  place.city = text_of(town->city);
  place.region = text_of(town->region);
  Collega__OfferTerms terms = COLLEGA__OFFER_TERMS__INIT;
  terms.has_cost_basis = 1;
  terms.cost_basis = COLLEGA__COST_BASIS__COST_BASIS_COST_PRICE;
  terms.vat = text_of("standard");

  Collega__Offer offer = COLLEGA__OFFER__INIT;
  offer.kind =
      turn % 2 ? COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN : COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT;
  offer.title = text_of(work->title);
  offer.occupation = &occupation;
  offer.n_skills = 2;
  offer.skills = skills;
  offer.n_languages = 1;
  offer.languages = languages;
  offer.headcount = 1 + (uint32_t)(turn % 12);
  offer.period = &period;
  offer.hours = &hours;
  offer.place = &place;
  offer.has_travel_km = 1;
  offer.travel_km = 30;
  offer.sector = text_of(work->sector);
  offer.terms = &terms;
  offer.audience = text_of("network");
  offer.has_expires = 1;
  offer.expires = now + 60 * DAY_MS;
  Collega__OfferRevision revision = COLLEGA__OFFER_REVISION__INIT;
  revision.id = field_of(id.byte, sizeof id.byte);
  revision.revision = 1;
  revision.offer = &offer;
  Collega__Body body;
  body_init(&body, identity_party(employer->identity), &employer->epoch, ++employer->seq);
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_OFFER;
  body.offer = &revision;

  char description[sizeof filler];
  size_t bare = collega__body__get_packed_size(&body);
  NEED(bare + 16 < OFFER_BODY_BYTES);
  size_t room = OFFER_BODY_BYTES - bare - 5; /* tags and lengths grow by about as much */
  if (room >= sizeof filler) room = sizeof filler - 1;
  memcpy(description, filler, room);
  if (description[room - 1] == ' ') description[room - 1] = '.';
  description[room] = '\0';
  offer.description = description;
  struct bytes packed = message_pack(&body.base, arena);
  NEED(packed.data != NULL);
  return packed;
}

Collega__Run *employer_offers(struct employer *employer, size_t count, struct arena *arena) {
  struct bytes *bodies = arena_take(arena, count * sizeof *bodies);
  NEED(bodies != NULL);
  for (size_t i = 0; i < count; i++)
    bodies[i] = offer_body(employer, arena);
  Collega__Run *run = NULL;
  NEED(run_sign(employer->identity, bodies, count, arena, &run, NULL) == COLLEGA_OK);
  return run;
}

struct bytes employer_publish(struct employer *employer, size_t count, struct arena *arena) {
  Collega__Publish publish = COLLEGA__PUBLISH__INIT;
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  publish.run = employer_offers(employer, count, arena);
  publish.head = employer_next_head(employer);
  frame.publish = &publish;
  struct bytes packed = message_pack(&frame.base, arena);
  NEED(packed.data != NULL);
  return packed;
}
