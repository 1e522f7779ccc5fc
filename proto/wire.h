/* The fields of a packed message, one after the other, without unpacking it: for who wants one of them out of many
 * bytes that were judged before (proto/guard.h judges). Nothing is read beyond the bytes, whatever they say. */
#ifndef COLLEGA_PROTO_WIRE_H
#define COLLEGA_PROTO_WIRE_H
#include "base/bytes.h"

/* The next field that has a length (bytes, a text, a message) of what is left in `rest`, which moves on behind it;
 * numbers are passed over. False: there is no more that can be read. `content` lies in `rest`. */
bool wire_next(struct bytes *rest, uint32_t *number, struct bytes *content);
#endif
