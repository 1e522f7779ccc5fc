/* What is forged, or does not hang together, changes nothing but the record of it. */
#include "pair.h"

#include <string.h>

#include "proto/guard.h"
#include "proto/limits.h"

static Collega__FromBroker *unpack(struct bytes frame, struct arena *arena) {
  ProtobufCMessage *message = NULL;
  must(guard_unpack(&collega__from_broker__descriptor, frame, arena, &message, &error));
  return (Collega__FromBroker *)message;
}

/* Delivers, and shows that a refused frame left nothing behind. */
static void assert_refused(struct world *world, struct home *home, const Collega__FromBroker *frame,
                           struct arena *arena) {
  uint64_t entries = world_entries(home);
  struct id tables = world_tables(home), after;
  assert_int_equal(world_deliver(world, home, message_pack(&frame->base, arena)), COLLEGA_FORGED);
  after = world_tables(home);
  assert_int_equal(world_entries(home), entries);
  assert_memory_equal(&after, &tables, sizeof tables);
}

static CollegaStore__BrokerRow *broker_row(struct home *home, struct arena *arena) {
  CollegaStore__BrokerRow *row = NULL;
  struct ledger_txn *txn = NULL;
  must(ledger_read(exchange_ledger(home->exchange), &txn, &error));
  must(exchange_broker(txn, arena, &row, &error));
  ledger_abort(&txn);
  assert_non_null(row);
  return row;
}

static uint64_t mailbox_read(struct home *home, struct arena *arena) {
  ProtobufCMessage *row = NULL;
  struct ledger_txn *txn = NULL;
  must(ledger_read(exchange_ledger(home->exchange), &txn, &error));
  must(row_get(txn, TABLE_OWN, bytes_of(home->party.byte, ID_BYTES),
               &collega_store__own_party__descriptor, arena, &row, &error));
  ledger_abort(&txn);
  return ((CollegaStore__OwnParty *)row)->mailbox_seq;
}

/* The newest entry's kind and the problem that it names ("" : none). */
static CollegaStore__EntryKind newest(struct home *home, char problem[64], struct arena *arena) {
  struct ledger_event event;
  struct ledger_txn *txn = NULL;
  uint64_t number = world_entries(home);
  must(ledger_read(exchange_ledger(home->exchange), &txn, &error));
  must(ledger_entry(txn, number, arena, &event, &error));
  ledger_abort(&txn);
  problem[0] = '\0';
  if (event.kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_BAD) {
    const CollegaStore__MailIn *mail = (const CollegaStore__MailIn *)row_unpack(
        &collega_store__mail_in__descriptor, event.payload, arena);
    assert_non_null(mail);
    strncpy(problem, mail->problem, 63);
    problem[63] = '\0';
  }
  return event.kind;
}

/* A letter by the lender, put into the borrower's mailbox by hand at the next place. */
static void deliver_letter(struct world *world, const struct pair *pair, Collega__Run **runs,
                           size_t count, Collega__SaltedTerms *terms, struct arena *arena) {
  struct ledger_txn *txn = NULL;
  struct home *to = pair->borrower, *from = pair->lender;
  const CollegaStore__BrokerRow *row = broker_row(to, arena);
  Collega__Letter letter = COLLEGA__LETTER__INIT;
  uint8_t epoch[EPOCH_BYTES] = {1};
  struct bytes envelope;
  letter.from = (ProtobufCBinaryData){ID_BYTES, from->party.byte};
  letter.to = (ProtobufCBinaryData){ID_BYTES, to->party.byte};
  letter.epoch = (ProtobufCBinaryData){sizeof epoch, epoch};
  letter.seq = 77;
  letter.n_runs = count;
  letter.runs = runs;
  letter.terms = terms;
  must(ledger_read(exchange_ledger(from->exchange), &txn, &error));
  const struct known_party *recipient =
      members_find(exchange_members(from->exchange, txn), &to->party);
  assert_non_null(recipient);
  must(letter_seal(exchange_identity(from->exchange, &from->party), recipient, &letter, false,
                   world->now + DAY_MS, arena, &envelope, &error));
  ledger_abort(&txn);
  Collega__FromBroker frame = COLLEGA__FROM_BROKER__INIT;
  Collega__Mail mail = COLLEGA__MAIL__INIT;
  Collega__MailItem item = COLLEGA__MAIL_ITEM__INIT, *items = &item;
  mail.party = letter.to;
  mail.epoch = row->epoch;
  item.seq = mailbox_read(to, arena) + 1;
  item.has_envelope = true;
  item.envelope = (ProtobufCBinaryData){envelope.length, (uint8_t *)(uintptr_t)envelope.data};
  mail.n_items = 1;
  mail.items = &items;
  frame.mail = &mail;
  must(world_deliver(world, to, message_pack(&frame.base, arena)));
}

