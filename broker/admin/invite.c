/* Invitations: a fresh CURVE key of which the broker keeps the public half and the token holds the
 * secret. */
#include "broker/admin/invite.h"
#include "base/words.h"
#include "proto/limits.h"
#include <sodium.h>
#include <string.h>
#include <strings.h>

bool role_read(const char *text, Collega__Role *out) {
  const ProtobufCEnumDescriptor *roles = &collega__role__descriptor;
  for (unsigned i = 0; i < roles->n_values; i++) {
    if (strcasecmp(roles->values[i].name + sizeof "ROLE_" - 1, text) != 0) continue;
    *out = (Collega__Role)roles->values[i].value;
    return true;
  }
  return false;
}

void invite_wish_recover(struct invite_wish *wish, const json_t *member) {
  wish->name = json_string_value(json_object_get(member, "name"));
  wish->kvk = json_string_value(json_object_get(member, "kvk"));
  (void)role_read(json_string_value(json_object_get(member, "role")), &wish->role);
  wish->cards = json_object_get(member, "cards");
}

static size_t split(const char *list, struct arena *arena, char *out[INVITE_ADDRESSES]) {
  size_t count = 0;
  for (const char *at = list; *at != '\0';) {
    size_t length = strcspn(at, ",");
    const char *next = at[length] == ',' ? at + length + 1 : at + length;
    while (length > 0 && *at == ' ')
      at++, length--;
    while (length > 0 && at[length - 1] == ' ')
      length--;
    if (length < sizeof "tcp://h" || strncmp(at, "tcp://", 6) != 0 || count == INVITE_ADDRESSES)
      return 0;
    out[count] = arena_print(arena, "%.*s", (int)length, at);
    if (out[count++] == NULL) return 0;
    at = next;
  }
  return count;
}

/* "Every address of this machine" is where a broker listens, and nowhere that a node elsewhere can connect to: 0 then. */
static size_t reachable(char *const *addresses, size_t count, struct collega_error *error) {
  static const char *const every[] = {"tcp://0.0.0.0:", "tcp://[::]:", "tcp://*:"};
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < sizeof every / sizeof every[0]; j++)
      if (strncmp(addresses[i], every[j], strlen(every[j])) == 0) {
        error_set(error, COLLEGA_REFUSED, RULE_broker_address_every, NULL, addresses[i], NULL);
        return 0;
      }
  return count;
}

size_t invite_addresses(const char *advertise, const char *endpoint, struct arena *arena,
                        char *out[INVITE_ADDRESSES], struct collega_error *error) {
  size_t count;
  if (advertise[0] != '\0') {
    count = split(advertise, arena, out);
    if (count == 0) error_set(error, COLLEGA_INVALID, RULE_broker_advertise, NULL, NULL);
    return reachable(out, count, error);
  }
  size_t length = strlen(endpoint);
  bool any_port =
      length >= 2 && (strcmp(endpoint + length - 2, ":0") == 0 || endpoint[length - 1] == '*');
  count = length == 0 || any_port ? 0 : split(endpoint, arena, out);
  if (count == 0) error_set(error, COLLEGA_REFUSED, RULE_broker_no_address, NULL, NULL);
  return reachable(out, count, error);
}

static void put_cards(Collega__Invitation *invitation, const json_t *cards, struct arena *arena) {
  size_t count = json_array_size(cards);
  invitation->cards = arena_take(arena, (count + 1) * sizeof *invitation->cards);
  for (size_t i = 0; invitation->cards && i < count; i++) {
    const char *digits = json_string_value(json_array_get(cards, i));
    size_t length = strlen(digits) / 2;
    uint8_t *run = arena_take(arena, length + 1);
    if (!run || !hex_read(run, length, digits)) return;
    invitation->cards[invitation->n_cards++] = (ProtobufCBinaryData){length, run};
  }
}

