/* What an administrator asks to see, read from the store: members, status. The same code answers a
 * running broker's control socket and a command that found the broker down. */
#ifndef COLLEGA_BROKER_ADMIN_REPORT_H
#define COLLEGA_BROKER_ADMIN_REPORT_H
#include <jansson.h>
#include "base/clock.h"
#include "broker/store/store.h"

/* {"members":[{"id","name","kvk","role","fingerprint","revoked","in_force","certified_until"}]}, with
 * "host" where another party hosts it. */
enum collega_status report_members(struct store_txn *txn, collega_time now, json_t **out,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* {"broker":{"id","name","fingerprint","epoch","epoch_number"},"log":{"seq"},"store":{"used","map",
 * "free"},"members":N,"mailboxes":{"waiting_bytes"}}; sizes in bytes. */
enum collega_status report_status(struct store *store, struct store_txn *txn, collega_time now,
                                  json_t **out, struct collega_error *error) COLLEGA_MUST_CHECK;
/* The member whose id begins with the prefix, or whose name or KvK number is `text`, whole, and who is not revoked.
 * COLLEGA_NOT_FOUND, or COLLEGA_INVALID when several fit. */
enum collega_status report_find_member(struct store_txn *txn, const char *text, struct id *out,
                                       struct collega_error *error) COLLEGA_MUST_CHECK;
/* Envelopes that wait for their recipients, in all mailboxes. */
enum collega_status report_mailbox_bytes(struct store_txn *txn, uint64_t *out,
                                         struct collega_error *error) COLLEGA_MUST_CHECK;
/* What an invitation needs that brings a member back whose home is lost: {"name","kvk","role","cards"}.
 * COLLEGA_NOT_FOUND member_unknown; COLLEGA_REFUSED not_member (it was revoked), recover_at_host. */
enum collega_status report_recovery(struct store_txn *txn, const char *member, json_t **out,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
