/* How the node is doing, and who lives in it: gathered from the ledger and from what the daemon tells. */
#include "client/library/deal_steps.h"
#include "client/library/document.h"

#include <string.h>

struct deal_count {
  const struct view *view;
  struct node_facts *facts;
};

static struct party_facts *facts_of(struct node_facts *facts, struct bytes party) {
  for (size_t i = 0; i < facts->party_count; i++)
    if (bytes_equal(party, bytes_of(facts->parties[i].party->byte, ID_BYTES)))
      return &facts->parties[i];
  return NULL;
}

static void count_awaited(struct node_facts *facts, enum deal_awaited awaited) {
  switch (awaited) {
  case AWAITED_US:
    ++facts->due_us;
    break;
  case AWAITED_OTHER:
    ++facts->due_other;
    break;
  case AWAITED_DECIDER:
    ++facts->due_decider;
    break;
  case AWAITED_NODE:
  case AWAITED_NOBODY:
    break;
  }
}

static bool count_deal(void *context, struct bytes key, struct bytes value) {
  struct deal_count *count = context;
  struct deal_steps steps;
  Collega__Terms *terms = NULL;
  (void)key;
  CollegaStore__DealRow *row = (CollegaStore__DealRow *)row_unpack(
      &collega_store__deal_row__descriptor, value, count->view->arena);
  if (!row) return true;
  if (row->has_act)
    ++count->facts->waiting_acts; /* of all parties here: one daemon signs for them */
  struct party_facts *party = facts_of(count->facts, bytes_of(row->party.data, row->party.len));
  if (!party) return true;
  struct view view = *count->view;
  view.party = *party->party;
  if (view_terms(&view, row, &terms, NULL) != COLLEGA_OK) return true;
  deal_steps_read(&view, row, terms, &steps);
  party->due_us += steps.awaited == AWAITED_US;
  if (id_equal(party->party, &count->view->party)) count_awaited(count->facts, steps.awaited);
  return true;
}

const struct party_facts *node_facts_host(const struct node_facts *facts) {
  for (size_t i = 0; i < facts->party_count; i++)
    if (facts->parties[i].row->host) return &facts->parties[i];
  return NULL;
}

static enum rule why_not_joined(const struct node_facts *facts) {
  const struct party_facts *host = node_facts_host(facts);
  if (host && host->standing.state == PARTY_REFUSED) return RULE_join_refused;
  if (!host || host->standing.state != PARTY_INVITED) return RULE_node_not_joined;
  if (!facts->state.running) return RULE_join_waits;
  enum rule problem = facts->state.problem;
  return problem && problem != RULE_node_not_joined ? problem : RULE_join_under_way;
}

static bool count_lost(void *context, struct bytes key, struct bytes value) {
  struct deal_count *count = context;
  (void)key;
  const CollegaStore__RootRow *row = (const CollegaStore__RootRow *)row_unpack(
      &collega_store__root_row__descriptor, value, count->view->arena);
  count->facts->lost_agreements +=
      row && row->has_elsewhere && row->elsewhere == COLLEGA_STORE__ELSEWHERE__ELSEWHERE_AGREED;
  return true;
}

static enum rule why_waiting(const struct node_facts *facts) {
  if (!facts->broker) return why_not_joined(facts);
  if (!facts->state.running) return RULE_daemon_down;
  if (!facts->state.connected && node_clock_wrong(&facts->clock)) return RULE_clock_wrong;
  if (facts->state.behind) return RULE_node_behind;
  if (!facts->state.connected)
    return facts->state.problem ? facts->state.problem : RULE_link_silent;
  return RULE_NONE;
}

enum collega_status node_facts_read(const struct view *view, struct node_facts *out,
                                    struct collega_error *error) {
  memset(out, 0, sizeof *out);
  const char *home = ledger_home(exchange_ledger(view->exchange));
  node_state_read(home, &out->state);
  node_clock_read(home, &out->clock);
  ProtobufCMessage *own = NULL;
  CollegaStore__BrokerRow *broker = NULL;
  struct deal_count count = {view, out};
  enum collega_status status = outbox_count(view->txn, &out->outbox, error);
  if (status == COLLEGA_OK) status = ledger_head(view->txn, &out->head, error);
  if (status == COLLEGA_OK) status = exchange_broker(view->txn, view->arena, &broker, error);
  if (status == COLLEGA_OK)
    status = row_get(view->txn, TABLE_OWN, bytes_of(view->party.byte, ID_BYTES),
                     &collega_store__own_party__descriptor, view->arena, &own, error);
  if (status == COLLEGA_OK) status = parties_read(view, &out->parties, &out->party_count, error);
  if (status == COLLEGA_OK)
    status = table_each(view->txn, TABLE_DEALS, bytes_of("", 0), NULL, count_deal, &count, error);
  if (status == COLLEGA_OK)
    status = table_each(view->txn, TABLE_ROOTS, bytes_of("", 0), NULL, count_lost, &count, error);
  out->own = (CollegaStore__OwnParty *)own;
  out->broker = broker;
  out->why = why_waiting(out);
  return status;
}

