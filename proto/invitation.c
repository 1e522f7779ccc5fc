/* Invitation tokens: "collega1." and base64url of the packed invitation and four bytes of its hash.
 *
 * They travel by mail and chat, so blanks and line ends that crept in are ignored, and four bytes
 * of hash tell a token that lost a character from one that never was an invitation. */
#include "proto/invitation.h"

#include <stdio.h>
#include <string.h>

#include "proto/check.h"
#include "proto/guard.h"

#define PREFIX      "collega1."
#define CHECK_BYTES 4

static void checksum(uint8_t out[CHECK_BYTES], const uint8_t *data, size_t length) {
  struct id hash;
  hash_one(&hash, "", data, length);
  memcpy(out, hash.byte, CHECK_BYTES);
}

enum collega_status invitation_write(const Collega__Invitation *invitation,
                                     char out[INVITATION_TEXT_BYTES], struct collega_error *error) {
  uint8_t data[INVITATION_TEXT_BYTES];
  out[0] = 0;
  enum collega_status status = check_fields(&invitation->base, error);
  if (status) return status;
  size_t length = collega__invitation__get_packed_size(invitation);
  size_t start = strlen(PREFIX), written = 0;
  if (length + CHECK_BYTES <= sizeof data) {
    collega__invitation__pack(invitation, data);
    checksum(data + length, data, length);
    memcpy(out, PREFIX, start);
    written = base64_write(out + start, INVITATION_TEXT_BYTES - start, data, length + CHECK_BYTES);
  }
  if (written) return COLLEGA_OK;
  out[0] = 0;
  char most[16];
  snprintf(most, sizeof most, "%d", INVITATION_TEXT_BYTES - 1);
  return error_set(error, COLLEGA_INVALID, RULE_invitation_long, NULL, most, NULL);
}

/* The token without the blanks that pasting brings. False: longer than any token. */
static bool without_blanks(const char *text, char out[INVITATION_TEXT_BYTES]) {
  size_t length = 0;
  for (; *text; text++) {
    if (strchr(" \t\r\n", *text)) continue;
    if (length == INVITATION_TEXT_BYTES - 1) return false;
    out[length++] = *text;
  }
  out[length] = 0;
  return true;
}

enum collega_status invitation_read(const char *text, struct arena *arena,
                                    Collega__Invitation **out, struct collega_error *error) {
  char token[INVITATION_TEXT_BYTES], again[INVITATION_TEXT_BYTES];
  uint8_t data[INVITATION_TEXT_BYTES], expected[CHECK_BYTES];
  size_t start = strlen(PREFIX);
  *out = NULL;
  if (!without_blanks(text, token) || strncmp(token, PREFIX, start))
    return error_set(error, COLLEGA_INVALID, RULE_invitation_none, NULL, NULL);
  size_t length = base64_read(data, sizeof data, token + start, strlen(token + start));
  /* Written again it must be the same: two texts never mean one invitation. */
  bool whole = length > CHECK_BYTES && base64_write(again, sizeof again, data, length) &&
               !strcmp(again, token + start);
  if (whole) {
    checksum(expected, data, length - CHECK_BYTES);
    whole = !memcmp(expected, data + length - CHECK_BYTES, CHECK_BYTES);
  }
  if (!whole) return error_set(error, COLLEGA_INVALID, RULE_invitation_damaged, NULL, NULL);
  ProtobufCMessage *message;
  enum collega_status status =
      guard_unpack(&collega__invitation__descriptor, bytes_of(data, length - CHECK_BYTES), arena,
                   &message, error);
  if (!status) *out = (Collega__Invitation *)message;
  return status;
}
