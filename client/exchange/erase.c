/* Erasing. Each payload of the chain that may hold something personal is read; what is personal is cut
 * out of it; what remains is a payload of the same kind, from which the tables can be made again. A
 * letter's original, sealed, goes with it: whoever has the key could open it. */
#include "client/exchange/erase.h"

#include <stdlib.h>
#include <string.h>

#include "base/process/process.h"
#include "client/exchange/deal_rows.h"
#include "client/exchange/talk.h"
#include "proto/guard.h"
#include "proto/terms.h"

#define ERASED_SECTIONS                                                                            \
  ((1u << COLLEGA__SECTION_KIND__SECTION_KIND_PERSONS) |                                           \
   (1u << COLLEGA__SECTION_KIND__SECTION_KIND_CONTACT) |                                           \
   (1u << COLLEGA__SECTION_KIND__SECTION_KIND_NOTE))

struct erasing {
  struct exchange *exchange;
  struct ledger_txn *txn;
  const struct erasure *erasure;
  struct id root, thread; /* by deal */
  bool has_thread;
  collega_time now;
  struct arena *arena;              /* of one entry */
  const struct ledger_event *event; /* at hand */
  struct ledger_reduction *list;
  size_t count, capacity;
  struct collega_error *error;
};

/* Two parties of one home have rows, and entries, of their own. */
static const struct id *party_of(const struct erasing *erasing) {
  return erasing->event ? erasing->event->party : erasing->erasure->party;
}

/* ---- what runs no more */

static bool is_open(CollegaStore__DealState state) {
  return state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_DRAFT ||
         state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_PROPOSED ||
         state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RECEIVED ||
         state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_PENDING;
}

/* *open: a proposal awaits its word; *runs: or the days of an agreement are not over. */
static enum collega_status deal_lives(struct erasing *erasing, const ProtobufCBinaryData *deal,
                                      bool *open, bool *runs) {
  CollegaStore__DealRow *row;
  Collega__Terms *terms;
  collega_date today = date_of_time(erasing->now);
  enum collega_status status = deal_row(erasing->txn, party_of(erasing), field_bytes(deal),
                                        erasing->arena, &row, erasing->error);
  if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(erasing->error, "roots");
  if (status != COLLEGA_OK) return status;
  *open = *open || is_open(row->state);
  if (row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_TERMINATED && row->has_effective)
    *runs = *runs || row->effective >= today;
  if (row->state != COLLEGA_STORE__DEAL_STATE__DEAL_STATE_CONCLUDED) return COLLEGA_OK;
  status = deal_terms(row, erasing->arena, &terms, erasing->error);
  if (status != COLLEGA_OK) return status;
  *runs = *runs || !terms->work || !terms->work->has_until || terms->work->until >= today;
  return COLLEGA_OK;
}

static enum collega_status root_lives(struct erasing *erasing, const CollegaStore__RootRow *root,
                                      bool *open, bool *runs) {
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; status == COLLEGA_OK && i < root->n_deals; i++)
    status = deal_lives(erasing, &root->deals[i], open, runs);
  return status;
}

/* May what belongs to this root go? */
static enum collega_status root_is_due(struct erasing *erasing, struct bytes id, bool *due) {
  CollegaStore__RootRow *root;
  bool open = false, runs = false;
  *due = false;
  if (erasing->erasure->deal) {
    *due = bytes_equal(id, bytes_of(erasing->root.byte, ID_BYTES));
    return COLLEGA_OK;
  }
  enum collega_status status =
      root_row(erasing->txn, party_of(erasing), id, erasing->arena, &root, erasing->error);
  if (status == COLLEGA_NOT_FOUND) { /* of a letter that led to nothing here */
    *due = true;
    return COLLEGA_OK;
  }
  if (status == COLLEGA_OK) status = root_lives(erasing, root, &open, &runs);
  *due = status == COLLEGA_OK && !open && !runs;
  return status;
}

