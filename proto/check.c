/* What the bytes mean, one message at a time: every field's form by the table, then what fields say
 * about each other. Free of clock and of other records, so that every reader judges alike. */
#include "proto/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/field.h"
#include "proto/limits.h"

static enum collega_status check_message(const struct message_rules *rules,
                                         const ProtobufCMessage *message,
                                         struct collega_error *error);

static enum collega_status check_value(const struct field_rule *rule, const void *value,
                                       struct collega_error *error) {
  switch (rule->type) {
  case PROTOBUF_C_TYPE_STRING: {
    const char *text = *(const char *const *)value;
    if (!text) return error_set(error, COLLEGA_INVALID, RULE_required, NULL, NULL);
    return field_check_text(rule, text, strlen(text), error);
  }
  case PROTOBUF_C_TYPE_BYTES:
    return field_check_bytes(rule, ((const ProtobufCBinaryData *)value)->len, error);
  case PROTOBUF_C_TYPE_MESSAGE: {
    const ProtobufCMessage *inner = *(const ProtobufCMessage *const *)value;
    if (!inner) return error_set(error, COLLEGA_INVALID, RULE_required, NULL, NULL);
    return check_message(rule->inner, inner, error);
  }
  case PROTOBUF_C_TYPE_ENUM:
    return field_check_enum(rule, *(const int *)value, error);
  case PROTOBUF_C_TYPE_BOOL:
    return COLLEGA_OK;
  case PROTOBUF_C_TYPE_INT32:
    return field_check_number(rule, *(const int32_t *)value, error);
  case PROTOBUF_C_TYPE_UINT32:
    return field_check_number(rule, *(const uint32_t *)value, error);
  case PROTOBUF_C_TYPE_INT64:
    return field_check_number(rule, *(const int64_t *)value, error);
  case PROTOBUF_C_TYPE_UINT64: {
    uint64_t number = *(const uint64_t *)value;
    return field_check_number(rule, number > INT64_MAX ? -1 : (int64_t)number, error);
  }
  case FIELD_TYPES_OF_NONE:
    break;
  }
  return error_set(error, COLLEGA_INVALID, RULE_wire_type, NULL, NULL);
}

static enum collega_status check_list(const ProtobufCMessage *message,
                                      const struct field_rule *rule,
                                      const ProtobufCFieldDescriptor *field,
                                      struct collega_error *error) {
  size_t count = *(const size_t *)field_quantifier(message, field);
  enum collega_status status = field_check_count(rule, count, error);
  if (status) {
    error_prefix(error, rule->name);
    return status;
  }
  if (!count) return COLLEGA_OK;
  const uint8_t *items = *(const uint8_t *const *)field_value(message, field);
  size_t size = rule->size;
  for (size_t i = 0; i < count; i++) {
    status = check_value(rule, items + i * size, error);
    if (status) {
      field_name_error(error, rule, i);
      return status;
    }
  }
  return COLLEGA_OK;
}

static enum collega_status check_message(const struct message_rules *rules,
                                         const ProtobufCMessage *message,
                                         struct collega_error *error) {
  if (message->n_unknown_fields) {
    char number[24];
    snprintf(number, sizeof number, "%" PRIu32, message->unknown_fields[0].tag);
    return error_set(error, COLLEGA_INVALID, RULE_wire_unknown_field, NULL, number,
                     rules->type->short_name, NULL);
  }
  for (uint32_t i = 0; i < rules->count; i++) {
    const struct field_rule *rule = &rules->fields[i];
    const ProtobufCFieldDescriptor *field = &rules->type->fields[i];
    enum collega_status status;
    if (rule->label == PROTOBUF_C_LABEL_REPEATED) {
      status = check_list(message, rule, field, error);
      if (status) return status;
    } else if (field_present(message, field)) {
      status = check_value(rule, field_value(message, field), error);
      if (status) {
        error_prefix(error, rule->name);
        return status;
      }
    }
  }
  return COLLEGA_OK;
}

enum collega_status check_fields(const ProtobufCMessage *message, struct collega_error *error) {
  const struct message_rules *rules = rules_of(message->descriptor);
  if (rules) return check_message(rules, message, error);
  return error_set(error, COLLEGA_INVALID, RULE_wire_unknown_message, NULL,
                   message->descriptor->short_name, NULL);
}

static enum collega_status refuse(struct collega_error *error, enum rule rule, const char *field) {
  return error_set(error, COLLEGA_INVALID, rule, field, NULL);
}

