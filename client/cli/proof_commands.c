/* deal prove, verify. `verify` needs no home and no ledger. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/process/process.h"
#include "client/cli/common.h"
#include "proto/json.h"
#include "proto/keys.h"
#include "proto/proof.h"

#define PROOF_BYTES       (16u * 1024u * 1024u)
#define PROOF_ARENA_BYTES (256u * 1024u * 1024u)
#define TRUST_MOST        32

/* ---- prove */

struct awaited_proof {
  struct id deal;
  unsigned hide;
  struct arena *arena; /* of one attempt; the last one's holds the file */
  struct bytes file;
  struct collega_error why; /* what is missing, as long as it is */
};

static enum collega_status is_provable(struct desk *desk, void *context, bool *met,
                                       struct collega_error *error) {
  struct awaited_proof *awaited = context;
  arena_reset(awaited->arena);
  enum collega_status status =
      deal_prove(desk->exchange, &desk->party, &awaited->deal, awaited->hide, desk->now,
                 awaited->arena, &awaited->file, &awaited->why);
  *met = status == COLLEGA_OK;
  if (status == COLLEGA_OK || status == COLLEGA_UNREACHABLE) return COLLEGA_OK;
  *error = awaited->why;
  return status;
}

/* Only what verifies is written. */
static enum collega_status prove(struct desk *desk, struct awaited_proof *awaited,
                                 struct collega_error *error) {
  awaited->arena = arena_new(65536, PROOF_ARENA_BYTES);
  if (!awaited->arena) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  enum collega_status status = desk_wait(desk, is_provable, awaited, error);
  desk_release(desk);
  if (!awaited->file.data && awaited->why.status == COLLEGA_UNREACHABLE &&
      (status == COLLEGA_OK || status == COLLEGA_UNREACHABLE)) {
    *error = awaited->why;
    return awaited->why.status;
  }
  if (status == COLLEGA_OK &&
      (fwrite(awaited->file.data, 1, awaited->file.length, stdout) != awaited->file.length ||
       fflush(stdout) != 0))
    status = error_output(error, errno);
  return status;
}

enum collega_status command_deal_prove(const struct arguments *arguments,
                                       struct collega_error *error) {
  struct desk desk;
  struct awaited_proof awaited = {.hide = 0};
  const char *names = argument_value(arguments, "hide");
  enum collega_status status = names ? terms_mask(names, &awaited.hide, error) : COLLEGA_OK;
  if (status != COLLEGA_OK) {
    error_prefix(error, "--hide");
    return status;
  }
  status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = desk_deal_id(&desk, argument_at(arguments, 0), &awaited.deal, error);
  if (status == COLLEGA_OK) status = prove(&desk, &awaited, error);
  arena_destroy(&awaited.arena);
  desk_close(&desk);
  return status;
}

/* ---- verify */

static void print_party(struct desk *desk, enum rule rule, const struct proof_party *party) {
  say(desk, rule, party->name, party->kvk, NULL);
  if (party->named)
    say(desk, RULE_said_signed_by, party->mandate_person, party->mandate_function, NULL);
  else
    say(desk, RULE_said_signed_not_named, NULL);
}

static void print_judgement(struct desk *desk, const struct proof_judgement *judgement) {
  char decided[32];
  time_write(decided, sizeof decided, judgement->decided);
  if (judgement->valid) {
    print_party(desk, RULE_said_lender, &judgement->lender);
    print_party(desk, RULE_said_borrower, &judgement->borrower);
    const Collega__TermsWork *work = judgement->terms ? judgement->terms->work : NULL;
    if (work) {
      char people[16], from[32], until[32] = "", hours[16];
      snprintf(people, sizeof people, "%" PRIu32, work->headcount);
      snprintf(hours, sizeof hours, "%" PRIu32, work->hours_per_week);
      date_write(from, sizeof from, work->from);
      if (work->has_until) date_write(until, sizeof until, work->until);
      say(desk, RULE_said_proved_work, people, from, until, hours, NULL);
    }
    say(desk, RULE_said_decided, decided, NULL);
  }
  for (size_t i = 0; i < judgement->finding_count; ++i) {
    char text[1024];
    error_render(desk->language, &judgement->findings[i].words, text, sizeof text);
    terminal_print(stdout, judgement->findings[i].against ? "  x " : "  + ", 4, safe(desk, text));
  }
  if (!judgement->valid)
    say(desk, RULE_said_proof_invalid, NULL);
  else if (judgement->trusted)
    say(desk, RULE_said_proof_trusted, NULL);
  else
    say(desk, RULE_said_proof_untrusted, NULL);
  if (judgement->valid) say(desk, RULE_said_proof_nature, NULL);
}

/* Half a fingerprint must not read as a network that is not trusted. */
static enum collega_status read_trusted(const struct arguments *arguments,
                                        const char *trusted[TRUST_MOST], size_t *count,
                                        struct collega_error *error) {
  const char *next;
  for (*count = 0; (next = argument_value_at(arguments, "trust", *count)) != NULL; (*count)++) {
    if (*count == TRUST_MOST) {
      char most[16];
      snprintf(most, sizeof most, "%d", TRUST_MOST);
      return error_set(error, COLLEGA_USAGE, RULE_trust_many, "--trust", most, NULL);
    }
    if (!fingerprint_valid(next))
      return error_set(error, COLLEGA_USAGE, RULE_fingerprint_form, "--trust", next, NULL);
    trusted[*count] = next;
  }
  return COLLEGA_OK;
}

/* Valid, and trusted where --trust is given: 0; otherwise 1. What does not fit is on standard output already, so the
 * error only sums it up. */
enum collega_status command_verify(const struct arguments *arguments, struct collega_error *error) {
  struct desk desk = {.arguments = arguments, .language = argument_language(arguments)};
  struct buffer file;
  struct proof_judgement judgement;
  memset(&judgement, 0, sizeof judgement);
  const char *trusted[TRUST_MOST] = {0};
  size_t trusted_count;
  enum collega_status status = read_trusted(arguments, trusted, &trusted_count, error);
  if (status != COLLEGA_OK) return status;
  buffer_init(&file, PROOF_BYTES + 1);
  desk.arena = arena_new(65536, PROOF_ARENA_BYTES);
  if (!desk.arena) status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  if (status == COLLEGA_OK)
    status = file_read(argument_at(arguments, 0), PROOF_BYTES, &file, error);
  if (status == COLLEGA_OK) {
    struct bytes bytes = bytes_of(file.data, file.length);
    status = proof_judge(bytes, trusted, trusted_count, desk.arena, &judgement, error);
    if (status == COLLEGA_OK && argument_json(arguments))
      status = json_print(document_judgement(&judgement, desk.language), error);
    else if (status == COLLEGA_OK)
      print_judgement(&desk, &judgement);
    else if (argument_json(arguments)) {
      /* No proof at all is also an answer that a program wants to read. */
      enum collega_status printed = json_print(document_no_proof(error, desk.language), NULL);
      if (printed != COLLEGA_OK) status = printed;
    }
  }
  buffer_free(&file);
  arena_destroy(&desk.arena);
  if (status != COLLEGA_OK) return status;
  if (!judgement.valid)
    return error_set(error, COLLEGA_FORGED, RULE_proof_does_not_verify, NULL, NULL);
  if (trusted_count && !judgement.trusted)
    return error_set(error, COLLEGA_REFUSED, RULE_proof_not_trusted, "--trust",
                     judgement.broker_name, NULL);
  return COLLEGA_OK;
}