static enum collega_status deal_is_due(struct erasing *erasing, const ProtobufCBinaryData *deal,
                                       bool *due) {
  CollegaStore__DealRow *row;
  *due = false;
  enum collega_status status = deal_row(erasing->txn, party_of(erasing), field_bytes(deal),
                                        erasing->arena, &row, erasing->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  return status == COLLEGA_OK ? root_is_due(erasing, field_bytes(&row->root), due) : status;
}

struct thread_roots {
  struct erasing *erasing;
  struct bytes thread;
  struct arena *arena;
  bool open, runs;
  enum collega_status status;
};

static bool visit_root(void *context, struct bytes key, struct bytes value) {
  struct thread_roots *roots = context;
  (void)key;
  const CollegaStore__RootRow *root = (const CollegaStore__RootRow *)row_unpack(
      &collega_store__root_row__descriptor, value, roots->arena);
  if (!root) roots->status = exchange_row_damaged(roots->erasing->error, "roots");
  if (root && root->has_thread && bytes_equal(field_bytes(&root->thread), roots->thread))
    roots->status = root_lives(roots->erasing, root, &roots->open, &roots->runs);
  return roots->status == COLLEGA_OK;
}

/* A talk goes when none of the negotiations that it is about needs it. */
static enum collega_status thread_is_due(struct erasing *erasing, const ProtobufCBinaryData *thread,
                                         bool *due) {
  struct thread_roots roots = {
      .erasing = erasing, .thread = field_bytes(thread), .arena = erasing->arena};
  *due = false;
  bool by_deal = erasing->erasure->deal != NULL;
  if (by_deal && !(erasing->has_thread && field_is(thread, &erasing->thread))) return COLLEGA_OK;
  enum collega_status status = table_each(erasing->txn, TABLE_ROOTS, id_bytes(party_of(erasing)),
                                          NULL, visit_root, &roots, erasing->error);
  if (status == COLLEGA_OK) status = roots.status;
  *due = status == COLLEGA_OK && !roots.open && (by_deal || !roots.runs);
  return status;
}

/* ---- what is cut out */

static bool is_personal(const Collega__SaltedTerms *terms) {
  for (size_t i = 0; i < terms->n_sections; i++) {
    const Collega__Section *section = terms->sections[i];
    if (!section->has_leaf && section->content.len > 0 &&
        (ERASED_SECTIONS & (1u << (unsigned)section->kind)))
      return true;
  }
  return false;
}

static enum collega_status cut_terms(struct erasing *erasing, Collega__SaltedTerms **terms,
                                     bool *cut) {
  if (!*terms || !is_personal(*terms)) return COLLEGA_OK;
  *cut = true;
  return terms_hide(*terms, ERASED_SECTIONS, erasing->arena, terms, erasing->error);
}

/* The words of an interest or a talk. Its signature no longer fits what remains: that it was made is
 * no longer to be shown. */
static enum collega_status cut_run(struct erasing *erasing, Collega__Run *run, bool *cut) {
  struct run_view view;
  struct bytes packed;
  bool due = false;
  enum collega_status status = run_read(run, erasing->arena, &view, erasing->error);
  if (status != COLLEGA_OK || view.count != 1) return status;
  Collega__Body body = *view.records[0].body;
  Collega__Interest interest;
  Collega__Talk talk;
  if (!body.interest && !body.talk) return COLLEGA_OK;
  status =
      thread_is_due(erasing, body.interest ? &body.interest->thread : &body.talk->thread, &due);
  if (status != COLLEGA_OK || !due) return status;
  if (body.interest ? !body.interest->text : !body.talk->text && !body.talk->draft)
    return COLLEGA_OK;
  if (body.interest) {
    interest = *body.interest;
    interest.text = NULL;
    body.interest = &interest;
  } else {
    talk = *body.talk;
    talk.text = NULL;
    talk.draft = NULL;
    body.talk = &talk;
  }
  status = exchange_pack(erasing->arena, &body.base, &packed, erasing->error);
  if (status == COLLEGA_OK) field_set(&run->bodies[0], packed.data, packed.length);
  *cut = true;
  return status;
}

/* Of which negotiation are the terms of a letter? Its header says. */
static enum collega_status terms_are_due(struct erasing *erasing, const Collega__Letter *letter,
                                         bool *due) {
  *due = false;
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; status == COLLEGA_OK && !*due && i < letter->n_runs; i++) {
    struct run_view view;
    status = run_read(letter->runs[i], erasing->arena, &view, erasing->error);
    if (status == COLLEGA_OK && view.records[0].body->deal)
      status = root_is_due(erasing, field_bytes(&view.records[0].body->deal->root), due);
  }
  return status;
}

