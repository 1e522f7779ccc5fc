/* Joining, coming again, being revoked, changing keys. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

static struct request *join_request_with(struct world *world, struct party *party,
                                         uint32_t number) {
  struct run_view card;
  must(run_read_bytes(identity_card_run(party->identity, number), world->arena, &card, &error));
  Collega__Join join = COLLEGA__JOIN__INIT;
  join.card = (Collega__Run *)(uintptr_t)card.run;
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  frame.join = &join;
  struct request *request = frame_request(world, party, &frame);
  memcpy(request->link_key, party->invitation_key, sizeof request->link_key);
  return request;
}

static struct request *join_request(struct world *world, struct party *party) {
  return join_request_with(world, party, 0);
}

static bool link_is_known(struct world *world, const uint8_t key[32], struct link_row *row) {
  struct store_txn *txn = world_read(world);
  bool found = false;
  must(link_row_read(txn, key, row, &found, &error));
  store_end(&txn);
  return found;
}

static bool was_told(const struct world *world, const uint8_t key[32], bool added) {
  for (size_t i = 0; i < world->result.link_key_count; i++)
    if (!memcmp(world->result.link_keys[i], key, 32) && world->result.link_key_added[i] == added)
      return true;
  return false;
}

static void an_invited_party_gets_a_certificate_that_verifies(void **state) {
  struct world *world = *state;
  struct party party;
  struct link_row link;
  party_make(world, &party, 3);
  party_invite(world, &party, "Snijder BV", world->now + DAY_MS);
  assert_non_null(answer_at(world, 0)->stored);
  assert_true(was_told(world, party.invitation_key, true));
  assert_true(link_is_known(world, party.invitation_key, &link));
  assert_true(id_is_zero(&link.party));

  commit_one(world, join_request(world, &party));
  const Collega__Cert *cert = answer_at(world, 0)->cert;
  assert_non_null(cert);
  assert_string_equal(cert->name, "ACE Test");
  struct run_view view;
  must(run_read(cert->cert, world->arena, &view, &error));
  must(run_verify(&view, identity_public(world->identity)->signing, &error));
  const Collega__MemberCert *content = view.records[0].body->cert;
  assert_memory_equal(content->party.data, party.id.byte, ID_BYTES);
  assert_string_equal(content->entities[0]->name, "Snijder BV");
  assert_true(was_told(world, party.link_key, true));
  assert_true(link_is_known(world, party.link_key, &link));
  assert_true(id_equal(&link.party, &party.id));
  /* A worker knows the party now. */
  const struct known_party *known = members_find(world->members, &party.id);
  assert_non_null(known);
  assert_non_null(known_party_cert(known, identity_party(world->identity), world->now));
  party_free(&party);
}

static void the_same_card_gets_the_same_certificate_until_the_invitation_expires(void **state) {
  struct world *world = *state;
  struct party party;
  party_make(world, &party, 3);
  party_invite(world, &party, "Snijder BV", world->now + DAY_MS);
  commit_one(world, join_request(world, &party));
  struct bytes first = world->result.answers[0].packed;
  struct bytes kept = bytes_of(arena_copy(world->arena, first.data, first.length), first.length);
  uint64_t seq = world_state(world).log_seq;
  world->now += HOUR_MS;
  commit_one(world, join_request(world, &party));
  assert_true(bytes_equal(world->result.answers[0].packed, kept));
  assert_int_equal(world_state(world).log_seq, seq);
  world->now += DAY_MS;
  commit_one(world, join_request(world, &party));
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_INVITATION);
  assert_string_equal(answer_at(world, 0)->refusal->rule, "invitation_expired");
  party_free(&party);
}

