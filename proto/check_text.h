/* Checks that offers and terms share. Each names its field in *error. */
#ifndef COLLEGA_PROTO_CHECK_TEXT_H
#define COLLEGA_PROTO_CHECK_TEXT_H
#include "base/clock.h"
#include "proto/check.h"

/* `until` not before `from`; `field` names the later. */
enum collega_status check_dates(collega_date from, collega_date until, const char *field,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* No slot twice; the forms are checked. `field` names the list. */
enum collega_status check_slots(char *const *slots, size_t count, const char *field,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* No free text (FORM_LINE, FORM_TEXT) anywhere in the message holds a citizen service number. */
enum collega_status check_no_bsn(const ProtobufCMessage *message,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