static enum collega_status remain(struct erasing *erasing, const ProtobufCMessage *rest) {
  struct bytes packed;
  enum collega_status status = exchange_pack(erasing->arena, rest, &packed, erasing->error);
  if (status != COLLEGA_OK) return status;
  if (erasing->count == erasing->capacity) {
    size_t capacity = erasing->capacity ? 2 * erasing->capacity : 64;
    struct ledger_reduction *grown = realloc(erasing->list, capacity * sizeof *grown);
    if (!grown) return exchange_no_memory(erasing->error);
    erasing->list = grown;
    erasing->capacity = capacity;
  }
  uint8_t *kept = malloc(packed.length ? packed.length : 1);
  if (!kept) return exchange_no_memory(erasing->error);
  if (packed.length) memcpy(kept, packed.data, packed.length);
  erasing->list[erasing->count++] = (struct ledger_reduction){
      .number = erasing->event->number, .payload = bytes_of(kept, packed.length)};
  return COLLEGA_OK;
}

/* The sealed original goes; its hash stays, so that its answer finds it. It must not wait to be sent:
 * then the other side would never get it. */
static enum collega_status cut_envelope(struct erasing *erasing, ProtobufCBinaryData *envelope,
                                        protobuf_c_boolean *has_hash, ProtobufCBinaryData *kept) {
  CollegaStore__OutboxItem *item;
  struct id *hash = arena_take(erasing->arena, sizeof *hash);
  if (!hash) return exchange_no_memory(erasing->error);
  envelope_hash(hash, field_bytes(envelope));
  enum collega_status status =
      outbox_find(erasing->txn, hash, erasing->arena, &item, erasing->error);
  if (status == COLLEGA_OK && !item->refused)
    return error_set(erasing->error, COLLEGA_REFUSED, RULE_erase_waiting, NULL, NULL);
  if (status != COLLEGA_OK && status != COLLEGA_NOT_FOUND) return status;
  *has_hash = true;
  field_set_id(kept, hash);
  *envelope = (ProtobufCBinaryData){0, NULL};
  return COLLEGA_OK;
}

/* ---- each kind of entry */

static ProtobufCMessage *content(struct erasing *erasing, const ProtobufCMessageDescriptor *type) {
  ProtobufCMessage *row = row_unpack(type, erasing->event->payload, erasing->arena);
  if (!row) (void)exchange_row_damaged(erasing->error, type->short_name);
  return row;
}

static enum collega_status erase_draft(struct erasing *erasing) {
  CollegaStore__DealAct *act =
      (CollegaStore__DealAct *)content(erasing, &collega_store__deal_act__descriptor);
  struct bytes packed;
  bool due = false, cut = false;
  if (!act) return COLLEGA_DAMAGED;
  if (!act->has_terms) return COLLEGA_OK;
  enum collega_status status = deal_is_due(erasing, &act->deal, &due);
  if (status != COLLEGA_OK || !due) return status;
  Collega__SaltedTerms *terms = (Collega__SaltedTerms *)row_unpack(
      &collega__salted_terms__descriptor, field_bytes(&act->terms), erasing->arena);
  if (!terms) return exchange_row_damaged(erasing->error, "terms");
  status = cut_terms(erasing, &terms, &cut);
  if (status != COLLEGA_OK || !cut) return status;
  status = exchange_pack(erasing->arena, &terms->base, &packed, erasing->error);
  field_set(&act->terms, packed.data, packed.length);
  return status == COLLEGA_OK ? remain(erasing, &act->base) : status;
}