static json_t *parties_json(const struct view *view, const struct node_facts *facts) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < facts->party_count; i++) {
    json_t *party = document_party(view, &facts->parties[i]);
    if (party &&
        !json_put(party, "awaits_us", json_integer((json_int_t)facts->parties[i].due_us))) {
      json_decref(party);
      party = NULL;
    }
    list = json_add(list, party);
  }
  return list;
}

json_t *document_status(const struct view *view, const struct node_facts *facts) {
  char fingerprint[FINGERPRINT_BYTES], broker_fingerprint[FINGERPRINT_BYTES] = "";
  fingerprint_write(fingerprint, &view->party);
  struct id broker = {{0}};
  if (facts->broker && id_from(&broker, facts->broker->broker.data, facts->broker->broker.len))
    fingerprint_write(broker_fingerprint, &broker);
  json_t *node = json_pack("{s:s, s:s, s:s, s:b}", "name", facts->own->name, "kvk", facts->own->kvk,
                           "fingerprint", fingerprint, "running", facts->state.running);
  json_t *link =
      json_pack("{s:b, s:b, s:b}", "joined", facts->broker != NULL, "connected",
                facts->state.running && facts->state.connected, "behind", facts->state.behind);
  json_t *outbox = json_pack(
      "{s:I, s:I, s:I, s:I, s:I}", "waiting", (json_int_t)facts->outbox.waiting, "records",
      (json_int_t)facts->outbox.records, "mail", (json_int_t)facts->outbox.mail, "refused",
      (json_int_t)facts->outbox.refused, "to_sign", (json_int_t)facts->waiting_acts);
  json_t *deals =
      json_pack("{s:I, s:I, s:I}", "us", (json_int_t)facts->due_us, "other",
                (json_int_t)facts->due_other, "decider", (json_int_t)facts->due_decider);
  json_t *ledger = json_pack("{s:I}", "entries", (json_int_t)facts->head.number);
  json_t *document = json_object();
  bool ok = node && link && outbox && deals && ledger && document &&
            json_put(node, "id", json_hex(view->party.byte, ID_BYTES)) &&
            json_put(ledger, "head", json_hex(facts->head.hash.byte, ID_BYTES));
  if (ok && facts->broker)
    ok = json_put(link, "id", json_hex(broker.byte, ID_BYTES)) &&
         json_put(link, "name", json_string(facts->broker->name)) &&
         json_put(link, "fingerprint", json_string(broker_fingerprint)) &&
         json_put(link, "address", json_string(facts->state.broker_address)) &&
         json_put(link, "clock_difference_ms", json_integer(facts->clock.difference));
  if (ok && facts->lost_agreements)
    ok = json_put(document, "lost_agreements", json_integer((json_int_t)facts->lost_agreements));
  ok = ok && json_put(document, "parties", parties_json(view, facts));
  if (ok && facts->why) ok = json_put(link, "why", json_string(rule_name(facts->why)));
  if (ok && facts->outbox.waiting) ok = json_put(outbox, "oldest", json_time(facts->outbox.oldest));
  ok = ok && json_object_set(document, "node", node) == 0 &&
       json_object_set(document, "broker", link) == 0 &&
       json_object_set(document, "outbox", outbox) == 0 &&
       json_object_set(document, "deals_awaiting", deals) == 0 &&
       json_object_set(document, "ledger", ledger) == 0;
  json_decref(deals);
  json_decref(node);
  json_decref(link);
  json_decref(outbox);
  json_decref(ledger);
  if (ok) return document;
  json_decref(document);
  return NULL;
}

json_t *document_new_home(const struct id *party, const char *fingerprint,
                          const char *recovery_key) {
  json_t *document = json_object();
  if (document && json_put(document, "id", json_hex(party->byte, ID_BYTES)) &&
      json_put(document, "fingerprint", json_string(fingerprint)) &&
      json_put(document, "recovery_key", json_string(recovery_key)))
    return document;
  json_decref(document);
  return NULL;
}