/* The lender signs, but what it would send stays here. */
static CollegaStore__DealRow *sign_only(struct world *world, const struct pair *pair,
                                        const struct id *deal, struct arena *arena) {
  uint32_t acts = 0;
  must(exchange_sign(pair->lender->exchange, world->now, true, &acts, &error));
  assert_int_equal(acts, 1);
  return world_deal_row(pair->lender, deal, arena);
}

static void a_proposal_with_other_terms_than_were_signed_is_not_taken(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct arena *arena = arena_new(65536, 1u << 24);
  struct id deal = pair_propose(world, &pair, 2);
  char problem[64];
  CollegaStore__DealRow *row = sign_only(world, &pair, &deal, arena);
  Collega__Run *header = (Collega__Run *)row_unpack(
      &collega__run__descriptor, bytes_of(row->header_run.data, row->header_run.len), arena);
  Collega__Terms *terms = NULL;
  Collega__SaltedTerms *salted = (Collega__SaltedTerms *)row_unpack(
      &collega__salted_terms__descriptor, bytes_of(row->terms.data, row->terms.len), arena);
  unsigned hidden = 0;
  must(terms_read(salted, arena, &terms, &hidden, &error));
  terms->work->headcount = 1;
  Collega__SaltedTerms *other = NULL;
  must(terms_salt(terms, arena, &other, &error));
  deliver_letter(world, &pair, &header, 1, other, arena);
  assert_int_equal(newest(pair.borrower, problem, arena),
                   COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_BAD);
  assert_string_equal(problem, "proposal_terms");
  assert_int_equal(world_deal_state(pair.borrower, &deal, NULL), 0);
  /* Without the mandate that it names, and which the board has brought, the true letter is
   * taken. */
  deliver_letter(world, &pair, &header, 1, salted, arena);
  assert_int_equal(newest(pair.borrower, problem, arena),
                   COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_IN);
  assert_int_equal(world_deal_state(pair.borrower, &deal, NULL),
                   COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RECEIVED);
  arena_destroy(&arena);
}

static void a_header_with_a_forged_signature_is_not_taken(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct arena *arena = arena_new(65536, 1u << 24);
  struct id deal = pair_propose(world, &pair, 2);
  char problem[64];
  CollegaStore__DealRow *row = sign_only(world, &pair, &deal, arena);
  Collega__Run *header = (Collega__Run *)row_unpack(
      &collega__run__descriptor, bytes_of(row->header_run.data, row->header_run.len), arena);
  Collega__SaltedTerms *salted = (Collega__SaltedTerms *)row_unpack(
      &collega__salted_terms__descriptor, bytes_of(row->terms.data, row->terms.len), arena);
  header->signature.data[3] ^= 1;
  deliver_letter(world, &pair, &header, 1, salted, arena);
  assert_int_equal(newest(pair.borrower, problem, arena),
                   COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_BAD);
  assert_string_equal(problem, "run_signature");
  assert_int_equal(world_deal_state(pair.borrower, &deal, NULL), 0);
  arena_destroy(&arena);
}

static void a_decision_with_a_forged_signature_is_refused(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct arena *arena = arena_new(65536, 1u << 24);
  struct store_txn *txn = NULL;
  struct epoch epoch;
  struct bytes frame;
  uint32_t items = 0;
  uint64_t last = 0;
  struct id deal = pair_propose(world, &pair, 2);
  world_settle(world);
  must(
      deal_accept(pair.borrower->exchange, &pair.borrower->party, &deal, NULL, world->now, &error));
  pair.lender->welcomed = false; /* reads nothing meanwhile */
  world_settle(world);
  assert_int_equal(world_deal_state(pair.lender, &deal, NULL),
                   COLLEGA_STORE__DEAL_STATE__DEAL_STATE_PROPOSED);
  const CollegaStore__BrokerRow *row = broker_row(pair.lender, arena);
  assert_true(epoch_from(&epoch, row->epoch.data, row->epoch.len));
  must(store_read(world->store, &txn, &error));
  must(mail_read(txn, &pair.lender->party, &epoch, mailbox_read(pair.lender, arena), 64,
                 512u * 1024, arena, &frame, &items, &last, &error));
  store_end(&txn);
  Collega__FromBroker *from = unpack(frame, arena);
  assert_int_equal(from->mail->n_items, 2); /* the acceptance, then the decision */
  Collega__MailItem *item = from->mail->items[1];
  assert_true(item->has_decision);
  for (size_t at = 0; at < item->decision.len; at += item->decision.len / 7) {
    item->decision.data[at] ^= 4;
    if (world_deliver(world, pair.lender, message_pack(&from->base, arena)) == COLLEGA_OK) {
      char problem
          [64]; /* so much changed that it is no decision at all: recorded, and of no effect */
      assert_int_equal(newest(pair.lender, problem, arena),
                       COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_BAD);
    }
    item->decision.data[at] ^= 4;
    assert_int_equal(world_deal_state(pair.lender, &deal, NULL),
                     COLLEGA_STORE__DEAL_STATE__DEAL_STATE_PROPOSED);
  }
  /* A lost word is asked for at the next Welcome. */
  world_welcome(world, pair.lender);
  world_settle(world);
  assert_int_equal(world_deal_state(pair.lender, &deal, NULL),
                   COLLEGA_STORE__DEAL_STATE__DEAL_STATE_CONCLUDED);
  arena_destroy(&arena);
}

