/* offer new: an offer from answers to questions.
 *
 * The questions are a table, in the order in which a person thinks of them, with what stays private
 * last. An answer goes through the same door as a cell of a CSV file. It is judged at once: the
 * offer so far is completed with values that break no rule, so that whatever is found to be wrong is
 * wrong because of an answer, and the rules between fields are heard as soon as both are known. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "client/cli/ask.h"
#include "client/cli/offer_questions.h"
#include "client/library/occupation_words.h"
#include "client/library/offer_csv.h"
#include "client/cli/publishing.h"
#include "proto/field.h"
#include "proto/lists.h"

#define FIRST_PRIVATE     "private.reference"
#define OCCUPATIONS_SHOWN 12

struct interview {
  struct desk *desk;
  struct offer_judge judge;
  struct view view;               /* the judge's; renewed with the transaction */
  json_t *offer;                  /* what has been answered */
  struct occupation_guide *guide; /* opened when it is first asked */
  struct occupation_proposal shown[OCCUPATIONS_SHOWN];
  size_t shown_count;
  const struct occupation_proposal *chosen; /* among `shown`; NULL: a code was typed */
};

static enum collega_status no_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

static const char *text_at(const json_t *offer, const char *object, const char *name) {
  return json_string_value(json_object_get(json_object_get(offer, object), name));
}

/* ---- judging */

static enum collega_status judge(struct interview *interview, const json_t *offer,
                                 struct collega_error *error) {
  struct desk *desk = interview->desk;
  struct offer_input input = {0};
  enum collega_status status = offer_input_read(offer, desk->arena, &input, error);
  if (status == COLLEGA_OK) status = desk_read(desk, error);
  interview->view = desk_view(desk);
  if (status == COLLEGA_OK) status = offer_input_judge(&interview->judge, &input, error);
  desk_release(desk); /* a person takes the time that it takes */
  return status;
}

/* The offer so far, completed with what breaks no rule. */
static json_t *completed(const struct interview *interview, const json_t *offer) {
  char today[32];
  date_write(today, sizeof today, date_of_time(interview->desk->now));
  json_t *whole = json_pack("{s:s, s:s, s:{s:s}, s:i, s:{s:s, s:s}, s:{s:i, s:i}, s:{s:s}}", "kind",
                            "loan_out", "title", "-", "occupation", "isco", "4321", "headcount",
                            10000, "period", "from", today, "until", "2169-12-31", "hours",
                            "per_week_min", 1, "per_week_max", 60, "place", "region", "AM25");
  if (whole && json_object_update_recursive(whole, (json_t *)(uintptr_t)offer) == 0) return whole;
  json_decref(whole);
  return NULL;
}

/* Takes the answer into the offer when no rule is broken. */
static enum collega_status take(struct interview *interview, const char *name, const char *answer,
                                struct collega_error *error) {
  struct offer_column column;
  json_t *offer = json_deep_copy(interview->offer), *whole = NULL;
  if (!offer || !offer_column_find(name, &column)) {
    json_decref(offer);
    return no_memory(error);
  }
  enum collega_status status = offer_put(offer, &column, bytes_of(answer, strlen(answer)), error);
  if (status == COLLEGA_OK) {
    whole = completed(interview, offer);
    status = whole ? judge(interview, whole, error) : no_memory(error);
  }
  json_decref(whole);
  if (status != COLLEGA_OK) {
    json_decref(offer);
    return status;
  }
  json_decref(interview->offer);
  interview->offer = offer;
  return COLLEGA_OK;
}

/* ---- kinds of answers; each turns what was typed into what a cell would say, NULL: ask again */

/* "choice_loan_out" and the like: what a value of an enum is called. */
static const char *choice_label(struct desk *desk, const char *value) {
  char name[64];
  snprintf(name, sizeof name, "choice_%s", value);
  enum rule rule = rule_from_name(name);
  return rule ? ask_words(desk, rule) : value;
}

static void show_choices(struct desk *desk, const ProtobufCEnumDescriptor *values) {
  for (unsigned i = 0; i < values->n_values; i++) {
    char value[ENUM_TEXT_BYTES];
    if (enum_text(values, values->values[i].value, value))
      fprintf(stderr, "  %2u  %s\n", i + 1, choice_label(desk, value));
  }
}

static const char *read_choice(struct desk *desk, const ProtobufCEnumDescriptor *values,
                               const char *answer) {
  char *end;
  unsigned long number = strtoul(answer, &end, 10);
  for (unsigned i = 0; i < values->n_values; i++) {
    char value[ENUM_TEXT_BYTES];
    if (!enum_text(values, values->values[i].value, value)) continue;
    if ((*end == '\0' && end != answer && number == i + 1) ||
        strcasecmp(answer, choice_label(desk, value)) == 0)
      return arena_text(desk->arena, value);
  }
  return answer; /* the schema's own word, or the rule says which there are */
}

