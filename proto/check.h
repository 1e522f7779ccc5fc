/* Meaning: what the table of rules cannot say. All functions name field and rule in *error. */
#ifndef COLLEGA_PROTO_CHECK_H
#define COLLEGA_PROTO_CHECK_H
#include "base/bytes.h"
#include "base/clock.h"
#include "proto/record.pb-c.h"
#include "proto/link.pb-c.h"

/* Every field's form and range, recursively (UTF-8, embedded NUL, enum values, dates that exist ...). */
enum collega_status check_fields(const ProtobufCMessage *message,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* A body of `length` packed bytes: exactly one content, the one its type numbers; not longer than
 * LIMIT_BODY_BYTES; then the content's own rules, all of them free of clock and of other records. */
enum collega_status check_body(const Collega__Body *body, size_t length,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* An offer by itself: known ISCO unit group (436 of ISCO-08, table built in), min_headcount <= headcount,
 * from <= until, until present unless a transfer, per_week_min <= per_week_max, no slot or language or
 * credential twice, two-digit postcodes exist, region exists (35 codes), named audience: 1 to 32 KvK. */
enum collega_status check_offer(const Collega__Offer *offer,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* An offer to be published now: period not over, `expires` after now, at most 180 days ahead. */
enum collega_status check_offer_now(const Collega__Offer *offer, collega_time now,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status check_terms(const Collega__Terms *terms,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status check_header(const Collega__DealHeader *header,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* Mail of a broker: every item is an envelope or a decision, and the numbers ascend, from after `after` where that is
 * given. What it is taken for, and acknowledged up to, leans on both. */
enum collega_status check_mail(const Collega__Mail *mail,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* Exactly one field of the frame is set; which one is returned (its field number, 0: none or several). */
uint32_t frame_to_broker(const Collega__ToBroker *frame);
uint32_t frame_from_broker(const Collega__FromBroker *frame);
/* Personal data that must never enter: looks for a citizen service number (eleven-test over nine digits
 * standing alone) in a text. */
bool text_holds_bsn(const char *text);
#endif