static void an_invitation_admits_one_card_only(void **state) {
  struct world *world = *state;
  struct party party, other;
  party_make(world, &party, 3);
  party_make(world, &other, 4);
  party_invite(world, &party, "Snijder BV", world->now + DAY_MS);
  commit_one(world, join_request(world, &party));
  memcpy(other.invitation_key, party.invitation_key, sizeof other.invitation_key);
  commit_one(world, join_request(world, &other));
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_INVITATION);
  assert_string_equal(answer_at(world, 0)->refusal->rule, "invitation_used");
  random_fill(other.invitation_key, sizeof other.invitation_key);
  commit_one(world, join_request(world, &other));
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_INVITATION);
  assert_string_equal(answer_at(world, 0)->refusal->rule, "invitation_unknown");
  party_free(&party);
  party_free(&other);
}

static void a_member_may_come_with_a_second_invitation(void **state) {
  struct world *world = *state;
  struct party party;
  party_join(world, &party, 3);
  uint64_t seq = world_state(world).log_seq;
  world->now += MINUTE_MS;
  party_invite(world, &party, "Snijder Groep BV", world->now + DAY_MS);
  commit_one(world, join_request(world, &party));
  assert_non_null(answer_at(world, 0)->cert);
  assert_int_equal(world_state(world).log_seq,
                   seq + 1); /* the certificate; the card is there already */
  assert_string_equal(known_party_name(members_find(world->members, &party.id)),
                      "Snijder Groep BV");
  party_free(&party);
}

static void a_card_that_is_tampered_with_does_not_join(void **state) {
  struct world *world = *state;
  struct party party;
  party_make(world, &party, 3);
  party_invite(world, &party, "Snijder BV", world->now + DAY_MS);
  struct run_view card;
  must(run_read_bytes(identity_card_run(party.identity, 0), world->arena, &card, &error));
  Collega__Run forged = *card.run;
  forged.signature.data = arena_copy(world->arena, forged.signature.data, forged.signature.len);
  forged.signature.data[0] ^= 1;
  Collega__Join join = COLLEGA__JOIN__INIT;
  join.card = &forged;
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  frame.join = &join;
  struct request *request = frame_request(world, &party, &frame);
  memcpy(request->link_key, party.invitation_key, sizeof request->link_key);
  commit_one(world, request);
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_INVALID);
  party_free(&party);
}

static void a_revoked_member_is_refused_at_once(void **state) {
  struct world *world = *state;
  struct party party;
  struct link_row link;
  party_join(world, &party, 3);
  struct request *request = request_new(REQUEST_REVOKE);
  request->revoke = party.id;
  strcpy(request->reason, "sleutel kwijt");
  commit_one(world, request);
  assert_non_null(answer_at(world, 0)->receipts);
  assert_true(was_told(world, party.link_key, false));
  assert_false(link_is_known(world, party.link_key, &link));
  const struct known_party *known = members_find(world->members, &party.id);
  assert_true(known && known->revoked);
  struct bytes body = plain_offer_body(world, &party, "Te laat");
  publish(world, &party, &body, 1);
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_MEMBER);
  commit_one(world, join_request(world, &party));
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_MEMBER);
  party_free(&party);
}

static void publish_card(struct world *world, struct party *party) {
  struct run_view card;
  uint32_t number = identity_card_number(party->identity);
  must(run_read_bytes(identity_card_run(party->identity, number), world->arena, &card, &error));
  commit_one(world, publish_request(world, party, card.run));
}

static void linked(struct world *world, const struct party *party, const uint8_t key[32]) {
  struct request *request = request_new(REQUEST_LINKED);
  request->home = party->id;
  memcpy(request->link_key, key, sizeof request->link_key);
  commit_one(world, request);
}

static void a_new_card_changes_the_link_key_and_the_old_one_goes_when_the_new_is_used(
    void **state) {
  struct world *world = *state;
  struct party party;
  struct link_row link;
  party_join(world, &party, 3);
  uint8_t old[32], fresh[32];
  memcpy(old, party.link_key, sizeof old);
  must(identity_rotate(party.identity, &party.epoch, ++party.seq, world->now, &error));
  memcpy(fresh, identity_public(party.identity)->link, sizeof fresh);
  publish_card(world, &party);
  assert_non_null(answer_at(world, 0)->receipts);
  assert_true(was_told(world, fresh, true));
  assert_false(was_told(world, old, false));
  assert_true(link_is_known(world, old, &link) && link_is_known(world, fresh, &link));

  linked(world, &party, old); /* the old key is still in use: nothing goes */
  assert_true(link_is_known(world, old, &link));
  linked(world, &party, fresh);
  assert_true(was_told(world, old, false));
  assert_false(link_is_known(world, old, &link));
  party_free(&party);
}