static void receipts_with_a_forged_signature_are_refused(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct arena *arena = arena_new(65536, 1u << 24);
  struct short_id id =
      world_publish(world, pair.lender, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, 1);
  CollegaStore__OfferRow *row = world_offer_row(pair.lender, &id, arena);
  struct id record;
  struct epoch epoch = {{1}};
  Collega__FromBroker from = COLLEGA__FROM_BROKER__INIT;
  Collega__Receipts receipts = COLLEGA__RECEIPTS__INIT;
  assert_true(id_from(&record, row->content.data, row->content.len));
  must(receipt_sign(exchange_identity(pair.borrower->exchange, &pair.borrower->party), &epoch, 900,
                    world->now, &record, 1, arena, &receipts.receipt, NULL, &error));
  receipts.n_ids = 1;
  receipts.ids = &row->content;
  from.receipts = &receipts;
  assert_refused(world, pair.lender, &from, arena); /* by somebody else */
  must(receipt_sign(world->broker, &epoch, 900, world->now, &record, 1, arena, &receipts.receipt,
                    NULL, &error));
  receipts.receipt->first_seq = 901;
  assert_refused(world, pair.lender, &from, arena); /* of another place */
  receipts.receipt->first_seq = 900;
  must(world_deliver(world, pair.lender, message_pack(&from.base, arena)));
  assert_non_null(world_offer_row(pair.lender, &id, arena)->position);
  arena_destroy(&arena);
}

static void a_welcome_tells_when_the_home_is_behind(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct arena *arena = arena_new(65536, 1u << 24);
  struct store_txn *txn = NULL;
  struct bytes frame;
  struct intake_outcome outcome;
  struct told_head told;
  must(store_read(world->store, &txn, &error));
  must(welcome_read(txn, &pair.lender->party, true, world->now, arena, &frame, &error));
  store_end(&txn);
  Collega__FromBroker *from = unpack(frame, arena);
  assert_non_null(from->welcome->seen);
  must(
      intake_frame(pair.lender->exchange, from, frame, world->now, &told, arena, &outcome, &error));
  assert_true(outcome.welcomed);
  assert_false(outcome.behind);
  assert_true(told.any);
  from->welcome->seen->hash.data[0] ^=
      1; /* the same number with another history: a copy of this home went on */
  must(
      intake_frame(pair.lender->exchange, from, frame, world->now, &told, arena, &outcome, &error));
  assert_true(outcome.behind);
  from->welcome->seen->number = world_entries(pair.lender) + 1;
  must(
      intake_frame(pair.lender->exchange, from, frame, world->now, &told, arena, &outcome, &error));
  assert_true(outcome.behind);
  arena_destroy(&arena);
}

static void nothing_is_signed_before_a_welcome(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct id deal = pair_propose(world, &pair, 2);
  uint32_t acts = 7;
  must(exchange_sign(pair.lender->exchange, world->now, false, &acts, &error));
  assert_int_equal(acts, 0);
  assert_int_equal(world_deal_state(pair.lender, &deal, NULL),
                   COLLEGA_STORE__DEAL_STATE__DEAL_STATE_DRAFT);
}

#define world_test(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      world_test(a_proposal_with_other_terms_than_were_signed_is_not_taken),
      world_test(a_header_with_a_forged_signature_is_not_taken),
      world_test(a_decision_with_a_forged_signature_is_refused),
      world_test(receipts_with_a_forged_signature_are_refused),
      world_test(a_welcome_tells_when_the_home_is_behind),
      world_test(nothing_is_signed_before_a_welcome),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
