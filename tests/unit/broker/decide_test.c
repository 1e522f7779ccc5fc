/* Deciding, as the parties see it: identical decisions in both mailboxes, identical repeats, a
 * restored decider. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

/* A negotiation of two parties: every act is signed and packed as it will be sent. */
struct talk {
  struct party *proposer, *other;
  struct id root, deal;
  Collega__Run *header;
  uint8_t serial;
  struct id proposer_mandate, other_mandate; /* zero: none named */
};

static ProtobufCBinaryData field_of(const void *data, size_t length) {
  return (ProtobufCBinaryData){length, (uint8_t *)(uintptr_t)data};
}

static Collega__Run *sign_body(struct world *world, struct party *party, Collega__Body *body,
                               struct id *id) {
  struct bytes packed = body_of(world, party, body);
  if (id) record_id(id, packed);
  return sign_run(world, party, &packed, 1);
}

static void propose(struct world *world, struct talk *talk, const struct id *replaces) {
  struct broker_state broker = world_state(world);
  struct short_id capacities[2] = {{{1, talk->serial}}, {{2, talk->serial}}};
  struct id commitment = {{7}};
  Collega__OfferRef lends = COLLEGA__OFFER_REF__INIT, borrows = COLLEGA__OFFER_REF__INIT;
  lends.has_capacity = borrows.has_capacity = 1;
  lends.capacity = field_of(capacities[0].byte, SHORT_ID_BYTES);
  borrows.capacity = field_of(capacities[1].byte, SHORT_ID_BYTES);
  Collega__Edge edge = COLLEGA__EDGE__INIT, *edges[1] = {&edge};
  edge.lender = field_of(talk->proposer->id.byte, ID_BYTES);
  edge.borrower = field_of(talk->other->id.byte, ID_BYTES);
  edge.lends = &lends;
  edge.borrows = &borrows;
  edge.commitment = field_of(commitment.byte, ID_BYTES);
  Collega__DealHeader header = COLLEGA__DEAL_HEADER__INIT;
  header.n_edges = 1;
  header.edges = edges;
  header.decider = field_of(broker.broker.byte, ID_BYTES);
  header.decider_epoch = field_of(broker.epoch.byte, EPOCH_BYTES);
  header.time = world->now;
  header.accept_by = world->now + DAY_MS;
  header.root = field_of(talk->root.byte, ID_BYTES);
  header.thread = field_of(talk->root.byte, ID_BYTES);
  header.has_mandate = !id_is_zero(&talk->proposer_mandate);
  header.mandate = field_of(talk->proposer_mandate.byte, ID_BYTES);
  if (replaces) {
    header.has_replaces = 1;
    header.replaces = field_of(replaces->byte, ID_BYTES);
  }
  Collega__Body body = COLLEGA__BODY__INIT;
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_DEAL;
  body.deal = &header;
  talk->header = sign_body(world, talk->proposer, &body, &talk->deal);
}

static struct talk talk_start(struct world *world, struct party *proposer, struct party *other,
                              uint8_t serial) {
  struct talk talk = {
      .proposer = proposer, .other = other, .root = {{serial, 99}}, .serial = serial};
  propose(world, &talk, NULL);
  return talk;
}

static Collega__Run *acceptance(struct world *world, const struct talk *talk, struct id *id) {
  Collega__Acceptance content = COLLEGA__ACCEPTANCE__INIT;
  content.deal = field_of(talk->deal.byte, ID_BYTES);
  content.time = world->now;
  content.has_mandate = !id_is_zero(&talk->other_mandate);
  content.mandate = field_of(talk->other_mandate.byte, ID_BYTES);
  Collega__Body body = COLLEGA__BODY__INIT;
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_ACCEPTANCE;
  body.acceptance = &content;
  return sign_body(world, talk->other, &body, id);
}

static Collega__Run *asking(struct world *world, const struct talk *talk, struct party *party) {
  Collega__Ask content = COLLEGA__ASK__INIT;
  content.deal = field_of(talk->deal.byte, ID_BYTES);
  content.time = world->now;
  Collega__Body body = COLLEGA__BODY__INIT;
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_ASK;
  body.ask = &content;
  return sign_body(world, party, &body, NULL);
}

