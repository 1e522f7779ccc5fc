/* Soft limits by address. A handshake costs the broker a millisecond before anybody knows whose it
 * is, so an address that keeps being refused, or that has many connections on which nobody has
 * spoken yet, is hung up on before its next handshake. Known keys are never counted: an address
 * from which one came in the last hour is never limited for refusals, and for silent connections
 * only far above what many nodes behind one address need. One thread, no clock of its own. */
#ifndef COLLEGA_BROKER_SESSION_ADDRESS_H
#define COLLEGA_BROKER_SESSION_ADDRESS_H
#include "base/clock.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESS_REFUSED_MOST    20              /* refusals that an address may have open ... */
#define ADDRESS_REFUSED_BACK_MS (3 * SECOND_MS) /* ... one of them is forgiven in this time */
#define ADDRESS_TRUSTED_MS      HOUR_MS         /* after a known key came from there */
#define ADDRESS_SILENT_MOST     256   /* connections on which nobody has spoken, at a time ... */
#define ADDRESS_SILENT_TRUSTED  2048  /* ... from where a known key came */
#define ADDRESSES_MOST          65536 /* remembered; the one longest unheard of is dropped */

struct addresses;
struct addresses *addresses_new(void); /* NULL: out of memory */
void addresses_destroy(struct addresses **addresses);
void address_admitted(struct addresses *addresses, const char *address, collega_time now);
void address_refused(struct addresses *addresses, const char *address, collega_time now);
/* A connection from here was opened; somebody has spoken on it, or it has ended. */
void address_opened(struct addresses *addresses, const char *address);
void address_spoke(struct addresses *addresses, const char *address);
/* What is told of an address besides refusals. */
enum address_event {
  ADDRESS_TURNED_AWAY, /* hung up on before its handshake */
  ADDRESS_SILENT       /* hung up on because nobody spoke */
};
void address_note(struct addresses *addresses, const char *address, enum address_event event);
struct address_offender {
  char address[64];
  uint64_t refused, turned_away, silent, total;
};
/* The worst `most` at most, by their total; those without any are left out. Returns how many. */
size_t addresses_worst(const struct addresses *addresses, struct address_offender *out,
                       size_t most);
/* May somebody from here try a handshake? The connection that asks is counted already. */
bool address_may_connect(const struct addresses *addresses, const char *address, collega_time now);
size_t addresses_count(const struct addresses *addresses);
#endif