/* Whoever stole the keys has made the next card; the owner has the recovery key, and an invitation. */
static void a_recovered_card_comes_in_with_an_invitation_and_puts_the_thief_out(void **state) {
  struct world *world = *state;
  struct party owner, thief, stranger;
  struct link_row link;
  char recovery[RECOVERY_TEXT_BYTES];
  party_make(world, &owner, 3);
  identity_destroy(&owner.identity);
  must(identity_create(true, &owner.epoch, 1, world->now, recovery, &owner.identity, &error));
  owner.id = *identity_party(owner.identity);
  memcpy(owner.link_key, identity_public(owner.identity)->link, sizeof owner.link_key);
  party_invite(world, &owner, "Snijder BV", world->now + DAY_MS);
  commit_one(world, join_request(world, &owner));
  assert_non_null(answer_at(world, 0)->cert);
  thief = owner;
  char directory[] = "/tmp/collega-join-XXXXXX";
  assert_non_null(mkdtemp(directory));
  must(identity_save(owner.identity, directory, &error));
  must(identity_load(directory, &thief.identity, &error));
  must(identity_rotate(thief.identity, &thief.epoch, ++thief.seq, world->now, &error));
  publish_card(world, &thief);
  assert_non_null(answer_at(world, 0)->receipts);

  random_fill(&owner.epoch, sizeof owner.epoch);
  must(identity_recover(owner.identity, recovery, &owner.epoch, 1, world->now, &error));
  party_make(world, &stranger, 5); /* who never joined cannot come with a later card */
  party_invite(world, &stranger, "Vreemd BV", world->now + DAY_MS);
  must(identity_rotate(stranger.identity, &stranger.epoch, ++stranger.seq, world->now, &error));
  commit_one(world, join_request_with(world, &stranger, 1));
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_INVALID);
  party_invite(world, &owner, "Snijder BV", world->now + DAY_MS);
  commit_one(world, join_request_with(world, &owner, 1));
  assert_non_null(answer_at(world, 0)->cert);
  assert_true(was_told(world, identity_public(thief.identity)->link, false));
  assert_true(was_told(world, thief.link_key, false));
  assert_true(link_is_known(world, identity_public(owner.identity)->link, &link));
  const struct known_party *known = members_find(world->members, &owner.id);
  assert_int_equal(known->card_count, 2);
  assert_true(known->cards[1].recovered);
  commit_one(world, join_request_with(world, &owner, 1)); /* a lost answer costs nothing */
  assert_non_null(answer_at(world, 0)->cert);
  party_invite(world, &owner, "Snijder BV", world->now + DAY_MS);
  commit_one(world, join_request_with(world, &owner, 1)); /* a renewal, after it */
  assert_non_null(answer_at(world, 0)->cert);
  party_free(&owner);
  party_free(&thief);
  party_free(&stranger);
}

static void a_card_must_follow_on_the_last_one(void **state) {
  struct world *world = *state;
  struct party party;
  party_join(world, &party, 3);
  must(identity_rotate(party.identity, &party.epoch, ++party.seq, world->now, &error));
  must(identity_rotate(party.identity, &party.epoch, ++party.seq, world->now, &error));
  publish_card(world, &party); /* number 2, before number 1 */
  assert_int_equal(world->result.answer_count, 1);
  assert_non_null(answer_at(world, 0)->refusal);
  assert_int_equal(members_find(world->members, &party.id)->card_count, 1);
  party_free(&party);
}

