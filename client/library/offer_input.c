/* From JSON to offers that can be published, and the judging of one among many. */
#include "client/library/offer_input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/process/process.h"
#include "proto/check.h"
#include "proto/check_text.h"
#include "proto/json.h"
#include "proto/lists.h"

enum collega_status offer_input_read(const json_t *json, struct arena *arena,
                                     struct offer_input *out, struct collega_error *error) {
  static const char *const skip[] = {"private", NULL};
  ProtobufCMessage *offer = NULL, *private_part = NULL;
  enum collega_status status =
      json_to_message(json, &collega__offer__descriptor, skip, arena, &offer, error);
  const json_t *hidden = json_object_get(json, "private");
  if (status == COLLEGA_OK && hidden) {
    status = json_to_message(hidden, &collega__offer_private__descriptor, NULL, arena,
                             &private_part, error);
    if (status != COLLEGA_OK) error_prefix(error, "private");
  }
  out->offer = (Collega__Offer *)offer;
  out->private_part = (Collega__OfferPrivate *)private_part;
  return status;
}

enum collega_status offer_input_take(const struct view *view, struct occupation_guide **guide,
                                     const json_t *json, struct offer_input *out,
                                     struct collega_error *error) {
  enum collega_status status = offer_input_read(json, view->arena, out, error);
  const char *isco = status == COLLEGA_OK ? out->offer->occupation->isco : "";
  if (status == COLLEGA_OK && !isco_find(isco))
    status = error_set(error, COLLEGA_INVALID, RULE_isco_unknown, "occupation.isco", isco, NULL);
  if (status == COLLEGA_INVALID && error) occupation_explain(view, guide, json, error);
  return status;
}

enum collega_status view_places(const struct view *view, struct places **out,
                                struct collega_error *error) {
  char path[4096];
  *out = NULL;
  enum collega_status status = path_join(
      path, sizeof path, ledger_home(exchange_ledger(view->exchange)), PLACES_FILE, error);
  return status == COLLEGA_OK ? places_open(path, out, error) : status;
}

enum collega_status offer_place_judge(const struct places *places, const struct offer_input *input,
                                      struct collega_error *error) {
  Collega__Place *place = input->offer->place;
  struct place_fact fact;
  if (!places || !place || !place->postcode || strspn(place->postcode, "0123456789") < 4 ||
      (place->country && strcmp(place->country, "NL") != 0))
    return COLLEGA_OK;
  if (!places_postcode(places, place->postcode, &fact)) {
    char digits[5] = {0};
    memcpy(digits, place->postcode, 4);
    return error_set(error, COLLEGA_INVALID, RULE_postcode_not_imported, "place.postcode", digits,
                     NULL);
  }
  /* region_find gives a text that stays; protobuf-c's structures know no const. */
  const struct region_row *region = fact.region ? region_find(fact.region) : NULL;
  if (!place->region && region) place->region = (char *)(uintptr_t)region->code;
  return COLLEGA_OK;
}

enum collega_status offer_input_place(const struct view *view, const struct offer_input *input,
                                      struct collega_error *error) {
  struct places *places = NULL;
  enum collega_status status = view_places(view, &places, error);
  if (status == COLLEGA_OK) status = offer_place_judge(places, input, error);
  places_close(&places);
  return status;
}

enum collega_status offer_inputs_read(const struct view *view, const json_t *json,
                                      struct offer_inputs *out, struct collega_error *error) {
  const json_t *list = json_is_object(json) ? json_object_get(json, "offers") : json;
  bool many = json_is_array(list);
  enum collega_status status = COLLEGA_OK;
  out->count = many ? json_array_size(list) : 1;
  if (out->count == 0) return error_set(error, COLLEGA_INVALID, RULE_offers_none, "offers", NULL);
  if (out->count > OFFERS_AT_ONCE)
    return error_set(error, COLLEGA_INVALID, RULE_offers_many, "offers", OFFERS_AT_ONCE_TEXT, NULL);
  out->input = arena_zero(view->arena, out->count * sizeof *out->input);
  if (!out->input) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  struct places *places = NULL;
  struct occupation_guide *guide = NULL;
  status = view_places(view, &places, error);
  for (size_t i = 0; status == COLLEGA_OK && i < out->count; ++i) {
    status = offer_input_take(view, &guide, many ? json_array_get(list, i) : json, &out->input[i],
                              error);
    if (status == COLLEGA_OK) status = offer_place_judge(places, &out->input[i], error);
    if (status == COLLEGA_OK || !many) continue;
    char place[32];
    snprintf(place, sizeof place, "[%zu]", i);
    error_prefix(error, place);
  }
  places_close(&places);
  occupation_guide_close(&guide);
  return status;
}

/* ---- judging */

static bool note_member(void *context, struct bytes key, struct bytes value) {
  struct offer_judge *judge = context;
  const struct view *view = judge->view;
  struct id party;
  (void)value;
  if (!id_from(&party, key.data, key.length)) return true;
  const struct known_party *known =
      members_find(exchange_members(view->exchange, view->txn), &party);
  const char *kvk = known ? known_party_kvk(known) : "";
  if (strlen(kvk) != 8) return true;
  char(*all)[9] = array_grow(view->arena, judge->kvk, judge->count, &judge->capacity, sizeof *all);
  judge->failed = all == NULL;
  if (!all) return false;
  judge->kvk = all;
  memcpy(judge->kvk[judge->count++], kvk, 9);
  return true;
}

static int by_number(const void *one, const void *other) {
  return memcmp(one, other, 8);
}

/* Everybody whom the audience names must be known here: the offer will be sealed to them. */
static enum collega_status judge_audience(struct offer_judge *judge, const char *audience,
                                          struct collega_error *error) {
  if (!audience || strncmp(audience, "named:", 6) != 0) return COLLEGA_OK;
  if (!judge->read) {
    enum collega_status status = table_each(judge->view->txn, TABLE_PARTIES, bytes_of("", 0), NULL,
                                            note_member, judge, error);
    if (status != COLLEGA_OK) return status;
    if (judge->failed) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
    if (judge->count) qsort(judge->kvk, judge->count, sizeof *judge->kvk, by_number);
    judge->read = true;
  }
  for (const char *one = audience + 6; *one; one += one[8] ? 9 : 8) {
    char kvk[9] = {0};
    memcpy(kvk, one, 8);
    if (!judge->count || !bsearch(kvk, judge->kvk, judge->count, sizeof *judge->kvk, by_number))
      return error_set(error, COLLEGA_NOT_FOUND, RULE_audience_unknown, "audience", kvk, NULL);
  }
  return COLLEGA_OK;
}

enum collega_status offer_input_judge(struct offer_judge *judge, const struct offer_input *input,
                                      struct collega_error *error) {
  const Collega__Offer *offer = input->offer;
  const char *region;
  enum collega_status status = check_offer(offer, error);
  if (status == COLLEGA_OK && input->private_part) {
    status = check_no_bsn(&input->private_part->base, error);
    if (status != COLLEGA_OK) error_prefix(error, "private");
  }
  if (status == COLLEGA_OK) status = offer_region(offer->place, &region, error);
  if (status == COLLEGA_OK) status = check_offer_now(offer, judge->view->now, error);
  return status == COLLEGA_OK ? judge_audience(judge, offer->audience, error) : status;
}