static Collega__Run *withdrawal(struct world *world, const struct talk *talk) {
  Collega__Withdraw content = COLLEGA__WITHDRAW__INIT;
  content.deal = field_of(talk->deal.byte, ID_BYTES);
  content.time = world->now;
  Collega__Body body = COLLEGA__BODY__INIT;
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_WITHDRAW;
  body.withdraw = &content;
  return sign_body(world, talk->proposer, &body, NULL);
}

static struct request *decide_request_of(struct world *world, const struct talk *talk,
                                         struct party *party, Collega__Run *act) {
  Collega__Run *runs[2] = {talk->header, act};
  Collega__Decide deciding = COLLEGA__DECIDE__INIT;
  deciding.party = field_of(party->id.byte, ID_BYTES);
  deciding.n_runs = 2;
  deciding.runs = runs;
  deciding.head = next_head(world, party);
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  frame.decide = &deciding;
  return frame_request(world, party, &frame);
}

static void decide(struct world *world, const struct talk *talk, struct party *party,
                   Collega__Run *act) {
  commit_one(world, decide_request_of(world, talk, party, act));
}

/* The decisions in a mailbox after `after`, as bytes. */
struct decisions {
  struct bytes bytes[16];
  uint64_t seqs[16];
  size_t count;
};
static struct decisions decisions_of(struct world *world, const struct party *party,
                                     uint64_t after) {
  struct broker_state broker = world_state(world);
  struct store_txn *txn = world_read(world);
  struct decisions out = {.count = 0};
  struct bytes frame;
  uint32_t items;
  uint64_t last;
  must(mail_read(txn, &party->id, &broker.epoch, after, 16, LIMIT_BOARD_BYTES, world->arena, &frame,
                 &items, &last, &error));
  store_end(&txn);
  if (!frame.data) return out;
  const Collega__Mail *mail = unpack_answer(world, frame)->mail;
  for (size_t i = 0; i < mail->n_items; i++) {
    assert_true(mail->items[i]->has_decision);
    out.bytes[out.count] = bytes_of(mail->items[i]->decision.data, mail->items[i]->decision.len);
    out.seqs[out.count++] = mail->items[i]->seq;
  }
  return out;
}

static const Collega__Decision *read_decision(struct world *world, struct bytes run,
                                              struct id *id) {
  struct run_view view;
  must(run_read_bytes(run, world->arena, &view, &error));
  must(run_verify(&view, identity_public(world->identity)->signing, &error));
  assert_int_equal(view.count, 1);
  assert_null(view.records[0].refused);
  assert_non_null(view.records[0].body->decision);
  if (id) *id = view.records[0].id;
  return view.records[0].body->decision;
}

static const Collega__Stored *find_stored(struct world *world) {
  for (size_t i = 0; i < world->result.answer_count; i++)
    if (answer_at(world, i)->stored) return answer_at(world, i)->stored;
  return NULL;
}

static const Collega__Mail *find_mail(struct world *world) {
  for (size_t i = 0; i < world->result.answer_count; i++)
    if (answer_at(world, i)->mail) return answer_at(world, i)->mail;
  return NULL;
}

/* Two members who negotiate: `p` has proposed to `q`. */
struct two {
  struct world *world;
  struct party p, q;
  struct talk talk;
};

static int two_setup(void **state) {
  if (world_setup(state) != 0) return -1;
  struct two *two = calloc(1, sizeof *two);
  assert_non_null(two);
  two->world = *state;
  party_join(two->world, &two->p, 1);
  party_join(two->world, &two->q, 2);
  two->talk = talk_start(two->world, &two->p, &two->q, 1);
  *state = two;
  return 0;
}

static int two_teardown(void **state) {
  struct two *two = *state;
  party_free(&two->p);
  party_free(&two->q);
  *state = two->world;
  free(two);
  return world_teardown(state);
}