/* Of our own letters only a proposal's holds terms. */
static enum collega_status erase_signed(struct erasing *erasing) {
  CollegaStore__SignedAct *act =
      (CollegaStore__SignedAct *)content(erasing, &collega_store__signed_act__descriptor);
  bool due = false;
  if (!act) return COLLEGA_DAMAGED;
  if (act->kind != COLLEGA_STORE__ACT_KIND__ACT_KIND_PROPOSE || act->envelope.len == 0)
    return COLLEGA_OK;
  enum collega_status status = deal_is_due(erasing, &act->deal, &due);
  if (status != COLLEGA_OK || !due) return status;
  status = cut_envelope(erasing, &act->envelope, &act->has_envelope_hash, &act->envelope_hash);
  act->has_envelope = false;
  return status == COLLEGA_OK ? remain(erasing, &act->base) : status;
}

static enum collega_status erase_sealed(struct erasing *erasing) {
  CollegaStore__Sealed *sealed =
      (CollegaStore__Sealed *)content(erasing, &collega_store__sealed__descriptor);
  bool due = !erasing->erasure->deal; /* without a deal: by age alone */
  if (!sealed) return COLLEGA_DAMAGED;
  if (sealed->envelope.len == 0) return COLLEGA_OK;
  enum collega_status status =
      sealed->has_deal ? deal_is_due(erasing, &sealed->deal, &due) : COLLEGA_OK;
  if (status != COLLEGA_OK || !due) return status;
  status =
      cut_envelope(erasing, &sealed->envelope, &sealed->has_envelope_hash, &sealed->envelope_hash);
  return status == COLLEGA_OK ? remain(erasing, &sealed->base) : status;
}

static enum collega_status erase_words(struct erasing *erasing) {
  CollegaStore__MatchAct *act =
      (CollegaStore__MatchAct *)content(erasing, &collega_store__match_act__descriptor);
  struct bytes packed;
  bool cut = false;
  if (!act) return COLLEGA_DAMAGED;
  if (!act->has_run) return COLLEGA_OK;
  Collega__Run *run =
      (Collega__Run *)row_unpack(&collega__run__descriptor, field_bytes(&act->run), erasing->arena);
  if (!run) return exchange_row_damaged(erasing->error, "talk");
  enum collega_status status = cut_run(erasing, run, &cut);
  if (status != COLLEGA_OK || !cut) return status;
  status = exchange_pack(erasing->arena, &run->base, &packed, erasing->error);
  field_set(&act->run, packed.data, packed.length);
  if (status == COLLEGA_OK && act->has_envelope && act->envelope.len > 0)
    status = cut_envelope(erasing, &act->envelope, &act->has_envelope_hash, &act->envelope_hash);
  act->has_envelope = false;
  return status == COLLEGA_OK ? remain(erasing, &act->base) : status;
}

static enum collega_status erase_letter(struct erasing *erasing) {
  CollegaStore__MailIn *mail =
      (CollegaStore__MailIn *)content(erasing, &collega_store__mail_in__descriptor);
  struct bytes packed;
  bool due = false, cut = false;
  if (!mail) return COLLEGA_DAMAGED;
  if (!mail->has_letter) return COLLEGA_OK;
  Collega__Letter *letter = (Collega__Letter *)row_unpack(
      &collega__letter__descriptor, field_bytes(&mail->letter), erasing->arena);
  if (!letter) return exchange_row_damaged(erasing->error, "mail");
  enum collega_status status = terms_are_due(erasing, letter, &due);
  if (status == COLLEGA_OK && due) status = cut_terms(erasing, &letter->terms, &cut);
  for (size_t i = 0; status == COLLEGA_OK && i < letter->n_runs; i++)
    status = cut_run(erasing, letter->runs[i], &cut);
  if (status != COLLEGA_OK || !cut) return status;
  status = mail_sealed(mail, erasing->event->time, erasing->arena, &mail->sealed, &mail->to,
                       erasing->error);
  if (status == COLLEGA_OK)
    status = exchange_pack(erasing->arena, &letter->base, &packed, erasing->error);
  if (status != COLLEGA_OK) return status;
  mail->has_sealed = mail->has_to = true;
  mail->envelope = (ProtobufCBinaryData){0, NULL};
  field_set(&mail->letter, packed.data, packed.length);
  return remain(erasing, &mail->base);
}