static bool same_bytes(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b) {
  return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

static enum collega_status check_later(collega_time earlier, collega_time later, const char *field,
                                       struct collega_error *error) {
  if (later > earlier) return COLLEGA_OK;
  char text[40];
  time_write(text, sizeof text, earlier);
  return error_set(error, COLLEGA_INVALID, RULE_order_of_times, field, text, NULL);
}

/* ---- the content of each type, as far as one record can be judged alone */

static enum collega_status check_card(const Collega__Body *body, struct collega_error *error) {
  const Collega__NodeCard *card = body->card;
  if (!same_bytes(&card->party, &body->author)) return refuse(error, RULE_card_author, "party");
  if (card->has_previous != (card->number > 0))
    return refuse(error, RULE_card_previous, "previous");
  return COLLEGA_OK;
}

static enum collega_status check_cert(const Collega__MemberCert *cert,
                                      struct collega_error *error) {
  return check_later(cert->valid_from, cert->valid_until, "valid_until", error);
}

static enum collega_status check_mandate(const Collega__Mandate *mandate,
                                         struct collega_error *error) {
  if (!mandate->has_valid_until) return COLLEGA_OK;
  return check_later(mandate->valid_from, mandate->valid_until, "valid_until", error);
}

static enum collega_status check_trust(const Collega__TrustList *trust,
                                       struct collega_error *error) {
  for (size_t i = 0; i < trust->n_networks; i++)
    for (size_t j = 0; j < i; j++)
      if (same_bytes(&trust->networks[i]->broker, &trust->networks[j]->broker))
        return error_set(error, COLLEGA_INVALID, RULE_listed_twice, "networks",
                         trust->networks[i]->name, NULL);
  return check_later(trust->valid_from, trust->valid_until, "valid_until", error);
}

static enum collega_status check_epoch_start(const Collega__EpochStart *start,
                                             struct collega_error *error) {
  bool fits = start->has_previous == (start->number > 1);
  if (fits && start->has_previous) fits = !same_bytes(&start->previous, &start->epoch);
  return fits ? COLLEGA_OK : refuse(error, RULE_epoch_previous, "previous");
}

/* A published content revision, or a capacity that was never published. What an interest is about
 * may leave the revision open; what a deal is about may not. */
static enum collega_status check_reference(const Collega__OfferRef *reference, bool with_content,
                                           struct collega_error *error) {
  bool fits = reference->has_offer != reference->has_capacity;
  if (fits && reference->has_content) fits = reference->has_offer;
  if (fits && reference->has_offer && with_content) fits = reference->has_content;
  return fits ? COLLEGA_OK : refuse(error, RULE_offer_reference, NULL);
}

static enum collega_status check_interest(const Collega__Interest *interest,
                                          struct collega_error *error) {
  enum collega_status status = check_reference(interest->mine, false, error);
  if (status) {
    error_prefix(error, "mine");
    return status;
  }
  status = check_reference(interest->yours, false, error);
  if (status) {
    error_prefix(error, "yours");
    return status;
  }
  if (interest->text && text_holds_bsn(interest->text))
    return refuse(error, RULE_bsn_forbidden, "text");
  return COLLEGA_OK;
}

static enum collega_status check_talk(const Collega__Talk *talk, struct collega_error *error) {
  if (!talk->text && !talk->draft) return refuse(error, RULE_talk_empty, NULL);
  if (talk->text && text_holds_bsn(talk->text)) return refuse(error, RULE_bsn_forbidden, "text");
  if (!talk->draft) return COLLEGA_OK;
  enum collega_status status = check_terms(talk->draft, error);
  if (status) error_prefix(error, "draft");
  return status;
}

enum collega_status check_header(const Collega__DealHeader *header, struct collega_error *error) {
  if (header->n_edges < 1) return refuse(error, RULE_required, "edges");
  const Collega__Edge *edge = header->edges[0];
  if (same_bytes(&edge->lender, &edge->borrower))
    return refuse(error, RULE_deal_parties, "edges[0].borrower");
  enum collega_status status = check_reference(edge->lends, true, error);
  if (status) {
    error_prefix(error, "edges[0].lends");
    return status;
  }
  status = check_reference(edge->borrows, true, error);
  if (status) {
    error_prefix(error, "edges[0].borrows");
    return status;
  }
  if (header->has_amends != header->has_predecessor)
    return refuse(error, RULE_deal_amends, "predecessor");
  status = check_later(header->time, header->accept_by, "accept_by", error);
  if (status) return status;
  if (header->accept_by - header->time <= ACCEPT_BY_MOST_MS) return COLLEGA_OK;
  char days[24];
  snprintf(days, sizeof days, "%" PRId64, ACCEPT_BY_MOST_MS / DAY_MS);
  return error_set(error, COLLEGA_INVALID, RULE_accept_by_late, "accept_by", days, NULL);
}

static enum collega_status check_deal(const Collega__Body *body, struct collega_error *error) {
  enum collega_status status = check_header(body->deal, error);
  if (status) return status;
  const Collega__Edge *edge = body->deal->edges[0];
  if (same_bytes(&edge->lender, &body->author) || same_bytes(&edge->borrower, &body->author))
    return COLLEGA_OK;
  return refuse(error, RULE_deal_author, "edges[0]");
}

/* What position a verdict may take in the chain of its root. */
static bool position_fits(Collega__Verdict verdict, uint32_t position) {
  switch (verdict) {
  case COLLEGA__VERDICT__VERDICT_VOID:
    return position == 0;
  case COLLEGA__VERDICT__VERDICT_CONCLUDED:
    return position == 1;
  case COLLEGA__VERDICT__VERDICT_AMENDED:
  case COLLEGA__VERDICT__VERDICT_TERMINATED:
  case COLLEGA__VERDICT__VERDICT_REDUCED:
    return position >= 2;
  case COLLEGA__VERDICT__VERDICT_RELEASED:
    return position >= 1;
  case _COLLEGA__VERDICT_IS_INT_SIZE:
    break;
  }
  return false;
}

/* What went on is in force at the entry before the parts: so many positions there must be. The newest part of a
 * reduced deal is the decision's own. */
static enum collega_status check_reductions(const Collega__Decision *decision,
                                            struct collega_error *error) {
  bool reduces = decision->verdict == COLLEGA__VERDICT__VERDICT_REDUCED;
  bool ends = decision->verdict == COLLEGA__VERDICT__VERDICT_TERMINATED ||
              decision->verdict == COLLEGA__VERDICT__VERDICT_RELEASED;
  size_t count = decision->n_reductions;
  if (reduces ? count == 0 : count > 0 && !ends)
    return refuse(error, RULE_decision_reductions, "reductions");
  if (count > 0 && count + (ends ? 2 : 1) > decision->position)
    return refuse(error, RULE_decision_position, "position");
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < i; j++)
      if (same_bytes(&decision->reductions[i]->basis, &decision->reductions[j]->basis))
        return refuse(error, RULE_decision_reductions, "reductions");
  if (reduces && (!decision->has_basis ||
                  !same_bytes(&decision->basis, &decision->reductions[count - 1]->basis)))
    return refuse(error, RULE_decision_reductions, "basis");
  return COLLEGA_OK;
}

