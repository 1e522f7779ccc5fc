/* Questions and answers on a terminal, or through a pipe: a question goes to standard error, an
 * answer is one line of standard input. Standard output stays free for what a script reads. */
#ifndef COLLEGA_CLI_ASK_H
#define COLLEGA_CLI_ASK_H
#include "client/cli/common.h"

#define ANSWER_BYTES 8192u /* one line; a description has at most 4,000 */

/* Asks and reads one line, without blanks around it, into the desk's arena; "" when only Enter was
 * pressed. `fallback` (may be NULL) is shown as what Enter means. `field` is what the question is
 * about. The input has ended: COLLEGA_INVALID, rule answers_ended. Lines that are too long or not
 * UTF-8 are said to be so, and asked again. */
enum collega_status ask(struct desk *desk, enum rule question, const char *field,
                        const char *fallback, const char **answer,
                        struct collega_error *error) COLLEGA_MUST_CHECK;
/* Says what is wrong with the last answer. */
void ask_object(struct desk *desk, const struct collega_error *wrong);
/* The sentence of a rule without arguments, in the desk's language, in the arena. */
const char *ask_words(struct desk *desk, enum rule rule);
#endif