/* ---- occupations: a number chooses among those that were shown last, other words are searched for */

/* What is proposed unasked is short; who searches looks further. */
static enum collega_status show_occupations(struct interview *interview, const char *text,
                                            size_t most, struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  if (!interview->guide) {
    struct view view = desk_view(interview->desk);
    status = view_occupations(&view, &interview->guide, error);
  }
  if (status != COLLEGA_OK) return status;
  interview->shown_count = occupation_propose(interview->guide, text, most, interview->shown);
  for (size_t i = 0; i < interview->shown_count; i++)
    fprintf(stderr, "  %2zu  %s  %s\n", i + 1, interview->shown[i].isco,
            safe(interview->desk, interview->shown[i].label));
  return COLLEGA_OK;
}

static enum rule occupation_words(const struct interview *interview) {
  return interview->shown_count ? RULE_ask_isco_which : RULE_ask_isco;
}

static enum collega_status read_occupation(struct interview *interview, const char *answer,
                                           const char **code, struct collega_error *error) {
  struct desk *desk = interview->desk;
  for (;;) {
    char *end;
    unsigned long number = strtoul(answer, &end, 10);
    bool digits = end != answer && *end == '\0';
    interview->chosen = NULL;
    *code = digits ? answer : NULL;
    if (digits && strlen(answer) <= 2 && number >= 1 && number <= interview->shown_count) {
      interview->chosen = &interview->shown[number - 1];
      *code = interview->chosen->isco;
    }
    if (*code || !*answer) return COLLEGA_OK;
    enum collega_status status = show_occupations(interview, answer, OCCUPATIONS_SHOWN, error);
    if (status == COLLEGA_OK && !interview->shown_count)
      tell(desk, stderr, RULE_said_no_occupation, answer, NULL);
    if (status == COLLEGA_OK)
      status = ask(desk, occupation_words(interview), "occupation.isco", NULL, &answer, error);
    if (status != COLLEGA_OK) return status;
  }
}

/* A region by its code, its name, or a part of its name that only one has. */
static const char *read_region(const char *answer) {
  const struct region_row *found = NULL;
  for (size_t i = 0; i < region_count(); i++) {
    const struct region_row *row = region_at(i);
    if (strcasecmp(row->code, answer) == 0 || strcasecmp(row->name, answer) == 0) return row->code;
    if (!strcasestr(row->name, answer)) continue;
    if (found) return answer;
    found = row;
  }
  return found ? found->code : answer;
}

/* What Enter means for the region: where most of the postcode's area lies. NULL: nothing is known. */
static const struct postcode_row *area_of(const struct interview *interview) {
  const char *postcode = text_at(interview->offer, "place", "postcode");
  return postcode ? postcode_area_find(postcode) : NULL;
}

static bool is_transfer(const struct interview *interview) {
  const char *kind = json_string_value(json_object_get(interview->offer, "kind"));
  return kind && strncmp(kind, "transfer_", 9) == 0;
}

static bool asked(const struct interview *interview, const struct question *question) {
  const struct postcode_row *area = area_of(interview);
  if (question->kind == ANSWER_REGION) return !area || !postcode_area_certain(area);
  if (question->kind == ANSWER_CURRENCY)
    return json_object_get(json_object_get(interview->offer, "private"), "hourly_cost_cents") !=
           NULL;
  return true;
}

static const char *fallback_of(const struct interview *interview, const struct question *question) {
  const struct postcode_row *area = area_of(interview);
  if (question->kind == ANSWER_REGION && area) return area->region;
  return question->kind == ANSWER_CURRENCY ? "EUR" : NULL;
}

static enum collega_status read_answer(struct interview *interview, const struct question *question,
                                       const char **answer, struct collega_error *error) {
  struct offer_column column;
  int64_t cents = 0;
  switch (question->kind) {
  case ANSWER_CHOICE:
    if (offer_column_find(question->column, &column))
      *answer = read_choice(interview->desk, column.rule->values, *answer);
    break;
  case ANSWER_OCCUPATION:
    return read_occupation(interview, *answer, answer, error);
  case ANSWER_REGION:
    *answer = read_region(*answer);
    break;
  case ANSWER_MONEY:
    if (!money_read(*answer, &cents))
      return error_set(error, COLLEGA_INVALID, RULE_option_money, question->column, *answer, NULL);
    *answer = arena_print(interview->desk->arena, "%lld", (long long)cents);
    break;
  case ANSWER_VALUE:
  case ANSWER_UNTIL:
  case ANSWER_CURRENCY:
    break;
  }
  return *answer ? COLLEGA_OK : no_memory(error);
}

/* ---- the conversation */

/* An error that another answer can mend. */
static bool mendable(const struct collega_error *error) {
  return (error->status == COLLEGA_INVALID || error->status == COLLEGA_NOT_FOUND) &&
         error->rule != RULE_answers_ended;
}