static void both_mailboxes_get_the_same_conclusion(void **state) {
  struct two *two = *state;
  struct world *world = two->world;
  struct talk talk = two->talk;
  struct id basis;
  decide(world, &talk, &two->q, acceptance(world, &talk, &basis));
  const Collega__Stored *stored = find_stored(world);
  assert_non_null(stored);
  assert_memory_equal(stored->hash.data, basis.byte, ID_BYTES);
  assert_int_equal(stored->seq, 0);
  assert_int_equal(world->result.mail_count, 2);
  struct decisions at_p = decisions_of(world, &two->p, 0), at_q = decisions_of(world, &two->q, 0);
  assert_int_equal(at_p.count, 1);
  assert_int_equal(at_q.count, 1);
  assert_true(bytes_equal(at_p.bytes[0], at_q.bytes[0]));
  const Collega__Decision *decision = read_decision(world, at_p.bytes[0], NULL);
  assert_int_equal(decision->verdict, COLLEGA__VERDICT__VERDICT_CONCLUDED);
  assert_int_equal(decision->position, 1);
  assert_memory_equal(decision->deal.data, talk.deal.byte, ID_BYTES);
  assert_memory_equal(decision->basis.data, basis.byte, ID_BYTES);
}

static void repeats_get_identical_bytes_also_after_a_restart(void **state) {
  struct two *two = *state;
  struct world *world = two->world;
  struct talk talk = two->talk;
  Collega__Run *accepts = acceptance(world, &talk, NULL);
  decide(world, &talk, &two->q, accepts);
  struct bytes first = decisions_of(world, &two->q, 0).bytes[0];
  world->now += MINUTE_MS;
  decide(world, &talk, &two->q, accepts);
  assert_non_null(find_stored(world));
  const Collega__Mail *again = find_mail(world);
  assert_non_null(again);
  assert_int_equal(again->items[0]->seq, 1);
  assert_true(
      bytes_equal(bytes_of(again->items[0]->decision.data, again->items[0]->decision.len), first));
  assert_int_equal(world->result.mail_count, 0);
  world_close(world);
  world_open(world);
  decide(world, &talk, &two->p, asking(world, &talk, &two->p));
  again = find_mail(world);
  assert_non_null(again);
  assert_memory_equal(again->party.data, two->p.id.byte, ID_BYTES);
  assert_true(
      bytes_equal(bytes_of(again->items[0]->decision.data, again->items[0]->decision.len), first));
  assert_int_equal(decisions_of(world, &two->p, 0).count, 1);
}

static void a_counter_that_is_concluded_voids_what_it_replaces(void **state) {
  struct two *two = *state;
  struct world *world = two->world;
  struct talk first = two->talk;
  struct talk counter = {.proposer = &two->q, .other = &two->p, .root = first.root, .serial = 2};
  propose(world, &counter, &first.deal);
  decide(world, &first, &two->p, asking(world, &first, &two->p)); /* the decider knows of both */
  decide(world, &counter, &two->p, acceptance(world, &counter, NULL));
  struct decisions at_p = decisions_of(world, &two->p, 0), at_q = decisions_of(world, &two->q, 0);
  assert_int_equal(at_p.count, 2);
  assert_int_equal(at_q.count, 2);
  const Collega__Decision *concluded = NULL, *voided = NULL;
  for (size_t i = 0; i < 2; i++) {
    assert_true(bytes_equal(at_p.bytes[i], at_q.bytes[i]));
    const Collega__Decision *decision = read_decision(world, at_p.bytes[i], NULL);
    if (decision->verdict == COLLEGA__VERDICT__VERDICT_CONCLUDED)
      concluded = decision;
    else
      voided = decision;
  }
  assert_true(concluded && voided);
  assert_memory_equal(concluded->deal.data, counter.deal.byte, ID_BYTES);
  assert_memory_equal(voided->deal.data, first.deal.byte, ID_BYTES);
  assert_int_equal(concluded->n_voids, 1);
  assert_memory_equal(concluded->voids[0].data, first.deal.byte, ID_BYTES);
  decide(world, &first, &two->q, acceptance(world, &first, NULL));
  const Collega__Mail *again = find_mail(world);
  assert_non_null(again);
  assert_int_equal(
      read_decision(world, bytes_of(again->items[0]->decision.data, again->items[0]->decision.len),
                    NULL)
          ->verdict,
      COLLEGA__VERDICT__VERDICT_VOID);
}