static void welcome_tells_cards_epoch_and_the_head_that_was_seen(void **state) {
  struct world *world = *state;
  struct party party;
  party_join(world, &party, 3);
  struct bytes body = plain_offer_body(world, &party, "Kop");
  struct bytes frame;
  struct store_txn *txn = world_read(world);
  must(welcome_read(txn, &party.id, true, world->now, world->arena, &frame, &error));
  store_end(&txn);
  assert_null(unpack_answer(world, frame)->welcome->seen);
  publish(world, &party, &body, 1);
  txn = world_read(world);
  must(welcome_read(txn, &party.id, true, world->now, world->arena, &frame, &error));
  store_end(&txn);
  const Collega__Welcome *welcome = unpack_answer(world, frame)->welcome;
  struct broker_state broker = world_state(world);
  assert_non_null(welcome->seen);
  assert_memory_equal(welcome->seen->hash.data, party.head.byte, ID_BYTES);
  assert_int_equal(welcome->seen->number, party.head_number);
  assert_int_equal(welcome->n_cards, 1);
  assert_int_equal(welcome->epoch_number, 1);
  assert_int_equal(welcome->log_seq, broker.log_seq);
  assert_memory_equal(welcome->epoch.data, broker.epoch.byte, EPOCH_BYTES);
  assert_true(welcome->member);
  party_free(&party);
}

/* ---- parties that live at a network's node */

static void make_hosted(struct world *world, struct party *party, const struct party *host) {
  char recovery[RECOVERY_TEXT_BYTES];
  *party = (struct party){.seq = 1, .session = host->session};
  random_fill(party->epoch.byte, EPOCH_BYTES);
  must(identity_create(false, &party->epoch, 1, world->now, recovery, &party->identity, &error));
  party->id = *identity_party(party->identity);
}

static void join_network(struct world *world, struct party *host) {
  party_make(world, host, 3);
  party_invite_as(world, host, "ACE West", COLLEGA__ROLE__ROLE_NETWORK, NULL);
  commit_one(world, join_request(world, host));
  assert_non_null(answer_at(world, 0)->cert);
}

static void join_hosted(struct world *world, struct party *party, const struct party *host) {
  make_hosted(world, party, host);
  party_invite_as(world, party, "Versgoed BV", COLLEGA__ROLE__ROLE_EMPLOYER, &host->id);
  commit_one(world, join_request(world, party));
}

/* What `party` signs, sent in the session of `home`. */
static void publish_through(struct world *world, struct party *home, const Collega__Run *run) {
  Collega__Publish content = COLLEGA__PUBLISH__INIT;
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;

  content.run = (Collega__Run *)(uintptr_t)run;
  content.head = next_head(world, home);
  frame.publish = &content;
  commit_one(world, frame_request(world, home, &frame));
}

static void publish_offer_through(struct world *world, struct party *home, struct party *party) {
  struct bytes body = plain_offer_body(world, party, "Inpakkers");
  publish_through(world, home, sign_run(world, party, &body, 1));
}

static void a_network_hosts_a_party_that_has_no_link(void **state) {
  struct world *world = *state;
  struct party host, party;
  struct id *hosted;
  size_t count;
  join_network(world, &host);
  join_hosted(world, &party, &host);
  const Collega__Cert *cert = answer_at(world, 0)->cert;
  struct run_view view;
  assert_non_null(cert);
  must(run_read(cert->cert, world->arena, &view, &error));
  assert_true(view.records[0].body->cert->has_host);
  assert_memory_equal(view.records[0].body->cert->host.data, host.id.byte, ID_BYTES);
  assert_int_equal(world->result.link_key_count, 0);
  struct store_txn *txn = world_read(world);
  must(party_rows_hosted(txn, &host.id, &hosted, &count, &error));
  store_end(&txn);
  assert_int_equal(count, 1);
  assert_true(id_equal(&hosted[0], &party.id));
  free(hosted);
  publish_offer_through(world, &host, &party);
  assert_non_null(answer_at(world, 0)->receipts);
  party_free(&host);
  party_free(&party);
}

