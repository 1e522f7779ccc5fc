/* Members come and go: invitations, joining, revocation. All of it rare, so it is written for
 * reading. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/commit/admission.h"
#include "broker/commit/cards.h"
#include "proto/limits.h"

static ProtobufCBinaryData field_of(const void *data, size_t length) {
  return (ProtobufCBinaryData){length, (uint8_t *)(uintptr_t)data};
}

/* ---- invitations */

static void copy_text(char *out, size_t capacity, const char *text) {
  size_t length = utf8_cut(text, capacity - 1);
  memset(out, 0, capacity);
  memcpy(out, text, length);
}

/* A network's node hosts; its own network, and brokers, live nowhere but at home. */
static enum collega_status judge_host(struct batch *batch, const struct id *host, enum rule *rule,
                                      struct collega_error *error) {
  struct party_row row;
  bool found = false;
  *rule = RULE_NONE;
  if (id_is_zero(host)) return COLLEGA_OK;
  enum collega_status status = party_row_read(batch->txn, host, &row, &found, error);
  if (!status && (!found || row.role != COLLEGA__ROLE__ROLE_NETWORK || !id_equal(&row.host, host) ||
                  !party_row_in_force(&row, batch->now)))
    *rule = RULE_host_no_network;
  return status;
}

static bool may_be_hosted(Collega__Role role) {
  return role != COLLEGA__ROLE__ROLE_NETWORK && role != COLLEGA__ROLE__ROLE_BROKER;
}

enum collega_status take_invite(struct batch *batch, struct request *request,
                                struct collega_error *error) {
  const Collega__Invitation *invitation = request->invitation;
  static const uint8_t none[LINK_KEY_BYTES];
  if (!invitation || !invitation->name || !invitation->kvk || invitation->expires <= batch->now ||
      !memcmp(request->invitation_public, none, LINK_KEY_BYTES))
    return refuse_rule(batch, request, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_INVALID,
                       RULE_invite_fields, error);
  Collega__Role role = request->role ? request->role : COLLEGA__ROLE__ROLE_EMPLOYER;
  enum rule no_host = RULE_NONE;
  enum collega_status status = judge_host(batch, &request->host, &no_host, error);
  if (status) return status;
  if (!no_host && !id_is_zero(&request->host) && !may_be_hosted(role)) no_host = RULE_hosted_role;
  if (no_host)
    return refuse_rule(batch, request, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED, no_host,
                       error);
  struct invitation_row row = {
      .expires = invitation->expires, .role = (uint32_t)role, .host = request->host};
  copy_text(row.name, sizeof row.name, invitation->name);
  copy_text(row.kvk, sizeof row.kvk, invitation->kvk);
  struct link_row link = {.expires = invitation->expires};
  memcpy(link.key, request->invitation_public, LINK_KEY_BYTES);
  status = invitation_row_write(batch->txn, link.key, &row, error);
  if (!status) status = link_row_write(batch->txn, &link, error);
  if (!status) status = news_link(batch, link.key, true, error);
  struct id key;
  memcpy(key.byte, link.key, LINK_KEY_BYTES);
  return status ? status
                : answer_stored(batch, request->session, &key, &batch->state.epoch, 0, error);
}

/* ---- joining */

/* The broker's own cards, unpacked where they stand in the identity. */
static enum collega_status own_cards(struct batch *batch, Collega__Run ***out, size_t *count,
                                     struct collega_error *error) {
  struct identity *identity = batch->commit->identity;
  uint32_t newest = identity_card_number(identity);
  Collega__Run **cards = arena_take(batch->arena, (newest + 1u) * sizeof *cards);
  if (!cards) return batch_exhausted(error);
  *count = 0;
  for (uint32_t number = 0; number <= newest; number++) {
    struct run_view view;
    struct bytes run = identity_card_run(identity, number);
    if (!run.length) continue;
    enum collega_status status = run_read_bytes(run, batch->arena, &view, error);
    if (status) return status;
    cards[(*count)++] = (Collega__Run *)(uintptr_t)view.run;
  }
  *out = cards;
  return COLLEGA_OK;
}

