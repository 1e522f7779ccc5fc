/* The tables behind lists.h. Only lists.c reads them. */
#ifndef COLLEGA_PROTO_LISTS_TABLES_H
#define COLLEGA_PROTO_LISTS_TABLES_H
#include "proto/lists.h"

#define ISCO_ROWS     619
#define REGION_ROWS   35
#define POSTCODE_ROWS 90
extern const struct isco_row isco_rows[ISCO_ROWS];       /* ascending by code, as strcmp has it */
extern const struct region_row region_rows[REGION_ROWS]; /* ascending by code */
extern const struct postcode_row postcode_rows[POSTCODE_ROWS]; /* 10 .. 99, without a gap */
#endif