static void only_a_network_in_force_hosts(void **state) {
  struct world *world = *state;
  struct party employer, network, hosted, party;
  party_join(world, &employer, 3);
  join_network(world, &network);
  join_hosted(world, &hosted, &network);
  make_hosted(world, &party, &network);
  const struct id *no_hosts[] = {&employer.id, &hosted.id, &party.id};
  for (size_t i = 0; i < 3; i++) {
    party_invite_as(world, &party, "Versgoed BV", COLLEGA__ROLE__ROLE_EMPLOYER, no_hosts[i]);
    assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED);
    assert_string_equal(answer_at(world, 0)->refusal->rule, "host_no_network");
  }
  party_invite_as(world, &party, "Versgoed BV", COLLEGA__ROLE__ROLE_NETWORK, &network.id);
  assert_string_equal(answer_at(world, 0)->refusal->rule, "hosted_role");
  party_free(&employer);
  party_free(&network);
  party_free(&hosted);
  party_free(&party);
}

static void a_link_key_and_a_host_exclude_each_other(void **state) {
  struct world *world = *state;
  struct party host, linked, party;
  join_network(world, &host);
  party_make(world, &linked, 4);
  party_invite_as(world, &linked, "Versgoed BV", COLLEGA__ROLE__ROLE_EMPLOYER, &host.id);
  commit_one(world, join_request(world, &linked));
  assert_string_equal(answer_at(world, 0)->refusal->rule, "join_hosted_link");
  make_hosted(world, &party, &host);
  party_invite_as(world, &party, "Versgoed BV", COLLEGA__ROLE__ROLE_EMPLOYER, NULL);
  commit_one(world, join_request(world, &party));
  assert_string_equal(answer_at(world, 0)->refusal->rule, "join_link_key");
  party_free(&host);
  party_free(&linked);
  party_free(&party);
}

static void a_host_speaks_for_its_own_and_for_nobody_else(void **state) {
  struct world *world = *state;
  struct party host, other, party;
  join_network(world, &host);
  join_hosted(world, &party, &host);
  party_join(world, &other, 5);
  publish_offer_through(world, &other, &party);
  assert_string_equal(answer_at(world, 0)->refusal->rule, "author_not_hosted");
  publish_offer_through(world, &host, &other);
  assert_string_equal(answer_at(world, 0)->refusal->rule, "author_not_hosted");
  party_free(&host);
  party_free(&other);
  party_free(&party);
}

static void revoke(struct world *world, const struct party *party) {
  struct request *request = request_new(REQUEST_REVOKE);
  request->revoke = party->id;
  commit_one(world, request);
  assert_non_null(answer_at(world, 0)->receipts);
}

static void a_revoked_party_leaves_the_others_and_a_revoked_host_takes_them_along(void **state) {
  struct world *world = *state;
  struct party host, one, other;
  join_network(world, &host);
  join_hosted(world, &one, &host);
  join_hosted(world, &other, &host);
  revoke(world, &one);
  publish_offer_through(world, &host, &one);
  assert_string_equal(answer_at(world, 0)->refusal->rule, "not_member");
  publish_offer_through(world, &host, &other);
  assert_non_null(answer_at(world, 0)->receipts);
  revoke(world, &host);
  assert_true(was_told(world, host.link_key, false));
  const struct party *all[] = {&host, &one, &other};
  for (size_t i = 0; i < 3; i++) {
    const struct known_party *known = members_find(world->members, &all[i]->id);
    assert_true(known && known->revoked);
  }
  publish_offer_through(world, &host, &other);
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_MEMBER);
  party_free(&host);
  party_free(&one);
  party_free(&other);
}

/* ---- one employer, one party */

static void join_under(struct world *world, struct party *party, uint32_t kvk, uint64_t session) {
  party_make(world, party, session);
  party->kvk = kvk;
  party_invite(world, party, "Snijder BV", world->now + DAY_MS);
  commit_one(world, join_request(world, party));
}