static enum collega_status put_question(struct interview *interview,
                                        const struct question *question,
                                        struct collega_error *error) {
  struct desk *desk = interview->desk;
  struct offer_column column;
  enum rule words = question->words;
  bool required = question->required || (question->kind == ANSWER_UNTIL && !is_transfer(interview));
  if (question->kind == ANSWER_CHOICE && offer_column_find(question->column, &column))
    show_choices(desk, column.rule->values);
  if (question->kind == ANSWER_OCCUPATION) {
    const char *title = json_string_value(json_object_get(interview->offer, "title"));
    enum collega_status status =
        show_occupations(interview, title ? title : "", OCCUPATION_PROPOSALS, error);
    if (status != COLLEGA_OK) return status;
    if (interview->shown_count) words = RULE_ask_isco_which;
  }
  for (;;) {
    const char *answer = NULL;
    struct collega_error wrong = {.status = COLLEGA_OK};
    enum collega_status status =
        ask(desk, words, question->column, fallback_of(interview, question), &answer, error);
    if (status != COLLEGA_OK) return status;
    if (*answer) status = read_answer(interview, question, &answer, &wrong);
    if (status == COLLEGA_OK && !*answer && !required) return COLLEGA_OK;
    if (status == COLLEGA_OK && !*answer)
      status = error_set(&wrong, COLLEGA_INVALID, RULE_required, question->column, NULL);
    if (status == COLLEGA_OK) status = take(interview, question->column, answer, &wrong);
    if (status == COLLEGA_OK && question->kind == ANSWER_OCCUPATION && interview->chosen &&
        interview->chosen->esco)
      status = take(interview, "occupation.esco", interview->chosen->esco, &wrong);
    if (status == COLLEGA_OK) return COLLEGA_OK;
    if (!mendable(&wrong)) {
      *error = wrong;
      return status;
    }
    ask_object(desk, &wrong);
  }
}

static enum collega_status confirm(struct desk *desk, bool *yes, struct collega_error *error) {
  for (;;) {
    const char *answer = NULL;
    enum collega_status status = ask(desk, RULE_ask_publish, NULL, NULL, &answer, error);
    if (status != COLLEGA_OK) return status;
    *yes = strchr("jJyY", answer[0]) != NULL && answer[0];
    if (*yes || (answer[0] && strchr("nN", answer[0]))) return COLLEGA_OK;
  }
}

static enum collega_status show(const json_t *offer, FILE *out, struct collega_error *error) {
  if (json_dumpf(offer, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER) != 0 || fputc('\n', out) == EOF)
    return error_output(error, errno);
  return COLLEGA_OK;
}

static enum collega_status publish(struct interview *interview, struct collega_error *error) {
  struct desk *desk = interview->desk;
  struct publication published;
  bool yes = false;
  enum collega_status status = confirm(desk, &yes, error);
  if (status == COLLEGA_OK && !yes) {
    tell(desk, stderr, RULE_said_not_published, NULL);
    return COLLEGA_OK;
  }
  struct offer_input input;
  struct offer_inputs one = {&input, 1};
  if (status == COLLEGA_OK) status = offer_input_read(interview->offer, desk->arena, &input, error);
  struct view view = desk_view(desk);
  if (status == COLLEGA_OK) status = offer_input_place(&view, &input, error);
  if (status == COLLEGA_OK) status = publishing_store(desk, &one, &published, error);
  if (status == COLLEGA_OK) status = publishing_print(desk, &published, error);
  return status == COLLEGA_OK ? publishing_wait(desk, &published, error) : status;
}

static enum collega_status converse(struct interview *interview, struct collega_error *error) {
  struct desk *desk = interview->desk;
  bool dry = argument_value(desk->arguments, "dry-run") != NULL;
  enum collega_status status = COLLEGA_OK;
  tell(desk, stderr, RULE_said_new, NULL);
  for (size_t i = 0; status == COLLEGA_OK && i < OFFER_QUESTIONS; i++) {
    if (strcmp(offer_questions[i].column, FIRST_PRIVATE) == 0)
      tell(desk, stderr, RULE_said_private, NULL);
    if (asked(interview, &offer_questions[i]))
      status = put_question(interview, &offer_questions[i], error);
  }
  if (status == COLLEGA_OK) status = judge(interview, interview->offer, error);
  if (status == COLLEGA_OK) status = show(interview->offer, dry ? stdout : stderr, error);
  return status == COLLEGA_OK && !dry ? publish(interview, error) : status;
}

enum collega_status command_offer_new(const struct arguments *arguments,
                                      struct collega_error *error) {
  struct desk desk;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  desk_release(&desk);
  struct interview interview = {.desk = &desk, .offer = json_object()};
  interview.judge.view = &interview.view;
  status = interview.offer ? converse(&interview, error) : no_memory(error);
  json_decref(interview.offer);
  occupation_guide_close(&interview.guide);
  desk_close(&desk);
  return status;
}