/* A decision names deals and nobody's data; the rows of roots that were decided elsewhere come from it. */
static bool is_decision(const struct erasing *erasing, const CollegaStore__MailIn *mail) {
  struct run_view run;
  return run_read_bytes(field_bytes(&mail->envelope), erasing->arena, &run, NULL) == COLLEGA_OK &&
         run.count == 1 && run.records[0].body->decision;
}

/* What could not be read or judged may hold anything. */
static enum collega_status erase_bad_mail(struct erasing *erasing) {
  CollegaStore__MailIn *mail =
      (CollegaStore__MailIn *)content(erasing, &collega_store__mail_in__descriptor);
  if (!mail) return COLLEGA_DAMAGED;
  if (erasing->erasure->deal || mail->envelope.len == 0 || is_decision(erasing, mail))
    return COLLEGA_OK;
  mail->envelope = (ProtobufCBinaryData){0, NULL};
  return remain(erasing, &mail->base);
}

/* The private part of an offer that can lead to nothing new. */
static enum collega_status private_is_due(struct erasing *erasing, const Collega__Body *body,
                                          bool *due) {
  CollegaStore__OfferRow *row;
  *due = false;
  if (!body->offer) return COLLEGA_OK;
  enum collega_status status =
      offer_row(erasing->txn, field_bytes(&body->offer->id), erasing->arena, &row, erasing->error);
  if (status == COLLEGA_NOT_FOUND) {
    *due = true;
    return COLLEGA_OK;
  }
  bool newer = status == COLLEGA_OK && row->revision > body->offer->revision;
  *due =
      status == COLLEGA_OK && (newer || row->state == COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN ||
                               (body->has_not_after && body->not_after <= erasing->now));
  return status;
}

static enum collega_status erase_privates(struct erasing *erasing) {
  CollegaStore__OwnRecords *own =
      (CollegaStore__OwnRecords *)content(erasing, &collega_store__own_records__descriptor);
  struct run_view view;
  bool cut = false;
  if (!own) return COLLEGA_DAMAGED;
  if (erasing->erasure->deal || own->n_privates == 0) return COLLEGA_OK;
  enum collega_status status =
      run_read_bytes(field_bytes(&own->run), erasing->arena, &view, erasing->error);
  for (size_t i = 0; status == COLLEGA_OK && i < own->n_privates && i < view.count; i++) {
    bool due = false;
    if (own->privates[i].len == 0) continue;
    status = private_is_due(erasing, view.records[i].body, &due);
    if (due) own->privates[i] = (ProtobufCBinaryData){0, NULL};
    cut = cut || due;
  }
  return status == COLLEGA_OK && cut ? remain(erasing, &own->base) : status;
}

static enum collega_status erase_entry(struct erasing *erasing) {
  const struct ledger_event *event = erasing->event;
  if (event->erased || !event->payload.data || !event->party) return COLLEGA_OK;
  if (erasing->erasure->deal && !id_equal(event->party, erasing->erasure->party)) return COLLEGA_OK;
  if (!erasing->erasure->deal && event->time >= erasing->erasure->before) return COLLEGA_OK;
  switch (event->kind) {
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_DRAFT:
    return erase_draft(erasing);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_SIGNED:
    return erase_signed(erasing);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_SEALED:
    return erase_sealed(erasing);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MATCH_ACT:
    return erase_words(erasing);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_IN:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FETCHED:
    return erase_letter(erasing);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_BAD:
    return erase_bad_mail(erasing);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_OWN_RECORDS:
    return erase_privates(erasing);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_GENESIS:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_PARTY:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_EPOCH:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_JOINED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RECEIPTS:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_BOARD:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RESET:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_DECISION_IN:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ACT_DROPPED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_STORED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_REFUSED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_WELCOME:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_QUESTION:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_LAPSED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FILTER:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ADOPTED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RESTORED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ERASED:
  case _COLLEGA_STORE__ENTRY_KIND_IS_INT_SIZE:
    break;
  }
  return COLLEGA_OK;
}

