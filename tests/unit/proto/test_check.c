/* Forms of single fields, and what the content of a record may say. */
#include "filler.h"

#include "base/words.h"
#include "proto/check.h"
#include "proto/field.h"
#include "proto/limits.h"

static int set_up(void **state) {
  *state = arena_new(64 * 1024, LIMIT_ARENA_BYTES);
  return *state ? 0 : -1;
}

static int tear_down(void **state) {
  struct arena *arena = *state;
  arena_destroy(&arena);
  return 0;
}

/* ---- forms */

struct form_case {
  enum form form;
  const char *text;
};

static enum collega_status check_form(enum form form, const char *text,
                                      struct collega_error *error) {
  struct field_rule rule = {
      .name = "x", .form = form, .type = PROTOBUF_C_TYPE_STRING, .min = 0, .max = 600};
  return field_check_text(&rule, text, strlen(text), error);
}

static void accepts_what_fits_its_form(void **state) {
  (void)state;
  static const struct form_case cases[] = {
      {FORM_LINE, "Café 漢字 \"x\""},
      {FORM_TEXT, "een\ntwee"},
      {FORM_CODE, "a-z_0.9:"},
      {FORM_KVK, "00000001"},
      {FORM_ESTABLISHMENT, "000012345678"},
      {FORM_ISCO, "0110"},
      {FORM_URI, "http://a"},
      {FORM_URI, "https://a.nl/?b=c#d"},
      {FORM_LANGUAGE, "nl"},
      {FORM_LEVEL, "A1"},
      {FORM_LEVEL, "B2"},
      {FORM_LEVEL, "C1"},
      {FORM_POSTCODE, "48"},
      {FORM_POSTCODE, "4811"},
      {FORM_POSTCODE, "4811AB"},
      {FORM_COUNTRY, "BE"},
      {FORM_REGION, "AM05"},
      {FORM_SECTOR, "5"},
      {FORM_SECTOR, "52"},
      {FORM_SECTOR, "52.1"},
      {FORM_SECTOR, "52.10"},
      {FORM_SECTOR, "52.102"},
      {FORM_SECTOR, "52102"},
      {FORM_SLOT, "sat-ev"},
      {FORM_CURRENCY, "EUR"},
      {FORM_EMAIL, "a@b.nl"},
      {FORM_EMAIL, "jan.o'hara+x@mail.voorbeeld.nl"},
      {FORM_EMAIL, "josé@voorbeeld.nl"},
      {FORM_PHONE, "+31 (0)6-12345678"},
      {FORM_AUDIENCE, "network"},
      {FORM_AUDIENCE, "named:12345678"},
      {FORM_AUDIENCE, "named:12345678,87654321"},
      {FORM_VAT, "standard"},
      {FORM_VAT, "reverse"},
      {FORM_VAT, "group"},
      {FORM_VAT, "exempt:onderwijs"},
      {FORM_ADDRESS, "tcp://a:1"},
      {FORM_ADDRESS, "tcp://10.0.0.1:65535"},
      {FORM_ADDRESS, "tcp://[fe80::1]:7440"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    if (check_form(cases[i].form, cases[i].text, NULL)) fail_msg("refused: %s", cases[i].text);
}

static void refuses_what_does_not_fit_its_form(void **state) {
  (void)state;
  static const struct form_case cases[] = {
      {FORM_LINE, "een\ntwee"},
      {FORM_LINE, "tab\t"},
      {FORM_LINE, "\xff"},
      {FORM_LINE, "\xc0\x80"},
      {FORM_LINE, "\x7f"},
      {FORM_LINE, "rechts-\xe2\x80\xaelinks"},
      {FORM_TEXT, "bel\a"},
      {FORM_TEXT, "\xed\xa0\x80"},
      {FORM_CODE, "Hoofdletter"},
      {FORM_CODE, "a b"},
      {FORM_CODE, "é"},
      {FORM_KVK, "1234567"},
      {FORM_KVK, "123456789"},
      {FORM_KVK, "1234567x"},
      {FORM_ESTABLISHMENT, "12345678"},
      {FORM_ISCO, "432"},
      {FORM_ISCO, "43a1"},
      {FORM_URI, "ftp://a"},
      {FORM_URI, "http://"},
      {FORM_URI, "http://a b"},
      {FORM_URI, "http://é"},
      {FORM_LANGUAGE, "NL"},
      {FORM_LANGUAGE, "nld"},
      {FORM_LEVEL, "D1"},
      {FORM_LEVEL, "A3"},
      {FORM_LEVEL, "a1"},
      {FORM_POSTCODE, "4"},
      {FORM_POSTCODE, "481"},
      {FORM_POSTCODE, "4811 AB"},
      {FORM_POSTCODE, "4811ab"},
      {FORM_POSTCODE, "48115"},
      {FORM_COUNTRY, "nl"},
      {FORM_COUNTRY, "NLD"},
      {FORM_REGION, "AM5"},
      {FORM_REGION, "am25"},
      {FORM_SECTOR, "52."},
      {FORM_SECTOR, ".5"},
      {FORM_SECTOR, "5.2"},
      {FORM_SECTOR, "52.1.0"},
      {FORM_SECTOR, "521020"},
      {FORM_SECTOR, "H"},
      {FORM_SLOT, "mon-xx"},
      {FORM_SLOT, "monday"},
      {FORM_CURRENCY, "eur"},
      {FORM_CURRENCY, "EURO"},
      {FORM_EMAIL, "a"},
      {FORM_EMAIL, "@b.nl"},
      {FORM_EMAIL, "a@b"},
      {FORM_EMAIL, "a@b@c.nl"},
      {FORM_EMAIL, "a b@c.nl"},
      {FORM_EMAIL, "a@b.nl."},
      {FORM_EMAIL, "a@.nl"},
      {FORM_PHONE, "---"},
      {FORM_PHONE, "06x"},
      {FORM_AUDIENCE, "all"},
      {FORM_AUDIENCE, "networks"},
      {FORM_AUDIENCE, "named:"},
      {FORM_AUDIENCE, "named:1234567"},
      {FORM_AUDIENCE, "named:12345678,"},
      {FORM_AUDIENCE, "named:12345678 87654321"},
      {FORM_AUDIENCE, "named:123456789"},
      {FORM_VAT, "exempt"},
      {FORM_VAT, "exempt:"},
      {FORM_VAT, "Standard"},
      {FORM_VAT, "groups"},
      {FORM_ADDRESS, "tcp://a"},
      {FORM_ADDRESS, "tcp://:1"},
      {FORM_ADDRESS, "tcp://a:0"},
      {FORM_ADDRESS, "tcp://a:65536"},
      {FORM_ADDRESS, "ipc://a:1"},
      {FORM_ADDRESS, "tcp://a b:1"},
      {FORM_ADDRESS, "tcp://[zz]:1"},
      {FORM_ADDRESS, "tcp://a:1x"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct collega_error error;
    if (check_form(cases[i].form, cases[i].text, &error) != COLLEGA_INVALID)
      fail_msg("accepted: %s", cases[i].text);
    assert_true(error.rule != RULE_NONE);
  }
}

static void takes_an_audience_of_32_and_no_more(void **state) {
  (void)state;
  char text[600] = "named:10000000";
  for (int i = 1; i < 32; i++)
    snprintf(text + strlen(text), sizeof text - strlen(text), ",%d", 10000000 + i);
  assert_int_equal(check_form(FORM_AUDIENCE, text, NULL), COLLEGA_OK);
  strcat(text, ",10000032");
  assert_int_equal(check_form(FORM_AUDIENCE, text, NULL), COLLEGA_INVALID);
}

static void checks_the_fields_of_messages_that_were_made_here(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  Collega__Offer *offer = (Collega__Offer *)fill(&collega__offer__descriptor, 0, arena);
  assert_int_equal(check_fields(&offer->base, &error), COLLEGA_OK);
  offer->title = NULL;
  assert_refused(check_fields(&offer->base, &error), &error, required, "title");
  offer->title = (char *)"";
  assert_refused(check_fields(&offer->base, &error), &error, empty, "title");
  offer->title = (char *)"t";
  offer->hours->per_week_max = 61;
  assert_refused(check_fields(&offer->base, &error), &error, range, "hours.per_week_max");
  assert_string_equal(error.argument[0], "1");
  assert_string_equal(error.argument[1], "60");
  offer->hours->per_week_max = 60;
  offer->skills[0]->need = (Collega__Need)7;
  assert_refused(check_fields(&offer->base, &error), &error, form_enum, "skills[0].need");
  assert_string_equal(error.argument[0], "must nice");
  offer->skills[0]->need = COLLEGA__NEED__NEED_NICE;
  offer->period->until = 73049; /* 2170-01-01 */
  assert_refused(check_fields(&offer->base, &error), &error, form_date, "period.until");
}

static void lists_all_values_of_a_long_enum(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  Collega__Offer *offer = (Collega__Offer *)fill(&collega__offer__descriptor, 0, arena);
  offer->reason = (Collega__Reason)14;
  assert_refused(check_fields(&offer->base, &error), &error, form_enum, "reason");
  char text[400];
  error_render(LANGUAGE_EN, &error, text, sizeof text);
  assert_string_equal(
      text,
      "reason: must be one of these: low_season crisis project_end reorganisation rotation swap "
      "development peak season illness_cover project vacancy other");
}

static void refuses_numbers_past_what_signed_64_bits_hold(void **state) {
  (void)state;
  struct collega_error error;
  Collega__Ping ping = COLLEGA__PING__INIT;
  ping.number = UINT64_C(1) << 63;
  assert_refused(check_fields(&ping.base, &error), &error, range, "number");
  ping.number = INT64_MAX;
  assert_int_equal(check_fields(&ping.base, &error), COLLEGA_OK);
}

/* ---- citizen service numbers */

static void finds_a_citizen_service_number_that_stands_alone(void **state) {
  (void)state;
  assert_true(text_holds_bsn("111222333"));
  assert_true(text_holds_bsn("BSN 123456782."));
  assert_true(text_holds_bsn("van 111222333 tot"));
  assert_true(text_holds_bsn("(123456782)"));
  assert_true(text_holds_bsn("12345678 111222333"));
  assert_true(text_holds_bsn("1234567890 0612345678 111222333."));
  char text[40];
  for (int before = 0; before < 24; before++) { /* wherever it stands */
    snprintf(text, sizeof text, "%*s111222333%*s", before, "", before % 5, "");
    assert_true(text_holds_bsn(text));
  }
  static const char *const harmless[] = {"",          "123456789",     "1112223334",
                                         "11222333",  "A111222333",    "111222333é",
                                         "000000000", "0612345678, 9", "KvK 12345678"};
  for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
    if (text_holds_bsn(harmless[i])) fail_msg("taken for a BSN: %s", harmless[i]);
}

/* ---- bodies */

static Collega__Body *body_of(struct arena *arena, Collega__BodyType type) {
  Collega__Body *body = (Collega__Body *)fill_least(&collega__body__descriptor, 1, arena);
  const ProtobufCFieldDescriptor *field =
      protobuf_c_message_descriptor_get_field(&collega__body__descriptor, (unsigned)type);
  ProtobufCMessage *content = fill_least(field->descriptor, 1, arena);
  memcpy((uint8_t *)body + field->offset, &content, sizeof content);
  body->type = type;
  return body;
}

static enum collega_status judge(const Collega__Body *body, struct collega_error *error) {
  return check_body(body, collega__body__get_packed_size(body), error);
}

static void wants_exactly_the_content_that_the_type_numbers(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  Collega__Body *body = body_of(arena, COLLEGA__BODY_TYPE__BODY_TYPE_ASK);
  assert_int_equal(judge(body, &error), COLLEGA_OK);
  body->type = COLLEGA__BODY_TYPE__BODY_TYPE_WITHDRAW;
  assert_refused(judge(body, &error), &error, body_content, "");
  body->type = COLLEGA__BODY_TYPE__BODY_TYPE_ASK;
  body->release = (Collega__Release *)fill_least(&collega__release__descriptor, 1, arena);
  assert_refused(judge(body, &error), &error, body_content, "");
  body->release = NULL;
  body->ask = NULL;
  assert_refused(judge(body, &error), &error, body_content, "");
}

static void every_body_type_numbers_a_content_field(void **state) {
  (void)state;
  const ProtobufCEnumDescriptor *types = &collega__body_type__descriptor;
  for (unsigned i = 0; i < types->n_values; i++) {
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
        &collega__body__descriptor, (unsigned)types->values[i].value);
    char name[ENUM_TEXT_BYTES];
    assert_non_null(field);
    assert_true(enum_text(types, types->values[i].value, name));
    assert_string_equal(name, field->name);
  }
}

static void refuses_a_body_over_32_kib(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  Collega__Body *body = body_of(arena, COLLEGA__BODY_TYPE__BODY_TYPE_EPOCH_ANSWER);
  uint8_t *blob = arena_zero(arena, 8192);
  ProtobufCBinaryData decisions[5];
  for (size_t i = 0; i < 5; i++)
    decisions[i] = (ProtobufCBinaryData){8192, blob};
  body->epoch_answer->decisions = decisions;
  body->epoch_answer->n_decisions = 3;
  assert_int_equal(judge(body, &error), COLLEGA_OK);
  body->epoch_answer->n_decisions = 5;
  assert_refused(judge(body, &error), &error, body_too_large, "");
  assert_string_equal(error.argument[0], "32768");
}

static void a_card_is_by_its_own_party_and_names_the_one_before(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  Collega__Body *body = body_of(arena, COLLEGA__BODY_TYPE__BODY_TYPE_CARD);
  body->card->party = body->author;
  body->card->number = 0;
  assert_int_equal(judge(body, &error), COLLEGA_OK);
  body->card->number = 1;
  assert_refused(judge(body, &error), &error, card_previous, "card.previous");
  body->card->has_previous = 1;
  body->card->previous = body->author;
  assert_int_equal(judge(body, &error), COLLEGA_OK);
  body->card->number = 0;
  assert_refused(judge(body, &error), &error, card_previous, "card.previous");
  uint8_t other[32] = {1};
  body->card->party = (ProtobufCBinaryData){32, other};
  assert_refused(judge(body, &error), &error, card_author, "card.party");
}

static void validity_ends_after_it_begins(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  Collega__Body *body = body_of(arena, COLLEGA__BODY_TYPE__BODY_TYPE_CERT);
  body->cert->valid_from = body->cert->valid_until = 1000;
  assert_refused(judge(body, &error), &error, order_of_times, "cert.valid_until");
  assert_string_equal(error.argument[0], "1970-01-01T00:00:01Z");
  body->cert->valid_until = 1001;
  assert_int_equal(judge(body, &error), COLLEGA_OK);
  body = body_of(arena, COLLEGA__BODY_TYPE__BODY_TYPE_MANDATE);
  assert_int_equal(judge(body, &error), COLLEGA_OK); /* open ended */
  body->mandate->has_valid_until = 1;
  body->mandate->valid_until = body->mandate->valid_from - 1;
  assert_refused(judge(body, &error), &error, order_of_times, "mandate.valid_until");
}

static Collega__DealHeader *deal_in(struct arena *arena, Collega__Body **out) {
  static uint8_t lender[32] = {1}, borrower[32] = {2}, capacity[16] = {3};
  Collega__Body *body = body_of(arena, COLLEGA__BODY_TYPE__BODY_TYPE_DEAL);
  Collega__DealHeader *header = body->deal;
  Collega__Edge *edge = header->edges[0];
  edge->lender = (ProtobufCBinaryData){32, lender};
  edge->borrower = (ProtobufCBinaryData){32, borrower};
  edge->lends->has_offer = edge->lends->has_content = 1;
  edge->lends->offer = (ProtobufCBinaryData){16, capacity};
  edge->lends->content = edge->lender;
  edge->borrows->has_capacity = 1;
  edge->borrows->capacity = (ProtobufCBinaryData){16, capacity};
  header->time = 1000 * DAY_MS;
  header->accept_by = 1003 * DAY_MS;
  body->author = edge->borrower;
  *out = body;
  return header;
}

static void a_deal_is_between_two_and_by_one_of_them(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  Collega__Body *body;
  Collega__DealHeader *header = deal_in(arena, &body);
  assert_int_equal(judge(body, &error), COLLEGA_OK);
  body->author = header->root;
  assert_refused(judge(body, &error), &error, deal_author, "deal.edges[0]");
  body->author = header->edges[0]->lender;
  assert_int_equal(judge(body, &error), COLLEGA_OK);
  header->edges[0]->borrower = header->edges[0]->lender;
  assert_refused(judge(body, &error), &error, deal_parties, "deal.edges[0].borrower");
}

static void a_deal_leaves_time_to_accept_but_not_for_ever(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  Collega__Body *body;
  Collega__DealHeader *header = deal_in(arena, &body);
  header->accept_by = header->time;
  assert_refused(judge(body, &error), &error, order_of_times, "deal.accept_by");
  header->accept_by = header->time + ACCEPT_BY_MOST_MS;
  assert_int_equal(judge(body, &error), COLLEGA_OK);
  header->accept_by++;
  assert_refused(judge(body, &error), &error, accept_by_late, "deal.accept_by");
  assert_string_equal(error.argument[0], "90");
}

static void a_deal_names_an_offer_with_its_content_or_a_capacity(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  Collega__Body *body;
  Collega__DealHeader *header = deal_in(arena, &body);
  header->edges[0]->lends->has_content = 0;
  assert_refused(judge(body, &error), &error, offer_reference, "deal.edges[0].lends");
  header->edges[0]->lends->has_content = 1;
  header->edges[0]->lends->has_capacity = 1;
  assert_refused(judge(body, &error), &error, offer_reference, "deal.edges[0].lends");
  header->edges[0]->lends->has_capacity = 0;
  header->edges[0]->borrows->has_capacity = 0;
  assert_refused(judge(body, &error), &error, offer_reference, "deal.edges[0].borrows");
  header->edges[0]->borrows->has_capacity = header->edges[0]->borrows->has_content = 1;
  assert_refused(judge(body, &error), &error, offer_reference, "deal.edges[0].borrows");
}

static void an_amendment_names_what_it_follows(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  Collega__Body *body;
  Collega__DealHeader *header = deal_in(arena, &body);
  header->has_amends = 1;
  header->amends = header->root;
  assert_refused(judge(body, &error), &error, deal_amends, "deal.predecessor");
  header->has_predecessor = 1;
  header->predecessor = header->root;
  assert_int_equal(judge(body, &error), COLLEGA_OK);
}

static void a_decision_stands_where_its_verdict_may(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  static const struct {
    Collega__Verdict verdict;
    uint32_t position;
    bool fits;
  } cases[] = {
      {COLLEGA__VERDICT__VERDICT_VOID, 0, true},
      {COLLEGA__VERDICT__VERDICT_VOID, 1, false},
      {COLLEGA__VERDICT__VERDICT_CONCLUDED, 1, true},
      {COLLEGA__VERDICT__VERDICT_CONCLUDED, 0, false},
      {COLLEGA__VERDICT__VERDICT_CONCLUDED, 2, false},
      {COLLEGA__VERDICT__VERDICT_AMENDED, 2, true},
      {COLLEGA__VERDICT__VERDICT_AMENDED, 1, false},
      {COLLEGA__VERDICT__VERDICT_TERMINATED, 2, true},
      {COLLEGA__VERDICT__VERDICT_TERMINATED, 1, false},
      {COLLEGA__VERDICT__VERDICT_REDUCED, 2, true},
      {COLLEGA__VERDICT__VERDICT_REDUCED, 1, false},
      {COLLEGA__VERDICT__VERDICT_RELEASED, 2, true},
      {COLLEGA__VERDICT__VERDICT_RELEASED, 0, false},
  };
  Collega__Body *body = body_of(arena, COLLEGA__BODY_TYPE__BODY_TYPE_DECISION);
  Collega__Decision *decision = body->decision;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    decision->verdict = cases[i].verdict;
    decision->position = cases[i].position;
    decision->has_predecessor = decision->position > 1;
    decision->predecessor = decision->root;
    decision->has_effective = decision->verdict == COLLEGA__VERDICT__VERDICT_TERMINATED;
    bool reduces = decision->verdict == COLLEGA__VERDICT__VERDICT_REDUCED;
    Collega__Reduction part = COLLEGA__REDUCTION__INIT, *parts[] = {&part};
    part.headcount = 1;
    part.by = part.basis = decision->basis = decision->root;
    decision->has_basis = reduces;
    decision->n_reductions = reduces ? 1 : 0;
    decision->reductions = parts;
    if (cases[i].fits)
      assert_int_equal(judge(body, &error), COLLEGA_OK);
    else
      assert_refused(judge(body, &error), &error, decision_position, "decision.position");
  }
}

static void parts_that_ended_are_listed_once_and_the_own_one_last(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  Collega__Body *body = body_of(arena, COLLEGA__BODY_TYPE__BODY_TYPE_DECISION);
  Collega__Decision *decision = body->decision;
  Collega__Reduction one = COLLEGA__REDUCTION__INIT, two = one, *parts[] = {&one, &two};
  uint8_t first[32] = {1}, second[32] = {2};
  one.headcount = two.headcount = 3;
  one.by = two.by = decision->root;
  one.basis = (ProtobufCBinaryData){32, first};
  two.basis = (ProtobufCBinaryData){32, second};
  decision->verdict = COLLEGA__VERDICT__VERDICT_REDUCED;
  decision->position = 3;
  decision->has_predecessor = decision->has_basis = 1;
  decision->predecessor = decision->root;
  decision->basis = two.basis;
  decision->reductions = parts;
  assert_refused(judge(body, &error), &error, decision_reductions, "decision.reductions");
  decision->n_reductions = 2;
  assert_int_equal(judge(body, &error), COLLEGA_OK);
  decision->position = 2; /* two parts after the agreement stand at the third */
  assert_refused(judge(body, &error), &error, decision_position, "decision.position");
  decision->position = 3;
  decision->basis = one.basis;
  assert_refused(judge(body, &error), &error, decision_reductions, "decision.basis");
  decision->basis = two.basis = one.basis;
  assert_refused(judge(body, &error), &error, decision_reductions, "decision.reductions");
  two.basis = (ProtobufCBinaryData){32, second};
  decision->verdict = COLLEGA__VERDICT__VERDICT_AMENDED;
  assert_refused(judge(body, &error), &error, decision_reductions, "decision.reductions");
  decision->verdict = COLLEGA__VERDICT__VERDICT_TERMINATED;
  decision->has_effective = 1;
  assert_refused(judge(body, &error), &error, decision_position, "decision.position");
  decision->position = 4;
  assert_int_equal(judge(body, &error), COLLEGA_OK);
}

static void a_decision_carries_what_its_place_needs_and_no_more(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  Collega__Body *body = body_of(arena, COLLEGA__BODY_TYPE__BODY_TYPE_DECISION);
  Collega__Decision *decision = body->decision;
  decision->verdict = COLLEGA__VERDICT__VERDICT_TERMINATED;
  decision->position = 2;
  decision->has_effective = 1;
  assert_refused(judge(body, &error), &error, decision_predecessor, "decision.predecessor");
  decision->has_predecessor = 1;
  decision->predecessor = decision->root;
  assert_int_equal(judge(body, &error), COLLEGA_OK);
  decision->has_effective = 0;
  assert_refused(judge(body, &error), &error, decision_effective, "decision.effective");
  decision->has_effective = 1;
  uint8_t other[32] = {9};
  ProtobufCBinaryData voids[] = {{32, other}, {32, other}};
  decision->voids = voids;
  decision->n_voids = 2;
  assert_refused(judge(body, &error), &error, listed_twice, "decision.voids[1]");
  decision->n_voids = 1;
  assert_int_equal(judge(body, &error), COLLEGA_OK);
  voids[0] = decision->deal;
  assert_refused(judge(body, &error), &error, listed_twice, "decision.voids[0]");
}

static void an_epoch_after_the_first_names_another_before_it(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  Collega__Body *body = body_of(arena, COLLEGA__BODY_TYPE__BODY_TYPE_EPOCH_START);
  body->epoch_start->number = 1;
  assert_int_equal(judge(body, &error), COLLEGA_OK);
  body->epoch_start->number = 2;
  assert_refused(judge(body, &error), &error, epoch_previous, "epoch_start.previous");
  body->epoch_start->has_previous = 1;
  body->epoch_start->previous = body->epoch_start->epoch;
  assert_refused(judge(body, &error), &error, epoch_previous, "epoch_start.previous");
}

static void a_talk_says_something_and_names_no_citizen(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  Collega__Body *body = body_of(arena, COLLEGA__BODY_TYPE__BODY_TYPE_TALK);
  assert_refused(judge(body, &error), &error, talk_empty, "talk");
  body->talk->text = (char *)"Het gaat om 111222333.";
  assert_refused(judge(body, &error), &error, bsn_forbidden, "talk.text");
  body->talk->text = (char *)"Kan het ook in maart?";
  assert_int_equal(judge(body, &error), COLLEGA_OK);
  body->talk->draft = (Collega__Terms *)fill(&collega__terms__descriptor, 1, arena);
  body->talk->draft->rates->currency = NULL;
  assert_refused(judge(body, &error), &error, currency_required, "talk.draft.rates.currency");
}

static void an_offer_in_a_body_is_named_with_its_whole_path(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  Collega__Body *body = body_of(arena, COLLEGA__BODY_TYPE__BODY_TYPE_OFFER);
  body->offer->offer->occupation->isco = (char *)"4329";
  assert_refused(judge(body, &error), &error, isco_unknown, "offer.offer.occupation.isco");
}

/* ---- terms */

static void terms_agree_with_themselves(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  Collega__Terms *terms = (Collega__Terms *)fill(&collega__terms__descriptor, 1, arena);
  terms->persons->n_persons = 1;
  assert_int_equal(check_fields(&terms->base, &error), COLLEGA_OK);
  assert_int_equal(check_terms(terms, &error), COLLEGA_OK);
  terms->work->from = terms->work->until + 1;
  assert_refused(check_terms(terms, &error), &error, order_of_dates, "work.until");
  terms->work->from = terms->work->until;
  terms->work->isco = (char *)"0000";
  assert_refused(check_terms(terms, &error), &error, isco_unknown, "work.isco");
  terms->work->isco = NULL;
  terms->place->postcode = (char *)"0911";
  assert_refused(check_terms(terms, &error), &error, postcode_unknown, "place.postcode");
  terms->place->country = (char *)"BE";
  terms->place->postcode = (char *)"1000";
  assert_int_equal(check_terms(terms, &error), COLLEGA_OK);
  terms->rates->currency = NULL;
  assert_refused(check_terms(terms, &error), &error, currency_required, "rates.currency");
}

static void terms_name_no_more_people_than_the_work_has(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  Collega__Terms *terms = (Collega__Terms *)fill(&collega__terms__descriptor, 2, arena);
  Collega__TermsPersons *persons = terms->persons;
  assert_true(persons->n_persons >= 2);
  terms->work->headcount = 1;
  assert_refused(check_terms(terms, &error), &error, persons_many, "persons.persons");
  terms->work->headcount = 10;
  persons->persons[0]->reference = persons->persons[1]->reference = (char *)"W1";
  persons->n_persons = 2;
  assert_refused(check_terms(terms, &error), &error, listed_twice, "persons.persons[1].reference");
  persons->persons[1]->reference = (char *)"111222333";
  assert_refused(check_terms(terms, &error), &error, bsn_forbidden, "persons.persons[1].reference");
}

/* ---- frames */

static void a_frame_has_exactly_one_field(void **state) {
  struct arena *arena = *state;
  Collega__ToBroker up = COLLEGA__TO_BROKER__INIT;
  assert_int_equal(frame_to_broker(&up), 0);
  up.credit = (Collega__Credit *)fill(&collega__credit__descriptor, 1, arena);
  assert_int_equal(frame_to_broker(&up), 9);
  up.ping = (Collega__Ping *)fill(&collega__ping__descriptor, 1, arena);
  assert_int_equal(frame_to_broker(&up), 0);
  Collega__FromBroker down = COLLEGA__FROM_BROKER__INIT;
  assert_int_equal(frame_from_broker(&down), 0);
  down.pong = (Collega__Pong *)fill(&collega__pong__descriptor, 1, arena);
  assert_int_equal(frame_from_broker(&down), 12);
}

static void mail_ascends_from_what_it_follows(void **state) {
  (void)state;
  Collega__Mail mail = COLLEGA__MAIL__INIT;
  Collega__MailItem letter = COLLEGA__MAIL_ITEM__INIT, decision = COLLEGA__MAIL_ITEM__INIT;
  Collega__MailItem *items[] = {&letter, &decision};
  struct collega_error error;
  letter.has_envelope = decision.has_decision = true;
  mail.items = items;
  mail.n_items = 2;
  letter.seq = 7;
  decision.seq = 9; /* what lay between is no longer there */
  assert_int_equal(check_mail(&mail, &error), COLLEGA_OK);
  mail.has_after = true;
  mail.after = 6;
  assert_int_equal(check_mail(&mail, &error), COLLEGA_OK);
  mail.after = 7;
  assert_refused(check_mail(&mail, &error), &error, mail_order, "items[0].seq");
  assert_string_equal(error.argument[0], "7");
  mail.has_after = false;
  decision.seq = 7;
  assert_refused(check_mail(&mail, &error), &error, mail_order, "items[1].seq");
  decision.seq = 8;
  decision.has_envelope = true;
  assert_refused(check_mail(&mail, &error), &error, mail_item, "items[1]");
  decision.has_envelope = decision.has_decision = false;
  assert_refused(check_mail(&mail, &error), &error, mail_item, "items[1]");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(accepts_what_fits_its_form),
      TEST(refuses_what_does_not_fit_its_form),
      TEST(takes_an_audience_of_32_and_no_more),
      TEST(checks_the_fields_of_messages_that_were_made_here),
      TEST(lists_all_values_of_a_long_enum),
      TEST(refuses_numbers_past_what_signed_64_bits_hold),
      TEST(finds_a_citizen_service_number_that_stands_alone),
      TEST(wants_exactly_the_content_that_the_type_numbers),
      TEST(every_body_type_numbers_a_content_field),
      TEST(refuses_a_body_over_32_kib),
      TEST(a_card_is_by_its_own_party_and_names_the_one_before),
      TEST(validity_ends_after_it_begins),
      TEST(a_deal_is_between_two_and_by_one_of_them),
      TEST(a_deal_leaves_time_to_accept_but_not_for_ever),
      TEST(a_deal_names_an_offer_with_its_content_or_a_capacity),
      TEST(an_amendment_names_what_it_follows),
      TEST(a_decision_stands_where_its_verdict_may),
      TEST(parts_that_ended_are_listed_once_and_the_own_one_last),
      TEST(a_decision_carries_what_its_place_needs_and_no_more),
      TEST(an_epoch_after_the_first_names_another_before_it),
      TEST(a_talk_says_something_and_names_no_citizen),
      TEST(an_offer_in_a_body_is_named_with_its_whole_path),
      TEST(terms_agree_with_themselves),
      TEST(terms_name_no_more_people_than_the_work_has),
      TEST(a_frame_has_exactly_one_field),
      TEST(mail_ascends_from_what_it_follows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
