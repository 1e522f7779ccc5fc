/* The occupations of ISCO-08; the rows, with their source, are in lists_isco.def. */
#include "proto/lists_tables.h"

const struct isco_row isco_rows[ISCO_ROWS] = {
#define ISCO(code, en, nl) {code, en, nl},
#include "proto/lists_isco.def"
#undef ISCO
};
