/* One way in for offers, whatever they were written in. */
#include "client/cli/offer_input.h"

#include <stdlib.h>
#include <string.h>

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

/* ---- judging */

static bool note_member(void *context, struct bytes key, struct bytes value) {
  struct offer_judge *judge = context;
  struct desk *desk = judge->desk;
  struct id party;
  (void)value;
  if (!id_from(&party, key.data, key.length)) return true;
  const struct known_party *known =
      members_find(exchange_members(desk->exchange, desk->txn), &party);
  const char *kvk = known ? known_party_kvk(known) : "";
  if (strlen(kvk) != 8) return true;
  char(*all)[9] = array_grow(desk->arena, judge->kvk, judge->count, &judge->capacity, sizeof *all);
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
    enum collega_status status = table_each(judge->desk->txn, TABLE_PARTIES, bytes_of("", 0), NULL,
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

static enum collega_status judge_region(const Collega__Place *place, struct collega_error *error) {
  if (place->region || !place->postcode || (place->country && strcmp(place->country, "NL") != 0))
    return COLLEGA_OK;
  const struct postcode_row *area = postcode_area_find(place->postcode);
  if (!area || postcode_area_certain(area)) return COLLEGA_OK;
  const struct region_row *region = region_find(area->region);
  return error_set(error, COLLEGA_INVALID, RULE_region_needed, "place.region", area->digits,
                   area->region, region ? region->name : "", NULL);
}

enum collega_status offer_input_judge(struct offer_judge *judge, const struct offer_input *input,
                                      struct collega_error *error) {
  const Collega__Offer *offer = input->offer;
  enum collega_status status = check_offer(offer, error);
  if (status == COLLEGA_OK && input->private_part) {
    status = check_no_bsn(&input->private_part->base, error);
    if (status != COLLEGA_OK) error_prefix(error, "private");
  }
  if (status == COLLEGA_OK) status = judge_region(offer->place, error);
  if (status == COLLEGA_OK) status = check_offer_now(offer, judge->desk->now, error);
  return status == COLLEGA_OK ? judge_audience(judge, offer->audience, error) : status;
}

/* ---- publishing */

enum collega_status publishing_begin(struct desk *desk, struct publishing *publishing, size_t count,
                                     struct collega_error *error) {
  publishing->count = count;
  publishing->inputs = arena_zero(desk->arena, count * sizeof *publishing->inputs);
  publishing->ids = arena_zero(desk->arena, count * sizeof *publishing->ids);
  if (publishing->inputs && publishing->ids) return COLLEGA_OK;
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

enum collega_status publishing_store(struct desk *desk, struct publishing *publishing,
                                     struct collega_error *error) {
  desk_release(desk);
  enum collega_status status = offer_publish(desk->exchange, &desk->party, publishing->inputs,
                                             publishing->count, desk->now, publishing->ids, error);
  if (status == COLLEGA_OK) desk_warn_one_person(desk, publishing->inputs, publishing->count);
  return status;
}

enum collega_status publishing_print(struct desk *desk, const struct publishing *publishing,
                                     struct collega_error *error) {
  if (!argument_json(desk->arguments)) {
    for (size_t i = 0; i < publishing->count; ++i)
      printf("%s\n", hex_text(desk, publishing->ids[i].byte, SHORT_ID_BYTES));
    return COLLEGA_OK;
  }
  json_t *list = json_array();
  for (size_t i = 0; list && i < publishing->count; ++i) {
    json_t *item = json_object();
    bool ok = json_put(item, "id", json_hex(publishing->ids[i].byte, SHORT_ID_BYTES)) &&
              json_array_append(list, item) == 0;
    json_decref(item);
    if (!ok) {
      json_decref(list);
      list = NULL;
    }
  }
  return json_print_list("offers", list, error);
}

static enum collega_status receipted(struct desk *desk, void *context, bool *met,
                                     struct collega_error *error) {
  const struct publishing *publishing = context;
  *met = true;
  for (size_t i = 0; i < publishing->count && *met; ++i) {
    CollegaStore__OfferRow *row = NULL;
    enum collega_status status = desk_offer_row(desk, &publishing->ids[i], &row, error);
    if (status != COLLEGA_OK) return status;
    if (row->refused)
      return error_set(error, COLLEGA_REFUSED, rule_from_name(row->refused),
                       hex_text(desk, publishing->ids[i].byte, 8),
                       row->refused_words ? row->refused_words : "", NULL);
    *met = row->position || row->by_mail;
  }
  return COLLEGA_OK;
}

enum collega_status publishing_wait(struct desk *desk, struct publishing *publishing,
                                    struct collega_error *error) {
  if (!argument_value(desk->arguments, "wait")) return COLLEGA_OK;
  fflush(stdout);
  return desk_wait(desk, receipted, publishing, error);
}
