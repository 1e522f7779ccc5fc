/* The commands' common ground. */
#include "client/cli/common.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/process/process.h"
#include "client/exchange/node_clock.h"

#define DESK_ARENA_BYTES  (512u * 1024u * 1024u) /* a list of a whole board */
#define WAIT_MOST_SECONDS 86400
#define LOOK_AGAIN_MS     5000 /* the bell is a hint */

static enum collega_status act_as(struct desk *desk, struct collega_error *error) {
  const char *typed = argument_value(desk->arguments, "as");
  struct view view = desk_view(desk);
  enum collega_status status = typed ? view_party(&view, typed, &desk->party, error) : COLLEGA_OK;
  if (status != COLLEGA_OK) error_prefix(error, "--as");
  return status;
}

enum collega_status desk_open(const struct arguments *arguments, struct desk *desk,
                              struct collega_error *error) {
  memset(desk, 0, sizeof *desk);
  desk->arguments = arguments;
  desk->language = argument_language(arguments);
  bool given = false;
  int64_t seconds = 0; /* what is typed wrongly is found before anything is done */
  enum collega_status status =
      option_number(arguments, "wait", 0, WAIT_MOST_SECONDS, &given, &seconds, error);
  if (status == COLLEGA_OK) status = argument_home(arguments, &desk->home, error);
  if (status == COLLEGA_OK) status = home_check(desk->home, "node", error);
  if (status == COLLEGA_OK) desk->now = node_clock_now(desk->home);
  if (status != COLLEGA_OK) return status;
  desk->arena = arena_new(65536, DESK_ARENA_BYTES);
  if (!desk->arena) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  status = exchange_open(desk->home, &desk->exchange, error);
  if (status == COLLEGA_OK) {
    desk->party = *exchange_host(desk->exchange);
    status = desk_read(desk, error);
  }
  if (status == COLLEGA_OK) status = act_as(desk, error);
  if (status != COLLEGA_OK) desk_close(desk);
  return status;
}