static enum collega_status answer_cert(struct batch *batch, const struct request *request,
                                       struct bytes cert_run, struct collega_error *error) {
  struct run_view view;
  Collega__Cert cert = COLLEGA__CERT__INIT;
  enum collega_status status = run_read_bytes(cert_run, batch->arena, &view, error);
  if (!status) status = own_cards(batch, &cert.cards, &cert.n_cards, error);
  if (status) return status;
  cert.cert = (Collega__Run *)(uintptr_t)view.run;
  cert.name = batch->state.name;
  Collega__FromBroker frame = COLLEGA__FROM_BROKER__INIT;
  frame.cert = &cert;
  return answer_frame(batch, request->session, NULL, &frame, 0, error);
}

/* The certificate that this invitation brought, out of the log. */
static enum collega_status answer_same_cert(struct batch *batch, const struct request *request,
                                            uint64_t seq, struct collega_error *error) {
  struct log_row row;
  enum collega_status status = log_row_find(batch->txn, seq, &row, error);
  if (status) return status;
  if (!row.count)
    return error_set(error, COLLEGA_DAMAGED, RULE_disk_corrupt, NULL, "log", "certificate", NULL);
  const void *run = arena_copy(batch->arena, row.run.data, row.run.length);
  if (!run) return batch_exhausted(error);
  return answer_cert(batch, request, bytes_of(run, row.run.length), error);
}

static enum collega_status log_card(struct batch *batch, const struct request *request,
                                    struct collega_error *error) {
  const struct record *record = &request->run.records[0];
  const struct record *records[1] = {record};
  struct facet facet = {.type = (uint8_t)record->body->type, .any = 1};
  struct log_entry entry = {.run = request->run_bytes,
                            .records = records,
                            .facets = &facet,
                            .count = 1,
                            .author = request->run.signer};
  uint64_t seq;
  return batch_log(batch, &entry, &seq, error);
}

static enum collega_status sign_cert(struct batch *batch, const struct id *party,
                                     const struct invitation_row *from, collega_time until,
                                     struct bytes *run, uint64_t *seq,
                                     struct collega_error *error) {
  Collega__LegalEntity entity = COLLEGA__LEGAL_ENTITY__INIT, *entities[1] = {&entity};
  entity.name = (char *)(uintptr_t)from->name;
  entity.kvk = (char *)(uintptr_t)from->kvk;
  Collega__MemberCert cert = COLLEGA__MEMBER_CERT__INIT;
  cert.party = field_of(party->byte, ID_BYTES);
  cert.has_host = !id_is_zero(&from->host);
  cert.host = field_of(from->host.byte, ID_BYTES);
  cert.role = (Collega__Role)from->role;
  cert.n_entities = 1;
  cert.entities = entities;
  cert.valid_from = batch->now;
  cert.valid_until = until;
  Collega__Body body = COLLEGA__BODY__INIT;
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_CERT;
  body.cert = &cert;
  struct id id;
  return batch_own_record(batch, &body, true, run, &id, seq, error);
}

/* Writes the member: card and certificate into the log, its rows, its key for the link if it has
 * one. `known`: its card is in the log. */
static enum collega_status admit(struct batch *batch, const struct request *request,
                                 struct invitation_row *invitation, struct party_row *party,
                                 bool known, struct collega_error *error) {
  const struct record *record = &request->run.records[0];
  const struct id *id = &request->run.signer;
  struct bytes cert_run = {NULL, 0};
  const bool hosted = !id_is_zero(&invitation->host);
  collega_time until = batch->now + CERT_LIFETIME_MS;
  enum collega_status status = known ? COLLEGA_OK : log_card(batch, request, error);
  if (!status)
    status = sign_cert(batch, id, invitation, until, &cert_run, &invitation->cert_seq, error);
  if (status) return status;
  if (record->body->card->number == 0 && !known) {
    *party = (struct party_row){.host = hosted ? invitation->host : *id, .card = record->id};
    if (!hosted) memcpy(party->link_key, record->body->card->link_key.data, LINK_KEY_BYTES);
  }
  party->role = invitation->role;
  party->certified_until = until;
  memcpy(party->name, invitation->name, sizeof party->name);
  memcpy(party->kvk, invitation->kvk, sizeof party->kvk);
  invitation->card = record->id;
  invitation->party = *id;
  struct link_row link = {.party = *id};
  memcpy(link.key, party->link_key, LINK_KEY_BYTES);
  status = party_row_write(batch->txn, id, party, error);
  if (!status) status = invitation_row_write(batch->txn, request->link_key, invitation, error);
  if (!status && !hosted) status = link_row_write(batch->txn, &link, error);
  if (!status && !hosted) status = news_link(batch, link.key, true, error);
  return status ? status : answer_cert(batch, request, cert_run, error);
}

