/* Soft limits by address. A handshake costs the broker a millisecond before anybody knows whose it
 * is, so an address that keeps being refused is hung up on before its next handshake. An address
 * from which a known key came in the last hour is never limited: many nodes may sit behind one. One
 * thread, no clock of its own. */
#ifndef COLLEGA_BROKER_SESSION_ADDRESS_H
#define COLLEGA_BROKER_SESSION_ADDRESS_H
#include "base/clock.h"
#include <stdbool.h>
#include <stddef.h>

#define ADDRESS_REFUSED_MOST    20              /* refusals that an address may have open ... */
#define ADDRESS_REFUSED_BACK_MS (3 * SECOND_MS) /* ... one of them is forgiven in this time */
#define ADDRESS_TRUSTED_MS      HOUR_MS         /* after a known key came from there */
#define ADDRESSES_MOST          65536 /* remembered; the one longest unheard of is dropped */

struct addresses;
struct addresses *addresses_new(void); /* NULL: out of memory */
void addresses_destroy(struct addresses **addresses);
void address_admitted(struct addresses *addresses, const char *address, collega_time now);
void address_refused(struct addresses *addresses, const char *address, collega_time now);
/* May somebody from here try a handshake? */
bool address_may_connect(const struct addresses *addresses, const char *address, collega_time now);
size_t addresses_count(const struct addresses *addresses);
#endif