static void only_the_parties_decide_and_each_its_own_part(void **state) {
  struct two *two = *state;
  struct world *world = two->world;
  struct party outsider;
  party_join(world, &outsider, 3);
  struct talk talk = two->talk;
  Collega__Run *accepts = acceptance(world, &talk, NULL);
  decide(world, &talk, &two->p, accepts); /* the other's acceptance, brought by the proposer */
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED);
  decide(world, &talk, &outsider, asking(world, &talk, &outsider));
  assert_int_equal(world->result.answer_count, 1);
  assert_non_null(answer_at(world, 0)->refusal);
  talk.proposer = &two->p;
  decide(world, &talk, &two->p, withdrawal(world, &talk));
  assert_non_null(find_stored(world));
  assert_int_equal(read_decision(world, decisions_of(world, &two->q, 0).bytes[0], NULL)->verdict,
                   COLLEGA__VERDICT__VERDICT_VOID);
  party_free(&outsider);
}

static void another_decider_or_a_stranger_is_unknown_here(void **state) {
  struct two *two = *state;
  struct world *world = two->world;
  struct talk talk = two->talk;
  struct request *request =
      decide_request_of(world, &talk, &two->q, acceptance(world, &talk, NULL));
  request->decider.byte[0] ^= 1;
  commit_one(world, request);
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_UNKNOWN);
  assert_int_equal(decisions_of(world, &two->p, 0).count, 0);
}

static void a_forged_acceptance_decides_nothing(void **state) {
  struct two *two = *state;
  struct world *world = two->world;
  struct talk talk = two->talk;
  Collega__Run *accepts = acceptance(world, &talk, NULL);
  accepts->signature.data[3] ^= 1;
  decide(world, &talk, &two->q, accepts);
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_INVALID);
  assert_int_equal(decisions_of(world, &two->q, 0).count, 0);
}

static void what_was_asked_and_decided_can_be_fetched(void **state) {
  struct two *two = *state;
  struct world *world = two->world;
  struct talk talk = two->talk;
  struct id basis;
  decide(world, &talk, &two->q, acceptance(world, &talk, &basis));
  struct broker_state broker = world_state(world);
  Collega__Fetch fetching = COLLEGA__FETCH__INIT;
  fetching.party = field_of(two->q.id.byte, ID_BYTES);
  struct store_txn *txn = world_read(world);
  struct bytes frame;
  uint32_t items;
  uint64_t after = 0;
  bool done;
  fetching.what = COLLEGA__FETCH_CLASS__FETCH_CLASS_COPIES;
  must(fetch_read(txn, &broker.epoch, &fetching, &after, world->arena, &frame, &items, &done,
                  &error));
  const Collega__Mail *copies = unpack_answer(world, frame)->mail;
  assert_int_equal(copies->n_items, 1);
  struct run_view view;
  must(run_read_bytes(bytes_of(copies->items[0]->decision.data, copies->items[0]->decision.len),
                      world->arena, &view, &error));
  assert_true(id_equal(&view.records[0].id, &basis));
  after = 0;
  fetching.what = COLLEGA__FETCH_CLASS__FETCH_CLASS_DECISIONS;
  must(fetch_read(txn, &broker.epoch, &fetching, &after, world->arena, &frame, &items, &done,
                  &error));
  store_end(&txn);
  const Collega__Mail *rulings = unpack_answer(world, frame)->mail;
  assert_int_equal(rulings->n_items, 1);
  assert_true(
      bytes_equal(bytes_of(rulings->items[0]->decision.data, rulings->items[0]->decision.len),
                  decisions_of(world, &two->q, 0).bytes[0]));
}

/* As `collega-broker restore` does before it starts. */
static void restore(struct world *world) {
  members_destroy(&world->members);
  commit_close(&world->commit);
  struct store_txn *txn = NULL;
  struct broker_state broker;
  bool found;
  must(store_write(world->store, &txn, &error));
  must(state_read(txn, &broker, &found, &error));
  broker.restored = true;
  must(state_write(txn, &broker, &error));
  must(store_commit(&txn, &error));
  store_close(&world->store);
  world_open(world);
}