/* ---- the whole */

static enum collega_status find_root(struct erasing *erasing) {
  struct deal_view view;
  CollegaStore__RootRow *root;
  bool open = false, runs = false;
  if (!erasing->erasure->deal) return COLLEGA_OK;
  enum collega_status status =
      deal_view_read(erasing->txn, party_of(erasing), erasing->erasure->deal, erasing->arena, &view,
                     erasing->error);
  if (status == COLLEGA_NOT_FOUND)
    return error_set(erasing->error, COLLEGA_NOT_FOUND, RULE_deal_unknown, NULL, NULL);
  if (status != COLLEGA_OK) return status;
  erasing->root = view.root;
  status = root_row(erasing->txn, party_of(erasing), bytes_of(view.root.byte, ID_BYTES),
                    erasing->arena, &root, erasing->error);
  if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(erasing->error, "roots");
  if (status == COLLEGA_OK) status = root_lives(erasing, root, &open, &runs);
  if (status != COLLEGA_OK) return status;
  erasing->has_thread =
      root->has_thread && id_from(&erasing->thread, root->thread.data, root->thread.len);
  return open ? error_set(erasing->error, COLLEGA_REFUSED, RULE_erase_open, NULL, NULL)
              : COLLEGA_OK;
}

static enum collega_status erase_all(struct erasing *erasing) {
  struct ledger_head head;
  struct ledger_event event;
  enum collega_status status = find_root(erasing);
  if (status == COLLEGA_OK) status = ledger_head(erasing->txn, &head, erasing->error);
  for (uint64_t number = 1; status == COLLEGA_OK && number <= head.number; number++) {
    arena_reset(erasing->arena);
    status = ledger_entry(erasing->txn, number, erasing->arena, &event, erasing->error);
    erasing->event = &event;
    if (status == COLLEGA_OK) status = erase_entry(erasing);
  }
  if (status != COLLEGA_OK || erasing->count == 0) return status;
  status = ledger_reduce(erasing->txn, erasing->list, erasing->count, erasing->now, erasing->error);
  return status == COLLEGA_OK
             ? ledger_replay(erasing->txn, exchange_apply, erasing->exchange, erasing->error)
             : status;
}

enum collega_status exchange_erase(struct exchange *exchange, const struct erasure *erasure,
                                   collega_time now, uint64_t *entries,
                                   struct collega_error *error) {
  struct erasing erasing = {.exchange = exchange,
                            .erasure = erasure,
                            .now = now,
                            .arena = exchange_arena(),
                            .error = error};
  *entries = 0;
  if (!erasing.arena) return exchange_no_memory(error);
  enum collega_status status = exchange_begin(exchange, &erasing.txn, error);
  if (status == COLLEGA_OK)
    status = exchange_end(exchange, &erasing.txn, erase_all(&erasing), error);
  if (status == COLLEGA_OK) *entries = erasing.count;
  for (size_t i = 0; i < erasing.count; i++) {
    explicit_bzero((void *)(uintptr_t)erasing.list[i].payload.data, erasing.list[i].payload.length);
    free((void *)(uintptr_t)erasing.list[i].payload.data);
  }
  free(erasing.list);
  arena_destroy(&erasing.arena);
  return status;
}

enum collega_status exchange_scrub(const char *home, bool *left, struct collega_error *error) {
  struct exchange *exchange = NULL;
  bool runs = run_lock_held(home), some = false;
  enum collega_status status = exchange_open(home, &exchange, error);
  if (status == COLLEGA_OK)
    status = ledger_scrub(exchange_ledger(exchange), exchange_apply, exchange, &some, error);
  exchange_close(&exchange);
  *left = some || runs;
  return status;
}
