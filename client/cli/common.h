/* What the commands share: opening a home, reading rows, writing JSON and words. One process, one command. */
#ifndef COLLEGA_CLI_COMMON_H
#define COLLEGA_CLI_COMMON_H
#include "base/terminal/terminal.h"
#include "client/exchange/exchange.h"
#include "client/library/document.h"

/* An open home for one command. */
struct desk {
  const struct arguments *arguments;
  enum language language;
  const char *home;
  struct exchange *exchange;
  struct ledger_txn *txn; /* a read transaction, renewed with desk_read */
  struct arena *arena;    /* dies with the command */
  struct id party;        /* who acts: --as, else the host */
  collega_time now;
};
enum collega_status desk_open(const struct arguments *arguments, struct desk *desk,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
/* A desk without a ledger, for commands that read and write other files of the home. */
enum collega_status desk_open_bare(const struct arguments *arguments, struct desk *desk,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
void desk_close(struct desk *desk);
/* A fresh read transaction: what others committed meanwhile becomes visible, earlier rows are gone. */
enum collega_status desk_read(struct desk *desk, struct collega_error *error) COLLEGA_MUST_CHECK;
void desk_release(struct desk *desk);
/* What the desk sees now; good until its transaction is renewed or released. */
struct view desk_view(const struct desk *desk);

/* Ids as typed, any unambiguous prefix. */
enum collega_status desk_offer_id(struct desk *desk, const char *typed, struct short_id *out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status desk_match_id(struct desk *desk, const char *typed, struct id *out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status desk_deal_id(struct desk *desk, const char *typed, struct id *out,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* The row, in the arena. COLLEGA_NOT_FOUND: id_unknown. */
enum collega_status desk_offer_row(struct desk *desk, const struct short_id *id,
                                   CollegaStore__OfferRow **out,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status desk_deal_row(struct desk *desk, const struct id *id,
                                  CollegaStore__DealRow **out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;

/* Waits until `done` says so on a fresh read transaction. --wait SECONDS absent: does not wait, *met is what
 * `done` says at once. Running out of time: COLLEGA_UNREACHABLE, rule wait_over. */
typedef enum collega_status (*desk_condition)(struct desk *desk, void *context, bool *met,
                                              struct collega_error *error);
enum collega_status desk_wait(struct desk *desk, desk_condition done, void *context,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
/* For desk_wait: the broker has answered all that this home had to send. */
enum collega_status desk_nothing_waits(struct desk *desk, void *context, bool *met,
                                       struct collega_error *error) COLLEGA_MUST_CHECK;

/* Prints the document, one line end at its end, and releases it. NULL: out of memory. */
enum collega_status json_print(json_t *document, struct collega_error *error) COLLEGA_MUST_CHECK;
/* {"NAME": [...]}, printed; consumes the list. NULL: out of memory. */
enum collega_status json_print_list(const char *name, json_t *list,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
/* A sentence on standard output, in the language of the command. At most four arguments, ended by NULL. */
void say(const struct desk *desk, enum rule rule, ...) __attribute__((sentinel));
/* The same on another stream. */
void tell(const struct desk *desk, FILE *stream, enum rule rule, ...) __attribute__((sentinel));
/* A recovery key, on a line of its own, which no terminal breaks. */
void say_recovery(const struct desk *desk, const char *key);
/* Progress of long work, in the command's language; see terminal.h. */
struct progress *desk_progress(const struct desk *desk, enum rule what, uint64_t total);
/* For work that tells by a callback; the total may come with the first step. Close `progress` after. */
struct desk_telling {
  const struct desk *desk;
  enum rule what;
  struct progress *progress;
};
void desk_tell_step(void *telling, uint64_t done, uint64_t total);
/* A state's name as a person reads it; see option_choice. */
const char *state_text(const struct desk *desk, const char *name);
/* Packed arguments of a row's words rendered, escaped for the terminal: reasons, gaps. In the arena. */
const char *row_words(struct desk *desk, const char *rule, char *const *arguments, size_t count);
/* Text for a person: escaped for the terminal, in the arena; "" for NULL. */
const char *safe(const struct desk *desk, const char *text);
/* The first `bytes` of an id as hexadecimal digits, in the arena. */
const char *hex_text(struct desk *desk, const uint8_t *data, size_t bytes);
const char *party_name(struct desk *desk, const struct id *party);
/* A number in digits, in the arena. */
const char *count_text(struct desk *desk, uint64_t number);
/* The words of the command line as one text, a blank between each: "Den Haag". */
const char *typed_text(struct desk *desk);
/* Numbers and the like in options. *given false: the option is absent and *out stays. */
enum collega_status option_number(const struct arguments *arguments, const char *option,
                                  int64_t least, int64_t most, bool *given, int64_t *out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status option_date(const struct arguments *arguments, const char *option, bool *given,
                                collega_date *out, struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status option_time(const struct arguments *arguments, const char *option, bool *given,
                                collega_time *out, struct collega_error *error) COLLEGA_MUST_CHECK;
/* One of `choices` ("open|paused"), as documents or as this language names it; *out NULL: not given, else within
 * `choices`' own names. */
enum collega_status option_choice(const struct desk *desk, const char *option, const char *choices,
                                  const char **out, struct collega_error *error) COLLEGA_MUST_CHECK;
#define OFFER_STATE_CHOICES "open|paused|filled|withdrawn|expired|refused"
#define MATCH_STATE_CHOICES "suggested|interested|answered|declined|lapsed"
#define KIND_CHOICES        "loan_out|loan_in|transfer_out|transfer_in"
/* The kind of offers that --kind names; *given false: any. */
enum collega_status option_kind(const struct desk *desk, bool *given, Collega__OfferKind *out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* "23,80", "23.80" or "23" -> 2380 or 2300 cents; false: something else. */
bool money_read(const char *text, int64_t *cents);
enum collega_status option_money(const struct arguments *arguments, const char *option, bool *given,
                                 int64_t *cents, struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- offers: what their commands share */
/* On standard error: which of these offers would point at one person. `already` (NULL: none) are not told again. */
struct offer_inputs;
void desk_warn_one_person(const struct desk *desk, const struct offer_inputs *inputs,
                          const bool *already);

/* The parties of a home, as a table. */
enum collega_status print_parties(struct desk *desk, const struct party_facts *parties,
                                  size_t count, struct collega_error *error) COLLEGA_MUST_CHECK;

/* An entry of the chain, without its payload (ledger_commands.c). */
json_t *ledger_entry_json(struct desk *desk, const struct ledger_event *event);

/* ---- the commands, one file a group */
enum collega_status command_key_rotate(const struct arguments *arguments,
                                       struct collega_error *error);
enum collega_status command_key_recover(const struct arguments *arguments,
                                        struct collega_error *error);
enum collega_status command_mandate_add(const struct arguments *arguments,
                                        struct collega_error *error);
enum collega_status command_mandate_list(const struct arguments *arguments,
                                         struct collega_error *error);
enum collega_status command_mandate_end(const struct arguments *arguments,
                                        struct collega_error *error);
enum collega_status command_init(const struct arguments *arguments, struct collega_error *error);
enum collega_status command_join(const struct arguments *arguments, struct collega_error *error);
enum collega_status command_party_add(const struct arguments *arguments,
                                      struct collega_error *error);
/* `join` with this token, after the home was made or its keys were recovered; prints what came of it. */
enum collega_status join_with(const struct arguments *arguments, const char *token,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
/* All settings, commented out, into the settings.ini of a new home. */
enum collega_status home_write_settings(const char *home,
                                        struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status command_party_renew(const struct arguments *arguments,
                                        struct collega_error *error);
enum collega_status command_party_list(const struct arguments *arguments,
                                       struct collega_error *error);
enum collega_status command_run(const struct arguments *arguments, struct collega_error *error);
enum collega_status command_status(const struct arguments *arguments, struct collega_error *error);
enum collega_status command_offer_publish(const struct arguments *arguments,
                                          struct collega_error *error);
enum collega_status command_offer_new(const struct arguments *arguments,
                                      struct collega_error *error);
enum collega_status command_offer_list(const struct arguments *arguments,
                                       struct collega_error *error);
enum collega_status command_offer_show(const struct arguments *arguments,
                                       struct collega_error *error);
enum collega_status command_offer_revise(const struct arguments *arguments,
                                         struct collega_error *error);
enum collega_status command_offer_pause(const struct arguments *arguments,
                                        struct collega_error *error);
enum collega_status command_offer_resume(const struct arguments *arguments,
                                         struct collega_error *error);
enum collega_status command_offer_filled(const struct arguments *arguments,
                                         struct collega_error *error);
enum collega_status command_offer_withdraw(const struct arguments *arguments,
                                           struct collega_error *error);
enum collega_status command_match_list(const struct arguments *arguments,
                                       struct collega_error *error);
enum collega_status command_match_show(const struct arguments *arguments,
                                       struct collega_error *error);
enum collega_status command_deal_propose(const struct arguments *arguments,
                                         struct collega_error *error);
enum collega_status command_deal_accept(const struct arguments *arguments,
                                        struct collega_error *error);
enum collega_status command_deal_decline(const struct arguments *arguments,
                                         struct collega_error *error);
enum collega_status command_deal_withdraw(const struct arguments *arguments,
                                          struct collega_error *error);
enum collega_status command_deal_list(const struct arguments *arguments,
                                      struct collega_error *error);
enum collega_status command_deal_show(const struct arguments *arguments,
                                      struct collega_error *error);
enum collega_status command_deal_prove(const struct arguments *arguments,
                                       struct collega_error *error);
enum collega_status command_match_interest(const struct arguments *arguments,
                                           struct collega_error *error);
enum collega_status command_match_decline(const struct arguments *arguments,
                                          struct collega_error *error);
enum collega_status command_deal_talk(const struct arguments *arguments,
                                      struct collega_error *error);
enum collega_status command_deal_counter(const struct arguments *arguments,
                                         struct collega_error *error);
enum collega_status command_deal_amend(const struct arguments *arguments,
                                       struct collega_error *error);
enum collega_status command_deal_terminate(const struct arguments *arguments,
                                           struct collega_error *error);
enum collega_status command_deal_release(const struct arguments *arguments,
                                         struct collega_error *error);
enum collega_status command_verify(const struct arguments *arguments, struct collega_error *error);
enum collega_status command_ledger_log(const struct arguments *arguments,
                                       struct collega_error *error);
enum collega_status command_ledger_verify(const struct arguments *arguments,
                                          struct collega_error *error);
enum collega_status command_ledger_rebuild(const struct arguments *arguments,
                                           struct collega_error *error);
enum collega_status command_ledger_backup(const struct arguments *arguments,
                                          struct collega_error *error);
enum collega_status command_ledger_erase(const struct arguments *arguments,
                                         struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status command_ledger_import(const struct arguments *arguments,
                                          struct collega_error *error);
enum collega_status command_ledger_export(const struct arguments *arguments,
                                          struct collega_error *error);
enum collega_status command_ledger_restore(const struct arguments *arguments,
                                           struct collega_error *error);
enum collega_status command_taxonomy_import(const struct arguments *arguments,
                                            struct collega_error *error);
enum collega_status command_taxonomy_search(const struct arguments *arguments,
                                            struct collega_error *error);
enum collega_status command_courses_import(const struct arguments *arguments,
                                           struct collega_error *error);
enum collega_status command_courses_list(const struct arguments *arguments,
                                         struct collega_error *error);
enum collega_status command_places_import(const struct arguments *arguments,
                                          struct collega_error *error);
enum collega_status command_places_show(const struct arguments *arguments,
                                        struct collega_error *error);
enum collega_status command_market(const struct arguments *arguments, struct collega_error *error);
enum collega_status command_plan(const struct arguments *arguments, struct collega_error *error);
enum collega_status command_plan_show(const struct arguments *arguments,
                                      struct collega_error *error);
enum collega_status command_plan_propose(const struct arguments *arguments,
                                         struct collega_error *error);
enum collega_status command_taxonomy_code(const struct arguments *arguments,
                                          struct collega_error *error);
#endif