static Collega__Run *answer_of(struct world *world, const struct talk *talk, struct party *party,
                               const struct decisions *shown) {
  struct broker_state broker = world_state(world);
  ProtobufCBinaryData blobs[16];
  Collega__EpochAnswer content = COLLEGA__EPOCH_ANSWER__INIT;
  content.root = field_of(talk->root.byte, ID_BYTES);
  content.epoch = field_of(broker.epoch.byte, EPOCH_BYTES);
  for (size_t i = 0; i < shown->count; i++)
    blobs[i] = field_of(shown->bytes[i].data, shown->bytes[i].length);
  content.n_decisions = shown->count;
  content.decisions = blobs;
  content.time = world->now;
  Collega__Body body = COLLEGA__BODY__INIT;
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_EPOCH_ANSWER;
  body.epoch_answer = &content;
  return sign_body(world, party, &body, NULL);
}

static void a_restored_decider_opens_an_epoch_and_asks_both_before_it_rules(void **state) {
  struct two *two = *state;
  struct world *world = two->world;
  struct talk talk = two->talk;
  struct broker_state before = world_state(world);
  restore(world);
  struct broker_state after = world_state(world);
  assert_true(after.epoch_number > before.epoch_number);
  assert_memory_not_equal(after.epoch.byte, before.epoch.byte, EPOCH_BYTES);
  assert_int_equal(after.log_seq, before.log_seq + 1); /* the epoch's start */

  decide(world, &talk, &two->q, acceptance(world, &talk, NULL));
  size_t questions = 0, to_other = 0;
  for (size_t i = 0; i < world->result.answer_count; i++) {
    if (!answer_at(world, i)->question) continue;
    questions++;
    to_other += id_equal(&world->result.answers[i].home, &two->p.id);
  }
  assert_int_equal(questions, 2);
  assert_int_equal(to_other, 1);
  assert_int_equal(decisions_of(world, &two->q, 0).count, 0);

  struct decisions none = {.count = 0};
  decide(world, &talk, &two->p, answer_of(world, &talk, &two->p, &none));
  assert_int_equal(decisions_of(world, &two->q, 0).count, 0);
  decide(world, &talk, &two->q, answer_of(world, &talk, &two->q, &none));
  struct decisions at_q = decisions_of(world, &two->q, 0);
  assert_int_equal(at_q.count, 1);
  const Collega__Decision *decision = read_decision(world, at_q.bytes[0], NULL);
  assert_int_equal(decision->verdict, COLLEGA__VERDICT__VERDICT_CONCLUDED);
  assert_int_equal(decision->epoch_number, after.epoch_number);
}

/* Q was asked about a root that never reached it: it says so, without a header. */
static void a_party_that_knows_nothing_of_a_root_says_so_alone(void **state) {
  struct two *two = *state;
  struct world *world = two->world;
  struct talk talk = two->talk, other = talk_start(world, &two->p, &two->q, 2);
  struct decisions none = {.count = 0};
  restore(world);
  decide(world, &talk, &two->p, withdrawal(world, &talk));
  decide(world, &talk, &two->p, answer_of(world, &talk, &two->p, &none));
  assert_int_equal(decisions_of(world, &two->p, 0).count, 0);
  Collega__Run *runs[1] = {answer_of(world, &other, &two->q, &none)};
  Collega__Decide deciding = COLLEGA__DECIDE__INIT;
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  deciding.party = field_of(two->q.id.byte, ID_BYTES);
  deciding.n_runs = 1;
  deciding.runs = runs;
  deciding.head = next_head(world, &two->q);
  frame.decide = &deciding;
  commit_one(world, frame_request(world, &two->q, &frame)); /* nobody asked about that one */
  assert_non_null(answer_at(world, 0)->refusal);
  assert_int_equal(answer_at(world, 0)->refusal->code, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_UNKNOWN);
  runs[0] = answer_of(world, &talk, &two->q, &none);
  deciding.head = next_head(world, &two->q);
  commit_one(world, frame_request(world, &two->q, &frame));
  struct decisions at_p = decisions_of(world, &two->p, 0);
  assert_int_equal(at_p.count, 1);
  assert_int_equal(read_decision(world, at_p.bytes[0], NULL)->verdict,
                   COLLEGA__VERDICT__VERDICT_VOID);
}