static void a_kvk_number_is_of_one_employer_in_force(void **state) {
  struct world *world = *state;
  struct party first, second, desk;
  join_under(world, &first, 12345678, 3);
  assert_non_null(answer_at(world, 0)->cert);
  join_under(world, &second, 12345678, 4);
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED);
  const Collega__Refusal *refusal = answer_at(world, 0)->refusal;
  assert_string_equal(refusal->rule, "join_kvk_taken");
  assert_string_equal(refusal->arguments[0], "12345678");
  assert_string_equal(refusal->arguments[1], "Snijder BV");
  assert_null(members_find(world->members, &second.id));
  /* The same party may renew; the same organisation may be a desk besides. */
  world->now += MINUTE_MS;
  party_invite(world, &first, "Snijder BV", world->now + DAY_MS);
  commit_one(world, join_request(world, &first));
  assert_non_null(answer_at(world, 0)->cert);
  party_make(world, &desk, 5);
  desk.kvk = 12345678;
  party_invite_as(world, &desk, "Snijder BV", COLLEGA__ROLE__ROLE_DESK, NULL);
  commit_one(world, join_request(world, &desk));
  assert_non_null(answer_at(world, 0)->cert);
  /* Once the first is revoked, the same invitation brings the second in. */
  revoke(world, &first);
  commit_one(world, join_request(world, &second));
  assert_non_null(answer_at(world, 0)->cert);
  party_free(&first);
  party_free(&second);
  party_free(&desk);
}

static void a_lapsed_member_does_not_keep_its_number(void **state) {
  struct world *world = *state;
  struct party first, second;
  join_under(world, &first, 12345678, 3);
  world->now += CERT_LIFETIME_MS;
  join_under(world, &second, 12345678, 4);
  assert_non_null(answer_at(world, 0)->cert);
  party_invite(world, &first, "Snijder BV", world->now + DAY_MS);
  commit_one(world, join_request(world, &first));
  assert_string_equal(answer_at(world, 0)->refusal->rule, "join_kvk_taken");
  party_free(&first);
  party_free(&second);
}

static void a_network_stays_one_while_others_live_with_it(void **state) {
  struct world *world = *state;
  struct party host, party;
  struct id *hosted;
  size_t count;
  join_network(world, &host);
  join_hosted(world, &party, &host);
  world->now += MINUTE_MS;
  party_invite_as(world, &host, "ACE West", COLLEGA__ROLE__ROLE_DESK, NULL);
  commit_one(world, join_request(world, &host));
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED);
  assert_string_equal(answer_at(world, 0)->refusal->rule, "join_still_host");
  struct store_txn *txn = world_read(world);
  must(party_rows_hosted(txn, &host.id, &hosted, &count, &error));
  store_end(&txn);
  assert_int_equal(count, 1);
  free(hosted);
  revoke(world, &party);
  commit_one(world, join_request(world, &host));
  assert_non_null(answer_at(world, 0)->cert);
  party_free(&host);
  party_free(&party);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
  const struct CMUnitTest tests[] = {
      TEST(an_invited_party_gets_a_certificate_that_verifies),
      TEST(the_same_card_gets_the_same_certificate_until_the_invitation_expires),
      TEST(an_invitation_admits_one_card_only),
      TEST(a_member_may_come_with_a_second_invitation),
      TEST(a_card_that_is_tampered_with_does_not_join),
      TEST(a_revoked_member_is_refused_at_once),
      TEST(a_new_card_changes_the_link_key_and_the_old_one_goes_when_the_new_is_used),
      TEST(a_recovered_card_comes_in_with_an_invitation_and_puts_the_thief_out),
      TEST(a_card_must_follow_on_the_last_one),
      TEST(welcome_tells_cards_epoch_and_the_head_that_was_seen),
      TEST(a_network_hosts_a_party_that_has_no_link),
      TEST(only_a_network_in_force_hosts),
      TEST(a_link_key_and_a_host_exclude_each_other),
      TEST(a_kvk_number_is_of_one_employer_in_force),
      TEST(a_lapsed_member_does_not_keep_its_number),
      TEST(a_network_stays_one_while_others_live_with_it),
      TEST(a_host_speaks_for_its_own_and_for_nobody_else),
      TEST(a_revoked_party_leaves_the_others_and_a_revoked_host_takes_them_along),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
