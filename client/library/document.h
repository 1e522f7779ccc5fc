/* Documents: the JSON that every door of a node gives out, the command line's --json, the public library and HTTP.
 * docs/integrator.md describes the shapes. Each function gives a new reference; NULL: out of memory, or a row that
 * does not read. */
#ifndef COLLEGA_CLIENT_LIBRARY_DOCUMENT_H
#define COLLEGA_CLIENT_LIBRARY_DOCUMENT_H
#include "client/library/node_state.h"
#include "client/library/party_document.h"
#include "proto/proof.h"
#include "client/exchange/node_clock.h"

/* ---- parts */
/* Sets a member and consumes `value`; false (and the value released) when memory is out or value is NULL. */
bool json_put(json_t *object, const char *name, json_t *value);
/* Appends and consumes `value`; returns the list, or NULL (and the list released) when memory is out or value is NULL. */
json_t *json_add(json_t *list, json_t *value);
/* {"NAME": list}; consumes the list, which may be NULL. */
json_t *json_named(const char *name, json_t *list);
json_t *json_hex(const uint8_t *data, size_t length); /* at most ID_BYTES */
json_t *json_time(collega_time time);
json_t *json_date(collega_date date);
/* {"id","name","kvk"}; name and kvk "" of one that is not known here. */
json_t *json_party(const struct view *view, const struct id *party);

/* ---- documents */
/* `with_private`: the author's own part too, where this home has it. */
json_t *document_offer(const struct view *view, const CollegaStore__OfferRow *row,
                       bool with_private);
json_t *document_match(const struct view *view, const CollegaStore__MatchRow *row);
json_t *document_deal(const struct view *view, const CollegaStore__DealRow *row);
/* A talk that nobody has begun has no counterparty and no messages. */
enum collega_status document_talk(const struct view *view, const struct id *thread, json_t **out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
json_t *document_talk_line(const struct talk_line *line);
json_t *document_judgement(const struct proof_judgement *judgement, enum language language);
/* Of a file that is no proof at all. */
json_t *document_no_proof(const struct collega_error *error, enum language language);

json_t *document_offers(const struct view *view, const struct offer_rows *rows);
json_t *document_matches(const struct view *view, const struct match_rows *rows);
/* {"id","signatory","function","jointly","state","valid_from","receipted"} and, where told, "max_headcount",
 * "valid_until", "ended", "ground"; and {"mandates":[...]} of the party that asks. */
json_t *document_mandate(const struct view *view, const struct known_mandate *mandate);
json_t *document_mandates(const struct view *view);
json_t *document_deals(const struct view *view, const struct deal_rows *rows);

/* A home that was just made. */
json_t *document_new_home(const struct id *party, const char *fingerprint,
                          const char *recovery_key);

/* ---- how the node is doing */
struct node_facts {
  const CollegaStore__OwnParty *own;
  const CollegaStore__BrokerRow *broker; /* NULL: not joined yet */
  struct node_state state;
  struct node_clock clock; /* what the last Welcome said of this machine's */
  struct outbox_counts outbox;
  struct ledger_head head;
  uint64_t waiting_acts;                   /* deals that wait for the daemon's signature */
  uint64_t due_us, due_other, due_decider; /* the party's deals, by of whom something is awaited */
  uint64_t
      lost_agreements; /* of all parties here: agreed with keys that are lost; only the other side has them */
  struct party_facts *parties; /* all that live here, in the view's arena */
  size_t party_count;
  enum rule why; /* why things wait, the most telling first; RULE_NONE: nothing holds them up */
};
enum collega_status node_facts_read(const struct view *view, struct node_facts *out,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
/* The party whose link this is; NULL: its row is missing. */
const struct party_facts *node_facts_host(const struct node_facts *facts);
json_t *document_status(const struct view *view, const struct node_facts *facts);
#endif