static void a_decision_that_a_party_shows_is_adopted(void **state) {
  struct two *two = *state;
  struct world *world = two->world;
  struct talk talk = two->talk;
  decide(world, &talk, &two->q, acceptance(world, &talk, NULL));
  struct decisions held = decisions_of(world, &two->p, 0);
  struct id first;
  read_decision(world, held.bytes[0], &first);
  restore(world); /* from a backup that held it: it is said again, whoever answers */
  decide(world, &talk, &two->p, answer_of(world, &talk, &two->p, &held));
  struct decisions more = decisions_of(world, &two->p, 1);
  assert_true(more.count >= 1);
  const Collega__Decision *adopted = read_decision(world, more.bytes[0], NULL);
  assert_int_equal(adopted->verdict, COLLEGA__VERDICT__VERDICT_CONCLUDED);
  assert_memory_equal(adopted->adopted.data, first.byte, ID_BYTES);
  assert_true(adopted->epoch_number > 1);
}

/* ---- mandates */

static struct id publish_mandate(struct world *world, struct party *party, collega_time until,
                                 bool jointly) {
  Collega__Mandate mandate = COLLEGA__MANDATE__INIT;
  mandate.person = (char *)(uintptr_t) "A. Jansen";
  mandate.function = (char *)(uintptr_t) "directeur";
  mandate.jointly = jointly;
  mandate.valid_from = world->now - DAY_MS;
  mandate.has_valid_until = until != 0;
  mandate.valid_until = until;
  Collega__Body body = COLLEGA__BODY__INIT;
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_MANDATE;
  body.mandate = &mandate;
  struct bytes packed = body_of(world, party, &body);
  struct id id;
  record_id(&id, packed);
  publish(world, party, &packed, 1);
  assert_non_null(answer_at(world, 0)->receipts);
  return id;
}

static void end_mandate(struct world *world, struct party *party, const struct id *mandate) {
  Collega__MandateEnd end = COLLEGA__MANDATE_END__INIT;
  end.mandate = field_of(mandate->byte, ID_BYTES);
  end.time = world->now - DAY_MS; /* dated back: what counts is when it came here */
  Collega__Body body = COLLEGA__BODY__INIT;
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_MANDATE_END;
  body.mandate_end = &end;
  struct bytes packed = body_of(world, party, &body);
  publish(world, party, &packed, 1);
  assert_non_null(answer_at(world, 0)->receipts);
}

static void assert_rule(struct world *world, Collega__RefusalCode code, const char *rule) {
  assert_refused(world, code);
  assert_string_equal(answer_at(world, 0)->refusal->rule, rule);
}