static enum collega_status refuse_invitation(struct batch *batch, const struct request *request,
                                             enum rule rule, collega_time expires,
                                             struct collega_error *error) {
  struct collega_error why;
  char text[40];
  time_write(text, sizeof text, expires);
  error_set(&why, COLLEGA_REFUSED, rule, NULL, text, NULL);
  return answer_refusal(batch, request->session, &request->which,
                        COLLEGA__REFUSAL_CODE__REFUSAL_CODE_INVITATION, &why, error);
}

enum collega_status take_join(struct batch *batch, struct request *request,
                              struct collega_error *error) {
  const struct record *record = &request->run.records[0];
  const Collega__NodeCard *card = record->body->card;
  struct invitation_row invitation;
  struct party_row party;
  struct link_row link;
  enum rule no_host = RULE_NONE;
  bool invited = false, known = false, linked = false;
  enum collega_status status =
      invitation_row_read(batch->txn, request->link_key, &invitation, &invited, error);
  if (!status) status = party_row_read(batch->txn, &request->run.signer, &party, &known, error);
  if (!status && card->has_link_key)
    status = link_row_read(batch->txn, card->link_key.data, &link, &linked, error);
  if (!status && invited) status = judge_host(batch, &invitation.host, &no_host, error);
  if (status) return status;
  if (!invited) return refuse_invitation(batch, request, RULE_invitation_unknown, 0, error);
  if (batch->now >= invitation.expires)
    return refuse_invitation(batch, request, RULE_invitation_expired, invitation.expires, error);
  bool used = !id_is_zero(&invitation.card);
  if (used && !id_equal(&invitation.card, &record->id))
    return refuse_invitation(batch, request, RULE_invitation_used, invitation.expires, error);
  if (known && party.revoked)
    return refuse_rule(batch, request, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_MEMBER,
                       RULE_not_member, error);
  if (used) return answer_same_cert(batch, request, invitation.cert_seq, error);
  const bool hosted = !id_is_zero(&invitation.host);
  if (no_host)
    return refuse_rule(batch, request, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED, no_host,
                       error);
  if (known && !id_equal(&party.host, hosted ? &invitation.host : &request->run.signer))
    return refuse_rule(batch, request, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED,
                       RULE_join_elsewhere, error);
  if (hosted == (bool)card->has_link_key)
    return refuse_rule(batch, request, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_INVALID,
                       hosted ? RULE_join_hosted_link : RULE_join_link_key, error);
  if (linked && !id_equal(&link.party, &request->run.signer))
    return refuse_rule(batch, request, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED,
                       RULE_join_link_key, error);
  /* Known already, by an earlier invitation: the same first card, whatever cards came after it; or a card of its
   * recovery key, which takes the place of what somebody else made of its keys. */
  uint64_t card_seq = 0;
  struct epoch epoch;
  epoch_from(&epoch, record->body->epoch.data, record->body->epoch.len);
  if (known)
    status =
        author_find(batch->txn, &request->run.signer, &epoch, record->body->seq, &card_seq, error);
  if (status) return status;
  bool recovered = record->body->card->number > 0, same = false;
  if (recovered && card_seq) {
    status = batch_same_record(batch, card_seq, &record->id, &same, error);
    if (status) return status;
    if (!same)
      return refuse_rule(batch, request, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_SEQUENCE_TAKEN,
                         RULE_sequence_taken, error);
  }
  if ((known && !card_seq && !recovered) || (!known && recovered))
    return refuse_rule(batch, request, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED,
                       RULE_join_card, error);
  struct collega_error why;
  status = admission_judge(batch, &request->run.signer, &invitation, &why, error);
  if (status) return status;
  if (why.status)
    return answer_refusal(batch, request->session, &request->which,
                          COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED, &why, error);
  if (recovered && !card_seq) {
    status = card_take(batch, &party, record, true, &why, error);
    if (status) return status;
    if (why.status)
      return answer_refusal(batch, request->session, &request->which,
                            COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED, &why, error);
  }
  return admit(batch, request, &invitation, &party, card_seq != 0, error);
}

