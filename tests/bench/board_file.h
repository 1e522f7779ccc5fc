/* A board, what is asked of it and what the engine answered, as files that another program can read: CSV without a line
 * of names. tests/bench/postgres.sql says what their columns mean. */
#ifndef COLLEGA_BENCH_BOARD_FILE_H
#define COLLEGA_BENCH_BOARD_FILE_H
#include "client/match/engine.h"

struct board_file;
/* Begins DIRECTORY/offers.csv, asked.csv and answers.csv. */
struct board_file *board_file_new(const char *directory, const struct match_rules *rules);
/* A row of offers.csv. Gives up where the offer says what has no column there: then the answers would differ. */
void board_file_offer(struct board_file *file, const struct match_offer *offer);
/* A row of asked.csv, and one of answers.csv for each found. */
void board_file_asked(struct board_file *file, const struct short_id *id,
                      const struct match_found *found, size_t count);
/* Writes closeness.csv, of all pairs of occupations on the board that have any, and weights.csv; and ends. NULL:
 * nothing. */
void board_file_finish(struct board_file **file);
#endif
