/* Offers on their way out, together: what the command line and the public library share. */
#ifndef COLLEGA_CLIENT_LIBRARY_PUBLICATION_H
#define COLLEGA_CLIENT_LIBRARY_PUBLICATION_H
#include "client/library/offer_input.h"

struct publication {
  struct offer_inputs inputs;
  struct short_id *ids; /* of each, once stored */
  bool *already;        /* `once`: it was published before, ids[i] is that one */
};
/* Signs and stores all of them, or none; opens a transaction of its own. `out` lives in the view's arena and
 * borrows the inputs. `once`: see offer_publish_once. */
enum collega_status publication_store(const struct view *view, const struct offer_inputs *inputs,
                                      bool once, struct publication *out,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
/* How many were there already. */
size_t publication_already(const struct publication *publication);
/* {"offers":[ITEM]}; ITEM: {"id"}, with "already": true and "warnings" where that is so. */
json_t *document_publication(const struct view *view, const struct publication *publication);
/* Puts into an object what an ITEM says of number `i`. */
bool publication_put(const struct view *view, const struct publication *publication, size_t i,
                     json_t *item);
/* Puts "warnings": [{"rule","text"}] into an object, when there is something that an author should know of the offer:
 * it would point at one person. Nobody is stopped. */
bool offer_warnings_put(const struct view *view, const Collega__Offer *offer, json_t *item);
#endif