enum collega_status desk_open_bare(const struct arguments *arguments, struct desk *desk,
                                   struct collega_error *error) {
  memset(desk, 0, sizeof *desk);
  desk->arguments = arguments;
  desk->language = argument_language(arguments);
  enum collega_status status = argument_home(arguments, &desk->home, error);
  if (status == COLLEGA_OK) status = home_check(desk->home, "node", error);
  if (status != COLLEGA_OK) return status;
  desk->arena = arena_new(65536, DESK_ARENA_BYTES);
  return desk->arena ? COLLEGA_OK : error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

void desk_release(struct desk *desk) {
  if (desk->txn) ledger_abort(&desk->txn);
}

enum collega_status desk_read(struct desk *desk, struct collega_error *error) {
  desk_release(desk);
  return ledger_read(exchange_ledger(desk->exchange), &desk->txn, error);
}

void desk_close(struct desk *desk) {
  desk_release(desk);
  exchange_close(&desk->exchange);
  arena_destroy(&desk->arena);
}

/* ---- ids and rows */

struct view desk_view(const struct desk *desk) {
  return (struct view){.exchange = desk->exchange,
                       .txn = desk->txn,
                       .arena = desk->arena,
                       .language = desk->language,
                       .party = desk->party,
                       .now = desk->now};
}

enum collega_status desk_offer_id(struct desk *desk, const char *typed, struct short_id *out,
                                  struct collega_error *error) {
  struct view view = desk_view(desk);
  return view_offer_id(&view, typed, out, error);
}

enum collega_status desk_match_id(struct desk *desk, const char *typed, struct id *out,
                                  struct collega_error *error) {
  struct view view = desk_view(desk);
  return view_match_id(&view, typed, out, error);
}

enum collega_status desk_deal_id(struct desk *desk, const char *typed, struct id *out,
                                 struct collega_error *error) {
  struct view view = desk_view(desk);
  return view_deal_id(&view, typed, out, error);
}

enum collega_status desk_offer_row(struct desk *desk, const struct short_id *id,
                                   CollegaStore__OfferRow **out, struct collega_error *error) {
  struct view view = desk_view(desk);
  return view_offer(&view, id, out, error);
}

enum collega_status desk_deal_row(struct desk *desk, const struct id *id,
                                  CollegaStore__DealRow **out, struct collega_error *error) {
  struct view view = desk_view(desk);
  return view_deal(&view, id, out, error);
}

/* ---- waiting */

/* With the reason why nothing moves, where there is one. */
static enum collega_status wait_over(struct desk *desk, int64_t seconds,
                                     struct collega_error *error) {
  struct view view = desk_view(desk);
  struct node_facts facts;
  char text[24], why[256];
  snprintf(text, sizeof text, "%" PRId64, seconds);
  if (node_facts_read(&view, &facts, NULL) != COLLEGA_OK || !facts.why)
    return error_set(error, COLLEGA_UNREACHABLE, RULE_wait_over, NULL, text, NULL);
  words_render(desk->language, facts.why, NULL, 0, why, sizeof why);
  return error_set(error, COLLEGA_UNREACHABLE, RULE_wait_over_why, NULL, text, why, NULL);
}

enum collega_status desk_nothing_waits(struct desk *desk, void *context, bool *met,
                                       struct collega_error *error) {
  struct outbox_counts counts;
  (void)context;
  enum collega_status status = outbox_count(desk->txn, &counts, error);
  *met = status == COLLEGA_OK && counts.waiting == 0;
  return status;
}

enum collega_status desk_wait(struct desk *desk, desk_condition done, void *context,
                              struct collega_error *error) {
  bool given = false, met = false;
  int64_t seconds = 0;
  enum collega_status status =
      option_number(desk->arguments, "wait", 0, WAIT_MOST_SECONDS, &given, &seconds, error);
  int bell = -1;
  if (status == COLLEGA_OK && given) status = bell_listen(desk->home, &bell, error);
  int64_t until = clock_monotonic() + seconds * SECOND_MS;
  while (status == COLLEGA_OK) {
    status = desk_read(desk, error);
    if (status == COLLEGA_OK) status = done(desk, context, &met, error);
    if (status != COLLEGA_OK || met || !given) break;
    int64_t left = until - clock_monotonic();
    if (left <= 0) {
      status = wait_over(desk, seconds, error);
      break;
    }
    desk_release(desk); /* a read transaction is never held across a wait */
    struct pollfd wait = {.fd = bell, .events = POLLIN};
    if (poll(&wait, 1, (int)(left < LOOK_AGAIN_MS ? left : LOOK_AGAIN_MS)) > 0) bell_drain(bell);
  }
  if (bell >= 0) close(bell);
  return status;
}

/* ---- words and JSON */

enum collega_status json_print(json_t *document, struct collega_error *error) {
  if (!document) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  int failed = json_dumpf(document, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
  json_decref(document);
  if (failed || fputc('\n', stdout) == EOF || fflush(stdout) != 0)
    return error_output(error, errno);
  return COLLEGA_OK;
}

enum collega_status json_print_list(const char *name, json_t *list, struct collega_error *error) {
  return json_print(json_named(name, list), error);
}

static void tell_list(const struct desk *desk, FILE *stream, enum rule rule, va_list list) {
  const char *arguments[COLLEGA_ERROR_ARGUMENTS] = {0};
  size_t count = 0;
  for (const char *next;
       count < COLLEGA_ERROR_ARGUMENTS && (next = va_arg(list, const char *)) != NULL;)
    arguments[count++] = next;
  char text[2048];
  words_render(desk->language, rule, arguments, count, text, sizeof text);
  terminal_print(stream, "", SENTENCE_INDENT, terminal_safe(desk->arena, text));
}

void say(const struct desk *desk, enum rule rule, ...) {
  va_list list;
  va_start(list, rule);
  tell_list(desk, stdout, rule, list);
  va_end(list);
}

void say_recovery(const struct desk *desk, const char *key) {
  say(desk, RULE_said_recovery, NULL);
  printf("  %s\n", key);
}

void tell(const struct desk *desk, FILE *stream, enum rule rule, ...) {
  va_list list;
  va_start(list, rule);
  tell_list(desk, stream, rule, list);
  va_end(list);
}

struct progress *desk_progress(const struct desk *desk, enum rule what, uint64_t total) {
  char text[80];
  words_render(desk->language, what, NULL, 0, text, sizeof text);
  return progress_open(text, total);
}

void desk_tell_step(void *context, uint64_t done, uint64_t total) {
  struct desk_telling *telling = context;
  if (!telling->progress) telling->progress = desk_progress(telling->desk, telling->what, total);
  progress_step(telling->progress, done);
}

const char *state_text(const struct desk *desk, const char *name) {
  char rule[64], text[64];
  snprintf(rule, sizeof rule, "state_%s", name);
  enum rule known = rule_from_name(rule);
  if (!known) return name;
  words_render(desk->language, known, NULL, 0, text, sizeof text);
  const char *out = arena_text(desk->arena, text);
  return out ? out : name;
}

const char *row_words(struct desk *desk, const char *rule, char *const *arguments, size_t count) {
  struct view view = desk_view(desk);
  return safe(desk, view_words(&view, rule, arguments, count));
}

const char *safe(const struct desk *desk, const char *text) {
  const char *out = text ? terminal_safe(desk->arena, text) : "";
  return out ? out : "";
}

const char *hex_text(struct desk *desk, const uint8_t *data, size_t bytes) {
  char *out = arena_take(desk->arena, 2 * bytes + 1);
  if (!out) return "";
  hex_write(out, data, bytes);
  return out;
}

const char *party_name(struct desk *desk, const struct id *party) {
  struct view view = desk_view(desk);
  const char *name = view_party_name(&view, party);
  return *name ? safe(desk, name) : hex_text(desk, party->byte, 4);
}

/* ---- options */

static enum collega_status bad_option(const char *option, enum rule rule, const char *typed,
                                      struct collega_error *error) {
  char field[96];
  snprintf(field, sizeof field, "--%s", option);
  return error_set(error, COLLEGA_USAGE, rule, field, typed, NULL);
}

enum collega_status option_number(const struct arguments *arguments, const char *option,
                                  int64_t least, int64_t most, bool *given, int64_t *out,
                                  struct collega_error *error) {
  *given = argument_value(arguments, option) != NULL;
  return argument_number(arguments, option, least, most, *out, out, error);
}

enum collega_status option_date(const struct arguments *arguments, const char *option, bool *given,
                                collega_date *out, struct collega_error *error) {
  const char *text = argument_value(arguments, option);
  *given = text != NULL;
  if (text && !date_read(text, out)) return bad_option(option, RULE_option_date, text, error);
  return COLLEGA_OK;
}

enum collega_status option_time(const struct arguments *arguments, const char *option, bool *given,
                                collega_time *out, struct collega_error *error) {
  const char *text = argument_value(arguments, option);
  *given = text != NULL;
  if (text && !time_read(text, out)) return bad_option(option, RULE_option_time, text, error);
  return COLLEGA_OK;
}

bool money_read(const char *text, int64_t *cents) {
  int64_t whole = 0;
  const char *at = text;
  int digits = 0, decimals = 0;
  for (; *at >= '0' && *at <= '9' && digits < 6; ++at, ++digits)
    whole = whole * 10 + (*at - '0');
  if (digits && (*at == ',' || *at == '.')) {
    for (++at; *at >= '0' && *at <= '9' && decimals < 2; ++at, ++decimals)
      whole = whole * 10 + (*at - '0');
    if (decimals != 2) return false;
  }
  if (!digits || *at) return false;
  *cents = decimals ? whole : whole * 100;
  return true;
}

enum collega_status option_money(const struct arguments *arguments, const char *option, bool *given,
                                 int64_t *cents, struct collega_error *error) {
  const char *text = argument_value(arguments, option);
  *given = text != NULL;
  if (text && !money_read(text, cents)) return bad_option(option, RULE_option_money, text, error);
  return COLLEGA_OK;
}

enum collega_status option_choice(const struct desk *desk, const char *option, const char *choices,
                                  const char **out, struct collega_error *error) {
  const char *typed = argument_value(desk->arguments, option);
  *out = NULL;
  if (!typed) return COLLEGA_OK;
  for (const char *at = choices; *at;) {
    size_t length = strcspn(at, "|");
    char *name = arena_print(desk->arena, "%.*s", (int)length, at);
    if (!name) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
    if (strcmp(typed, name) == 0 || strcmp(typed, state_text(desk, name)) == 0) {
      *out = name;
      return COLLEGA_OK;
    }
    at += length + (at[length] == '|');
  }
  char field[96];
  snprintf(field, sizeof field, "--%s", option);
  return error_set(error, COLLEGA_USAGE, RULE_option_choice, field, typed, choices, NULL);
}

enum collega_status option_kind(const struct desk *desk, bool *given, Collega__OfferKind *out,
                                struct collega_error *error) {
  static const Collega__OfferKind kinds[] = {
      COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN,
      COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_OUT, COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_IN};
  static const char *const names[] = {"loan_out", "loan_in", "transfer_out", "transfer_in"};
  const char *chosen = NULL;
  enum collega_status status = option_choice(desk, "kind", KIND_CHOICES, &chosen, error);
  *given = chosen != NULL;
  for (size_t i = 0; chosen && i < sizeof kinds / sizeof kinds[0]; ++i)
    if (strcmp(chosen, names[i]) == 0) *out = kinds[i];
  return status;
}

const char *count_text(struct desk *desk, uint64_t number) {
  const char *text = arena_print(desk->arena, "%" PRIu64, number);
  return text ? text : "";
}

const char *typed_text(struct desk *desk) {
  const char *text = argument_at(desk->arguments, 0);
  for (size_t i = 1; text && i < argument_count(desk->arguments); ++i)
    text = arena_print(desk->arena, "%s %s", text, argument_at(desk->arguments, i));
  return text ? text : "";
}
