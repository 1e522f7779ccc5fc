/* Offers: what the fields of one say about each other, and about now. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/check.h"
#include "proto/check_text.h"
#include "proto/limits.h"
#include "proto/lists.h"

static bool is_transfer(Collega__OfferKind kind) {
  switch (kind) {
  case COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_OUT:
  case COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_IN:
    return true;
  case COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT:
  case COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN:
  case _COLLEGA__OFFER_KIND_IS_INT_SIZE:
    break;
  }
  return false;
}

static enum collega_status refuse_with_number(struct collega_error *error, enum rule rule,
                                              const char *field, uint32_t number) {
  char text[16];
  snprintf(text, sizeof text, "%" PRIu32, number);
  return error_set(error, COLLEGA_INVALID, rule, field, text, NULL);
}

static enum collega_status refuse_twice(struct collega_error *error, const char *list, size_t index,
                                        const char *member, const char *value) {
  char field[64];
  snprintf(field, sizeof field, "%s[%zu]%s", list, index, member);
  return error_set(error, COLLEGA_INVALID, RULE_listed_twice, field, value, NULL);
}

static enum collega_status check_period(const Collega__Offer *offer, struct collega_error *error) {
  const Collega__Period *period = offer->period;
  if (!period->has_until)
    return is_transfer(offer->kind)
               ? COLLEGA_OK
               : error_set(error, COLLEGA_INVALID, RULE_until_required, "period.until", NULL);
  return check_dates(period->from, period->until, "period.until", error);
}

static enum collega_status check_hours(const Collega__Hours *hours, struct collega_error *error) {
  if (hours->per_week_min > hours->per_week_max)
    return refuse_with_number(error, RULE_hours_order, "hours.per_week_max", hours->per_week_min);
  return check_slots(hours->slots, hours->n_slots, "hours.slots", error);
}

/* A country that is absent is the Netherlands; of other countries no postcodes are known. */
static enum collega_status check_place(const Collega__Place *place, struct collega_error *error) {
  bool dutch = !place->country || !strcmp(place->country, "NL");
  if (dutch && place->postcode && !postcode_area_find(place->postcode)) {
    char area[3] = {place->postcode[0], place->postcode[1], 0};
    return error_set(error, COLLEGA_INVALID, RULE_postcode_unknown, "place.postcode", area, NULL);
  }
  if (place->region && !region_find(place->region))
    return error_set(error, COLLEGA_INVALID, RULE_region_unknown, "place.region", place->region,
                     NULL);
  return COLLEGA_OK;
}

static enum collega_status check_lists(const Collega__Offer *offer, struct collega_error *error) {
  for (size_t i = 0; i < offer->n_credentials; i++)
    for (size_t j = 0; j < i; j++)
      if (!strcmp(offer->credentials[i]->code, offer->credentials[j]->code))
        return refuse_twice(error, "credentials", i, ".code", offer->credentials[i]->code);
  for (size_t i = 0; i < offer->n_languages; i++)
    for (size_t j = 0; j < i; j++)
      if (!strcmp(offer->languages[i]->code, offer->languages[j]->code))
        return refuse_twice(error, "languages", i, ".code", offer->languages[i]->code);
  return COLLEGA_OK;
}

/* named:12345678,87654321 (the form is checked): nobody twice. */
static enum collega_status check_audience(const char *audience, struct collega_error *error) {
  if (!audience || strncmp(audience, "named:", 6)) return COLLEGA_OK;
  for (const char *one = audience + 6; *one; one += one[8] ? 9 : 8)
    for (const char *other = audience + 6; other < one; other += 9)
      if (!memcmp(one, other, 8)) {
        char kvk[9] = {0};
        memcpy(kvk, one, 8);
        return error_set(error, COLLEGA_INVALID, RULE_listed_twice, "audience", kvk, NULL);
      }
  return COLLEGA_OK;
}

enum collega_status check_offer(const Collega__Offer *offer, struct collega_error *error) {
  const char *isco = offer->occupation->isco;
  if (!isco_find(isco))
    return error_set(error, COLLEGA_INVALID, RULE_isco_unknown, "occupation.isco", isco, NULL);
  if (offer->has_min_headcount && offer->min_headcount > offer->headcount)
    return refuse_with_number(error, RULE_headcount_min, "min_headcount", offer->headcount);
  enum collega_status status = check_period(offer, error);
  if (!status) status = check_hours(offer->hours, error);
  if (!status) status = check_place(offer->place, error);
  if (!status) status = check_lists(offer, error);
  if (!status) status = check_audience(offer->audience, error);
  if (!status) status = check_no_bsn(&offer->base, error);
  return status;
}

enum collega_status check_offer_now(const Collega__Offer *offer, collega_time now,
                                    struct collega_error *error) {
  if (offer->period->has_until && offer->period->until < date_of_time(now))
    return error_set(error, COLLEGA_INVALID, RULE_period_over, "period.until", NULL);
  if (!offer->has_expires) return COLLEGA_OK;
  if (offer->expires <= now)
    return error_set(error, COLLEGA_INVALID, RULE_expires_past, "expires", NULL);
  if (offer->expires - now > OFFER_LIFETIME_MS)
    return refuse_with_number(error, RULE_expires_late, "expires",
                              (uint32_t)(OFFER_LIFETIME_MS / DAY_MS));
  return COLLEGA_OK;
}