enum collega_status invite_prepare(const struct invite_broker *broker,
                                   const struct invite_wish *wish, collega_time now,
                                   char token[INVITATION_TEXT_BYTES], struct request **out,
                                   struct collega_error *error) {
  *out = NULL;
  struct request *request = request_new(REQUEST_INVITE);
  Collega__Invitation *invitation =
      request == NULL ? NULL : arena_take(request->arena, sizeof *invitation);
  if (invitation == NULL) {
    request_destroy(&request);
    return error_set(error, COLLEGA_SYSTEM, RULE_out_of_memory, NULL, NULL);
  }
  collega__invitation__init(invitation);
  uint8_t secret[crypto_box_SECRETKEYBYTES];
  crypto_box_keypair(request->invitation_public, secret);
  invitation->broker = (ProtobufCBinaryData){
      ID_BYTES, arena_copy(request->arena, identity_party(broker->identity), ID_BYTES)};
  invitation->broker_name = arena_text(request->arena, broker->name);
  invitation->addresses =
      arena_copy(request->arena, broker->addresses, broker->address_count * sizeof(char *));
  invitation->n_addresses = broker->address_count;
  invitation->link_key = (ProtobufCBinaryData){
      32, arena_copy(request->arena, identity_public(broker->identity)->link, 32)};
  invitation->secret = (ProtobufCBinaryData){sizeof secret, secret};
  invitation->expires = now + (wish->days == 0 ? INVITATION_LIFETIME_MS : wish->days * DAY_MS);
  invitation->name = arena_text(request->arena, wish->name);
  invitation->kvk = arena_text(request->arena, wish->kvk);
  invitation->has_host = !id_is_zero(&wish->host);
  invitation->host =
      (ProtobufCBinaryData){ID_BYTES, arena_copy(request->arena, wish->host.byte, ID_BYTES)};
  request->role = wish->role;
  request->host = wish->host;
  put_cards(invitation, wish->cards, request->arena);
  enum collega_status status = arena_exhausted(request->arena)
                                   ? error_set(error, COLLEGA_FULL, RULE_arena_full, NULL, NULL)
                                   : invitation_write(invitation, token, error);
  sodium_memzero(secret, sizeof secret);
  invitation->secret = (ProtobufCBinaryData){0, NULL};
  for (size_t i = 0; status == COLLEGA_OK && i < invitation->n_addresses; i++) {
    invitation->addresses[i] = arena_text(request->arena, invitation->addresses[i]);
    if (invitation->addresses[i] == NULL)
      status = error_set(error, COLLEGA_FULL, RULE_arena_full, NULL, NULL);
  }
  if (status != COLLEGA_OK) {
    request_destroy(&request);
    return status;
  }
  request->invitation = invitation;
  *out = request;
  return COLLEGA_OK;
}

void refusal_error(const Collega__Refusal *refusal, struct collega_error *error) {
  if (refusal == NULL) {
    error_set(error, COLLEGA_SYSTEM, RULE_out_of_memory, NULL, NULL);
    return;
  }
  enum collega_status status =
      refusal->code == COLLEGA__REFUSAL_CODE__REFUSAL_CODE_FULL      ? COLLEGA_FULL
      : refusal->code == COLLEGA__REFUSAL_CODE__REFUSAL_CODE_UNKNOWN ? COLLEGA_NOT_FOUND
      : refusal->code == COLLEGA__REFUSAL_CODE__REFUSAL_CODE_INVALID ? COLLEGA_INVALID
                                                                     : COLLEGA_REFUSED;
  error_set(error, status, rule_from_name(refusal->rule), refusal->field, NULL);
  for (size_t i = 0; i < refusal->n_arguments && i < COLLEGA_ERROR_ARGUMENTS; i++) {
    size_t length = utf8_cut(refusal->arguments[i], sizeof error->argument[i] - 1);
    memcpy(error->argument[i], refusal->arguments[i], length);
    error->argument[i][length] = '\0';
  }
}

struct request *revoke_request(const struct id *party, const char *reason) {
  struct request *request = request_new(REQUEST_REVOKE);
  if (request == NULL) return NULL;
  request->revoke = *party;
  size_t length = utf8_cut(reason, sizeof request->reason - 1);
  memcpy(request->reason, reason, length);
  request->reason[length] = '\0';
  return request;
}
