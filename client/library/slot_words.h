/* Parts of the week in words: "maandag tot en met woensdag", "Thursday and Friday in the morning". */
#ifndef COLLEGA_CLIENT_LIBRARY_SLOT_WORDS_H
#define COLLEGA_CLIENT_LIBRARY_SLOT_WORDS_H
#include <jansson.h>
#include <stdint.h>
#include "base/bytes.h"
#include "base/words.h"

/* `slots`: bit slot_index. A day by day (morning and afternoon) is named alone. In the arena; "" for none. */
const char *slot_words(struct arena *arena, enum language language, uint32_t slots);
/* For sorting: the earliest in the week first, none last. */
int slots_compare(uint32_t one, uint32_t other);
/* A list of ["mon-am", ...] as bits; what is none is passed over. */
uint32_t slots_of_json(const json_t *list);
#endif