/* ---- revocation */

static enum collega_status drop_link(struct batch *batch, const uint8_t key[LINK_KEY_BYTES],
                                     struct collega_error *error) {
  static const uint8_t none[LINK_KEY_BYTES];
  if (!memcmp(key, none, LINK_KEY_BYTES)) return COLLEGA_OK;
  enum collega_status status = link_row_delete(batch->txn, key, error);
  return status ? status : news_link(batch, key, false, error);
}

static enum collega_status revoke_party(struct batch *batch, struct request *request,
                                        const struct id *id, struct party_row *party, uint64_t *seq,
                                        struct collega_error *error) {
  Collega__Revocation revocation = COLLEGA__REVOCATION__INIT;
  revocation.party = field_of(id->byte, ID_BYTES);
  revocation.key_epoch = party->card_number;
  revocation.origin = field_of(batch->state.broker.byte, ID_BYTES);
  struct epoch epoch = batch->state.epoch;
  revocation.epoch = field_of(epoch.byte, EPOCH_BYTES);
  revocation.seq = batch->state.log_seq;
  revocation.time = batch->now;
  if (request->reason[0]) revocation.reason = request->reason;
  Collega__Body body = COLLEGA__BODY__INIT;
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_REVOCATION;
  body.revocation = &revocation;
  struct bytes run;
  struct id record;
  enum collega_status status = batch_own_record(batch, &body, true, &run, &record, seq, error);
  if (!status) status = drop_link(batch, party->link_key, error);
  if (!status) status = drop_link(batch, party->old_link_key, error);
  memset(party->link_key, 0, LINK_KEY_BYTES);
  memset(party->old_link_key, 0, LINK_KEY_BYTES);
  party->revoked = true;
  return status ? status : party_row_write(batch->txn, id, party, error);
}

/* Their keys are where the host's are, and nobody else can bring their mail. */
static enum collega_status revoke_hosted(struct batch *batch, struct request *request,
                                         struct collega_error *error) {
  struct id *hosted;
  size_t count;
  enum collega_status status =
      party_rows_hosted(batch->txn, &request->revoke, &hosted, &count, error);
  for (size_t i = 0; !status && i < count; i++) {
    struct party_row party;
    bool found = false;
    uint64_t seq;
    status = party_row_read(batch->txn, &hosted[i], &party, &found, error);
    if (!status && found && !party.revoked)
      status = revoke_party(batch, request, &hosted[i], &party, &seq, error);
  }
  free(hosted);
  return status;
}

enum collega_status take_revoke(struct batch *batch, struct request *request,
                                struct collega_error *error) {
  struct party_row party;
  bool known = false;
  uint64_t seq;
  enum collega_status status = party_row_read(batch->txn, &request->revoke, &party, &known, error);
  if (status) return status;
  if (!known || party.revoked || party.role == COLLEGA__ROLE__ROLE_BROKER)
    return refuse_rule(batch, request, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_UNKNOWN, RULE_not_member,
                       error);
  status = revoke_hosted(batch, request, error);
  if (!status) status = revoke_party(batch, request, &request->revoke, &party, &seq, error);
  if (status) return status;
  return batch_owe(batch, request->session, (uint32_t)(seq - batch->open_first), NULL, 1, error);
}