static enum collega_status check_decision(const Collega__Decision *decision,
                                          struct collega_error *error) {
  if (!position_fits(decision->verdict, decision->position))
    return refuse(error, RULE_decision_position, "position");
  if (decision->has_predecessor != (decision->position > 1))
    return refuse(error, RULE_decision_predecessor, "predecessor");
  if (decision->has_effective != (decision->verdict == COLLEGA__VERDICT__VERDICT_TERMINATED))
    return refuse(error, RULE_decision_effective, "effective");
  enum collega_status status = check_reductions(decision, error);
  if (status) return status;
  for (size_t i = 0; i < decision->n_voids; i++) {
    char field[40];
    snprintf(field, sizeof field, "voids[%zu]", i);
    bool twice = same_bytes(&decision->voids[i], &decision->deal);
    for (size_t j = 0; j < i && !twice; j++)
      twice = same_bytes(&decision->voids[i], &decision->voids[j]);
    if (!twice) continue;
    char deal[2 * ID_BYTES + 1];
    hex_write(deal, decision->voids[i].data,
              decision->voids[i].len > ID_BYTES ? ID_BYTES : decision->voids[i].len);
    return error_set(error, COLLEGA_INVALID, RULE_listed_twice, field, deal, NULL);
  }
  return COLLEGA_OK;
}

