/* The fields of an offer that a person is asked for, and is shown: one table for `offer new` and `offer show`. */
#ifndef COLLEGA_CLI_OFFER_QUESTIONS_H
#define COLLEGA_CLI_OFFER_QUESTIONS_H
#include "client/cli/common.h"

enum answer_kind {
  ANSWER_VALUE, /* as a cell of a table has it */
  ANSWER_CHOICE,
  ANSWER_OCCUPATION,
  ANSWER_REGION,
  ANSWER_UNTIL,
  ANSWER_MONEY,
  ANSWER_CURRENCY
};
struct question {
  const char *column; /* as in a CSV file */
  enum rule words;    /* "Title", "First day (YYYY-MM-DD)": a hint stands in brackets */
  enum answer_kind kind;
  bool required;
};
#define OFFER_QUESTIONS 44
/* In the order in which a person thinks of them, with what stays private last. */
extern const struct question offer_questions[OFFER_QUESTIONS];

/* "low_season" as "low season": a value of a list as a person reads it; any other text as it is. In the arena. */
const char *choice_text(const struct desk *desk, const char *value);
/* What the question is about, without its hint; in the arena. */
const char *question_label(struct desk *desk, const struct question *question);
/* What an offer (a document's "offer") answers to it, as a person reads it; "": nothing. In the arena. */
const char *question_answer(struct desk *desk, const struct question *question,
                            const json_t *offer);
#endif
