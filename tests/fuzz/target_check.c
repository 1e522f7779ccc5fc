/* Check: what the guard took, judged by meaning; terms, their sections hidden and read. */
#include "proto/check.h"

#include "proto/guard.h"
#include "proto/link/link.h"
#include "proto/limits.h"
#include "proto/terms.h"
#include "tests/fuzz/fuzz.h"

static void judged(enum collega_status status, const struct collega_error *error) {
  if (status != COLLEGA_OK) fuzz_check_error(error);
}

/* Hiding changes what is shown and nothing of what was promised. */
static void judge_salted(const Collega__SaltedTerms *salted, unsigned mask, struct arena *arena) {
  struct collega_error error;
  struct id before, after;
  Collega__SaltedTerms *hidden = NULL;
  Collega__Terms *terms = NULL;
  unsigned not_shown = 0;
  error_clear(&error);
  enum collega_status status = terms_commitment(salted, &before, &error);
  judged(status, &error);
  if (status == COLLEGA_OK && terms_hide(salted, mask, arena, &hidden, &error) == COLLEGA_OK) {
    fuzz_must(terms_commitment(hidden, &after, &error) == COLLEGA_OK);
    fuzz_must(id_equal(&before, &after));
    salted = hidden;
  }
  if (terms_read(salted, arena, &terms, &not_shown, &error) == COLLEGA_OK) {
    judged(check_terms(terms, &error), &error);
    fuzz_must(hidden == NULL || (not_shown & mask) == mask);
  }
}

static struct bytes content(const Collega__Section *section) {
  return bytes_of(section->content.data, section->content.len);
}

static void judge_terms(const Collega__Terms *terms, struct arena *arena) {
  struct collega_error error;
  Collega__SaltedTerms *salted = NULL, *twice = NULL;
  Collega__Terms *again = NULL;
  unsigned hidden = 0;
  error_clear(&error);
  enum collega_status status = check_terms(terms, &error);
  judged(status, &error);
  if (status != COLLEGA_OK) return;
  status = terms_salt(terms, arena, &salted, &error);
  judged(status, &error);
  if (status != COLLEGA_OK) return; /* a section is too large */
  fuzz_must(terms_read(salted, arena, &again, &hidden, &error) == COLLEGA_OK && hidden == 0);
  fuzz_must(terms_salt(again, arena, &twice, &error) == COLLEGA_OK);
  for (size_t i = 0; i < TERMS_SECTIONS; i++) /* one that says nothing is as good as none */
    fuzz_must(bytes_equal(content(salted->sections[i]), content(twice->sections[i])));
}

static void judge_offer(const Collega__Offer *offer) {
  struct collega_error error;
  error_clear(&error);
  judged(check_offer(offer, &error), &error);
  error_clear(&error);
  judged(check_offer_now(offer, FUZZ_NOW, &error), &error);
  if (offer->title != NULL) (void)text_holds_bsn(offer->title);
}

static void judge(ProtobufCMessage *message, size_t length, uint8_t extra, struct arena *arena) {
  struct collega_error error;
  error_clear(&error);
  const ProtobufCMessageDescriptor *type = message->descriptor;
  if (type == &collega__body__descriptor)
    judged(check_body((const Collega__Body *)message, length, &error), &error);
  else if (type == &collega__offer__descriptor)
    judge_offer((const Collega__Offer *)message);
  else if (type == &collega__terms__descriptor)
    judge_terms((const Collega__Terms *)message, arena);
  else if (type == &collega__salted_terms__descriptor)
    judge_salted((const Collega__SaltedTerms *)message, (unsigned)extra << 1, arena);
  else if (type == &collega__deal_header__descriptor)
    judged(check_header((const Collega__DealHeader *)message, &error), &error);
  else if (type == &collega__to_broker__descriptor) {
    uint32_t field = frame_to_broker((const Collega__ToBroker *)message);
    struct frame_cost cost = cost_to_broker((const Collega__ToBroker *)message, length);
    fuzz_must(field == 0 || cost.field == field);
    fuzz_must(cost.records <= LIMIT_RUN_RECORDS);
  } else if (type == &collega__from_broker__descriptor) {
    uint32_t field = frame_from_broker((const Collega__FromBroker *)message);
    struct frame_cost cost = cost_from_broker((const Collega__FromBroker *)message, length);
    fuzz_must(field == 0 || cost.field == field);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  static const ProtobufCMessageDescriptor *const types[] = {
      &collega__body__descriptor,        &collega__offer__descriptor,
      &collega__terms__descriptor,       &collega__salted_terms__descriptor,
      &collega__deal_header__descriptor, &collega__to_broker__descriptor,
      &collega__from_broker__descriptor};
  struct fuzz_input input = fuzz_begin(data, length);
  const ProtobufCMessageDescriptor *type =
      types[fuzz_byte(&input) % (sizeof types / sizeof types[0])];
  uint8_t extra = fuzz_byte(&input);
  struct bytes packed = fuzz_rest(&input);
  struct arena *arena = fuzz_arena();
  struct collega_error error;
  ProtobufCMessage *message = fuzz_unpack(type, packed, arena, &error);
  if (message != NULL) judge(message, packed.length, extra, arena);
  arena_destroy(&arena);
  return 0;
}
