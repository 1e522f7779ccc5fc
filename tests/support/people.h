/* Parties for tests: identities from fixed seeds, records and receipts signed by them. */
#ifndef COLLEGA_TESTS_SUPPORT_PEOPLE_H
#define COLLEGA_TESTS_SUPPORT_PEOPLE_H
#include "proto/keys.h"
#include "proto/members.h"
#include "proto/record.h"

/* An identity whose randomness is `number` over and over, its author epoch, and its next position. */
struct person {
  struct identity *identity;
  struct epoch epoch;
  uint64_t seq;
};
/* Its recovery secret is `number` + 128 over and over. */
void person_make(struct person *person, uint8_t number, collega_time now);
void person_clear(struct person *person);
/* The recovery text of a person made with `number`. */
const char *person_recovery_text(uint8_t number, char out[RECOVERY_TEXT_BYTES]);

/* Sets author, epoch and the next sequence number; content and type are the caller's. */
void person_body(struct person *person, Collega__Body *body);
/* The body as a signed run of one, in the arena. */
Collega__Run *person_sign(const struct person *person, const Collega__Body *body,
                          struct arena *arena);
/* An identity's card `number`, unpacked. */
Collega__Run *person_card(const struct person *person, uint32_t number, struct arena *arena);
/* Reads a run that must be readable. */
struct run_view view_of(const Collega__Run *run, struct arena *arena);
struct id first_id(const Collega__Run *run, struct arena *arena);
void set_field(ProtobufCBinaryData *field, const void *data, size_t length);
/* Takes the one record of the run; the status, and the rule in *rule when not NULL. */
enum collega_status take_run(struct members *members, const Collega__Run *run,
                             const struct receipt_position *anchor, enum rule *rule,
                             struct arena *arena);

/* Bodies by their authors, signed. */
Collega__Run *make_cert(struct person *broker, const struct id *party, const char *name,
                        const char *kvk, collega_time from, collega_time until,
                        struct arena *arena);
Collega__Run *make_mandate(struct person *employer, const char *name, const char *function,
                           uint32_t limit, collega_time from, collega_time until,
                           struct arena *arena);
Collega__Run *make_mandate_end(struct person *employer, const struct id *mandate, collega_time time,
                               struct arena *arena);
Collega__Run *make_revocation(struct person *broker, const struct id *party, uint64_t seq,
                              collega_time time, struct arena *arena);
/* A status record: small, valid, of no class in particular. */
Collega__Run *make_statuses(struct person *author, size_t count, struct arena *arena);
#endif