static enum collega_status check_content(const Collega__Body *body, struct collega_error *error) {
  switch (body->type) {
  case COLLEGA__BODY_TYPE__BODY_TYPE_CARD:
    return check_card(body, error);
  case COLLEGA__BODY_TYPE__BODY_TYPE_CERT:
    return check_cert(body->cert, error);
  case COLLEGA__BODY_TYPE__BODY_TYPE_MANDATE:
    return check_mandate(body->mandate, error);
  case COLLEGA__BODY_TYPE__BODY_TYPE_TRUST:
    return check_trust(body->trust, error);
  case COLLEGA__BODY_TYPE__BODY_TYPE_EPOCH_START:
    return check_epoch_start(body->epoch_start, error);
  case COLLEGA__BODY_TYPE__BODY_TYPE_OFFER: {
    enum collega_status status = check_offer(body->offer->offer, error);
    if (status) error_prefix(error, "offer");
    return status;
  }
  case COLLEGA__BODY_TYPE__BODY_TYPE_DEAL:
    return check_deal(body, error);
  case COLLEGA__BODY_TYPE__BODY_TYPE_DECISION:
    return check_decision(body->decision, error);
  case COLLEGA__BODY_TYPE__BODY_TYPE_INTEREST:
    return check_interest(body->interest, error);
  case COLLEGA__BODY_TYPE__BODY_TYPE_TALK:
    return check_talk(body->talk, error);
  case COLLEGA__BODY_TYPE__BODY_TYPE_MANDATE_END:
  case COLLEGA__BODY_TYPE__BODY_TYPE_REVOCATION:
  case COLLEGA__BODY_TYPE__BODY_TYPE_STATUS:
  case COLLEGA__BODY_TYPE__BODY_TYPE_ACCEPTANCE:
  case COLLEGA__BODY_TYPE__BODY_TYPE_DECLINE:
  case COLLEGA__BODY_TYPE__BODY_TYPE_WITHDRAW:
  case COLLEGA__BODY_TYPE__BODY_TYPE_ASK:
  case COLLEGA__BODY_TYPE__BODY_TYPE_TERMINATE:
  case COLLEGA__BODY_TYPE__BODY_TYPE_RELEASE:
  case COLLEGA__BODY_TYPE__BODY_TYPE_RELEASE_ANSWER:
  case COLLEGA__BODY_TYPE__BODY_TYPE_EPOCH_ANSWER:
    return COLLEGA_OK; /* their forms say it all */
  case _COLLEGA__BODY_TYPE_IS_INT_SIZE:
    break;
  }
  return refuse(error, RULE_body_content, NULL);
}

/* The only submessage that is set; NULL: none, or several. Where messages may have it, none is
 * repeated or required. */
static const ProtobufCFieldDescriptor *only_submessage(const ProtobufCMessage *message) {
  const ProtobufCMessageDescriptor *type = message->descriptor;
  const ProtobufCFieldDescriptor *found = NULL;
  for (unsigned i = 0; i < type->n_fields; i++) {
    const ProtobufCFieldDescriptor *field = &type->fields[i];
    if (field->type != PROTOBUF_C_TYPE_MESSAGE || !*(void *const *)field_value(message, field))
      continue;
    if (found) return NULL;
    found = field;
  }
  return found;
}

enum collega_status check_body(const Collega__Body *body, size_t length,
                               struct collega_error *error) {
  const ProtobufCFieldDescriptor *content = only_submessage(&body->base);
  if (!content || content->id != (uint32_t)body->type)
    return refuse(error, RULE_body_content, NULL);
  if (length > LIMIT_BODY_BYTES) {
    char most[12];
    snprintf(most, sizeof most, "%u", LIMIT_BODY_BYTES);
    return error_set(error, COLLEGA_INVALID, RULE_body_too_large, NULL, most, NULL);
  }
  enum collega_status status = check_content(body, error);
  if (status) error_prefix(error, content->name);
  return status;
}

enum collega_status check_mail(const Collega__Mail *mail, struct collega_error *error) {
  uint64_t before = mail->has_after ? mail->after : 0;
  char field[32], number[24];
  for (size_t i = 0; i < mail->n_items; i++) {
    const Collega__MailItem *item = mail->items[i];
    if (item->has_envelope == item->has_decision) {
      snprintf(field, sizeof field, "items[%zu]", i);
      return refuse(error, RULE_mail_item, field);
    }
    if (item->seq <= before) {
      snprintf(field, sizeof field, "items[%zu].seq", i);
      snprintf(number, sizeof number, "%" PRIu64, before);
      return error_set(error, COLLEGA_INVALID, RULE_mail_order, field, number, NULL);
    }
    before = item->seq;
  }
  return COLLEGA_OK;
}

static uint32_t number_of(const ProtobufCFieldDescriptor *field) {
  return field ? field->id : 0;
}

uint32_t frame_to_broker(const Collega__ToBroker *frame) {
  return number_of(only_submessage(&frame->base));
}
uint32_t frame_from_broker(const Collega__FromBroker *frame) {
  return number_of(only_submessage(&frame->base));
}