static void a_mandate_must_be_in_force_when_it_is_decided(void **state) {
  struct world *world = *state;
  struct party lender, borrower;
  party_join(world, &lender, 3);
  party_join(world, &borrower, 4);
  struct id lends = publish_mandate(world, &lender, 0, false),
            ends = publish_mandate(world, &lender, world->now + 5000, false),
            both = publish_mandate(world, &borrower, 0, true),
            borrows = publish_mandate(world, &borrower, 0, false), nowhere = {{9}};
  struct talk talk = {.proposer = &lender, .other = &borrower, .root = {{1, 99}}, .serial = 1};
  talk.proposer_mandate = ends;
  talk.other_mandate = both;
  propose(world, &talk, NULL);
  decide(world, &talk, &borrower, acceptance(world, &talk, NULL));
  assert_rule(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED, "mandate_joint");
  talk.other_mandate = nowhere; /* not here yet, or not any more */
  decide(world, &talk, &borrower, acceptance(world, &talk, NULL));
  assert_rule(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_MEMBER, "mandate_unknown");
  talk.other_mandate = lends; /* somebody else's */
  decide(world, &talk, &borrower, acceptance(world, &talk, NULL));
  assert_rule(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_MEMBER, "mandate_unknown");
  world->now += 6000;
  talk.other_mandate = borrows;
  decide(world, &talk, &borrower, acceptance(world, &talk, NULL));
  assert_rule(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED, "mandate_over");
  assert_int_equal(decisions_of(world, &lender, 0).count, 0);

  struct talk good = {.proposer = &lender, .other = &borrower, .root = {{2, 99}}, .serial = 2};
  good.proposer_mandate = lends;
  good.other_mandate = borrows;
  propose(world, &good, NULL);
  Collega__Run *accepted = acceptance(world, &good, NULL);
  decide(world, &good, &borrower, accepted);
  struct decisions first = decisions_of(world, &lender, 0);
  assert_int_equal(first.count, 1);
  end_mandate(world, &lender, &lends);
  decide(world, &good, &borrower, accepted); /* a repeat: the same word, whatever ended since */
  struct decisions again = decisions_of(world, &lender, 0);
  assert_int_equal(again.count, 1);
  assert_true(bytes_equal(first.bytes[0], again.bytes[0]));

  struct talk late = {.proposer = &lender, .other = &borrower, .root = {{3, 99}}, .serial = 3};
  late.proposer_mandate = lends;
  late.other_mandate = borrows;
  propose(world, &late, NULL);
  decide(world, &late, &borrower, acceptance(world, &late, NULL));
  assert_rule(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED, "mandate_over");
  party_free(&lender);
  party_free(&borrower);
}

static void nobody_fills_the_log_with_mandates(void **state) {
  struct world *world = *state;
  struct party party;
  struct bytes bodies[MANDATES_KEPT + 4];
  party_join(world, &party, 3);
  struct id first = publish_mandate(world, &party, 0, false);
  for (size_t i = 0; i < MANDATES_KEPT + 4; i++) {
    Collega__Mandate mandate = COLLEGA__MANDATE__INIT;
    mandate.person = mandate.function = (char *)(uintptr_t) "x";
    mandate.valid_from = world->now;
    Collega__Body body = COLLEGA__BODY__INIT;
    body.type = COLLEGA__BODY_TYPE__BODY_TYPE_MANDATE;
    body.mandate = &mandate;
    bodies[i] = body_of(world, &party, &body);
  }
  publish(world, &party, bodies, MANDATES_KEPT + 4);
  assert_int_equal(world->result.answer_count, 5 + 1);
  for (size_t i = 0; i < 5; i++)
    assert_string_equal(answer_at(world, i)->refusal->rule, "mandate_too_many");
  assert_int_equal(answer_at(world, 5)->receipts->n_ids, MANDATES_KEPT - 1);
  end_mandate(world, &party, &first); /* it may still be ended */
  publish(world, &party, bodies, 2);
  assert_int_equal(answer_at(world, 0)->receipts->n_ids, 2); /* duplicates keep their answer */
  party_free(&party);
}

int main(void) {
#define TEST(name)   cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
#define OF_TWO(name) cmocka_unit_test_setup_teardown(name, two_setup, two_teardown)
  const struct CMUnitTest tests[] = {
      OF_TWO(both_mailboxes_get_the_same_conclusion),
      OF_TWO(repeats_get_identical_bytes_also_after_a_restart),
      OF_TWO(a_counter_that_is_concluded_voids_what_it_replaces),
      OF_TWO(only_the_parties_decide_and_each_its_own_part),
      OF_TWO(another_decider_or_a_stranger_is_unknown_here),
      OF_TWO(a_forged_acceptance_decides_nothing),
      OF_TWO(what_was_asked_and_decided_can_be_fetched),
      OF_TWO(a_restored_decider_opens_an_epoch_and_asks_both_before_it_rules),
      OF_TWO(a_party_that_knows_nothing_of_a_root_says_so_alone),
      OF_TWO(a_decision_that_a_party_shows_is_adopted),
      TEST(a_mandate_must_be_in_force_when_it_is_decided),
      TEST(nobody_fills_the_log_with_mandates),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
