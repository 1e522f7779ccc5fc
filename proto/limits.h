/* Every limit of the protocol, once, with its reason. Those that may differ between brokers are told
 * at Welcome (message Limits). */
#ifndef COLLEGA_PROTO_LIMITS_H
#define COLLEGA_PROTO_LIMITS_H
#include "base/clock.h"

#define PROTOCOL_VERSION 1

#define LIMIT_FRAME_BYTES      (1024u * 1024u) /* one ZeroMQ message: bounds what a peer makes us hold */
#define LIMIT_BODY_BYTES       (32u * 1024u) /* one record */
#define LIMIT_RUN_RECORDS      4096u /* leaves of one tree; a receipt tree spans one commit */
#define LIMIT_MAIL_LEAST_BYTES 1024u /* sealed mail is padded to powers of two from here */
#define LIMIT_MAIL_BYTES       (256u * 1024u) /* to here */
#define LIMIT_FILTERS          64u            /* follows a session */
#define LIMIT_DEPTH            8u             /* nesting of messages; the schema itself needs 7 */
#define LIMIT_ARENA_BYTES      (16u * 1024u * 1024u) /* what unpacking one frame may take */
#define LIMIT_BOARD_BYTES      (512u * 1024u)        /* target size of one Board frame */

#define MAIL_LIFETIME_MS     (100 * DAY_MS) /* mail, its copies, and the unsealing keys that open it */
#define MAILBOX_BYTES        (256u * 1024u * 1024u) /* one mailbox */
#define MAILBOX_SENDER_BYTES (32u * 1024u * 1024u)  /* one sender's share of it */
#define TOMBSTONE_KEEP_MS    (30 * DAY_MS)          /* after the offer's expiry */

#define ACCEPT_BY_WORKING_DAYS 3 /* default */
#define ACCEPT_BY_MOST_MS      (90 * DAY_MS)
#define OFFER_LIFETIME_MS      (180 * DAY_MS) /* longest time to `expires` */
#define INTEREST_LIFETIME_MS   (14 * DAY_MS)  /* then an interest without an answer lapses */
#define INVITATION_LIFETIME_MS (14 * DAY_MS)  /* default */
#define CLOCKS_APART_MS        DAY_MS /* a clock may be off by hours: what it says is believed so far */
#define CERT_LIFETIME_MS       (730 * DAY_MS)
#define CERT_NOTICE_MS         (60 * DAY_MS) /* before its end: time to ask for an invitation */

#define CREDIT_RECORDS      16384u /* what either side may have under way */
#define CREDIT_BYTES        (16u * 1024u * 1024u)
#define SESSION_STALE_MS    (60 * SECOND_MS) /* nothing heard, Ping unanswered: cut */
#define PING_EVERY_MS       (20 * SECOND_MS)
#define RECONNECT_SPREAD_MS (15 * SECOND_MS) /* uniform over 0 .. this */
#define HANDSHAKE_MS        (3 * SECOND_MS)
#endif
