/* From an entry of the chain to the derived rows: the only writer of them.
 *
 * The live path appends an entry and applies it in the same transaction; `ledger rebuild`
 * applies all of them again from the first. Both must give the same bytes, so nothing here looks
 * at a clock, at randomness, at keys or at what is only in memory: whatever a change depends on
 * stands in the entry or in the tables. Whether an entry is right was judged before it was
 * appended (intake.c, offers.c, deals.c, signing.c). */
#include "client/exchange/inside.h"

#include "proto/guard.h"

enum collega_status apply_payload(struct apply *apply, const ProtobufCMessageDescriptor *type,
                                  ProtobufCMessage **out) {
  *out = apply->event->payload.data ? row_unpack(type, apply->event->payload, apply->arena) : NULL;
  if (*out) return COLLEGA_OK;
  return arena_exhausted(apply->arena) ? exchange_no_memory(apply->error)
                                       : exchange_row_damaged(apply->error, type->short_name);
}

/* ---- parties and brokers */

static enum collega_status member_bytes(struct apply *apply, struct bytes packed_run) {
  struct run_view view;
  enum collega_status status = run_read_bytes(packed_run, apply->arena, &view, apply->error);
  for (size_t i = 0; status == COLLEGA_OK && i < view.count; i++)
    status = apply_member(apply, &view, i, NULL);
  return status;
}

struct any_row {
  bool any;
};

static bool visit_any(void *context, struct bytes key, struct bytes value) {
  (void)key;
  (void)value;
  ((struct any_row *)context)->any = true;
  return false;
}

/* The first party of a home is its host. */
static enum collega_status apply_party(struct apply *apply) {
  ProtobufCMessage *message;
  enum collega_status status =
      apply_payload(apply, &collega_store__party_init__descriptor, &message);
  if (status != COLLEGA_OK) return status;
  const CollegaStore__PartyInit *init = (const CollegaStore__PartyInit *)message;
  struct any_row parties = {false};
  status =
      table_each(apply->txn, TABLE_OWN, bytes_of(NULL, 0), NULL, visit_any, &parties, apply->error);
  if (status != COLLEGA_OK) return status;
  CollegaStore__OwnParty row = COLLEGA_STORE__OWN_PARTY__INIT;
  row.party = init->party;
  row.name = init->name;
  row.kvk = init->kvk;
  row.host = !parties.any;
  row.has_lost = row.lost = init->n_later_cards > 0;
  status = own_row_put(apply->txn, &row, apply->error);
  if (status == COLLEGA_OK) status = member_bytes(apply, field_bytes(&init->card));
  for (size_t i = 0; status == COLLEGA_OK && i < init->n_later_cards; i++)
    status = member_bytes(apply, field_bytes(&init->later_cards[i]));
  return status;
}

static enum collega_status apply_joined(struct apply *apply) {
  ProtobufCMessage *message;
  enum collega_status status = apply_payload(apply, &collega_store__joined__descriptor, &message);
  if (status != COLLEGA_OK) return status;
  const CollegaStore__Joined *joined = (const CollegaStore__Joined *)message;
  const Collega__Cert *cert = (const Collega__Cert *)row_unpack(
      &collega__cert__descriptor, field_bytes(&joined->cert), apply->arena);
  if (!cert) return exchange_row_damaged(apply->error, "joined");
  CollegaStore__BrokerRow fresh = COLLEGA_STORE__BROKER_ROW__INIT, *known = NULL;
  status = exchange_broker(apply->txn, apply->arena, &known, apply->error);
  if (status != COLLEGA_OK) return status;
  /* The same broker again (a certificate renewed, a party that the host takes in): how far it was read stays, and its
   * epoch is Welcome's to tell. */
  CollegaStore__BrokerRow row = known ? *known : fresh;
  row.broker = joined->broker;
  row.name = cert->name;
  if (!known) row.epoch = joined->epoch;
  if (!known) row.epoch_number = joined->epoch_number;
  row.n_addresses = joined->n_addresses;
  row.addresses = joined->addresses;
  row.link_key = joined->link_key;
  status = broker_row_put(apply->txn, &row, apply->error);
  for (size_t i = 0; status == COLLEGA_OK && i < cert->n_cards; i++) {
    struct run_view view;
    status = run_read(cert->cards[i], apply->arena, &view, apply->error);
    for (size_t j = 0; status == COLLEGA_OK && j < view.count; j++)
      status = apply_member(apply, &view, j, NULL);
  }
  struct run_view view;
  if (status == COLLEGA_OK) status = run_read(cert->cert, apply->arena, &view, apply->error);
  for (size_t j = 0; status == COLLEGA_OK && j < view.count; j++)
    status = apply_member(apply, &view, j, NULL);
  return status;
}

static enum collega_status apply_welcome(struct apply *apply) {
  ProtobufCMessage *message;
  CollegaStore__BrokerRow *row = NULL;
  enum collega_status status =
      apply_payload(apply, &collega_store__broker_seen__descriptor, &message);
  if (status == COLLEGA_OK) status = exchange_broker(apply->txn, apply->arena, &row, apply->error);
  if (status != COLLEGA_OK) return status;
  const CollegaStore__BrokerSeen *seen = (const CollegaStore__BrokerSeen *)message;
  if (!row || !bytes_equal(field_bytes(&row->broker), field_bytes(&seen->broker)))
    return exchange_row_damaged(apply->error, "brokers");
  bool restored = seen->epoch_number > row->epoch_number;
  row->name = seen->name;
  row->epoch = seen->epoch;
  row->epoch_number = seen->epoch_number;
  status = broker_row_put(apply->txn, row, apply->error);
  if (status == COLLEGA_OK && restored) status = apply_letters_again(apply);
  for (size_t i = 0; status == COLLEGA_OK && i < seen->n_cards; i++)
    status = member_bytes(apply, field_bytes(&seen->cards[i]));
  return status;
}

/* ---- all of them */

static enum collega_status apply_kind(struct apply *apply) {
  switch (apply->event->kind) {
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_PARTY:
    return apply_party(apply);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_JOINED:
    return apply_joined(apply);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_OWN_RECORDS:
    return apply_own_records(apply);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RECEIPTS:
    return apply_receipts(apply);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_BOARD:
    return apply_board(apply);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RESET:
    return apply_reset(apply);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MATCH_ACT:
    return apply_match_act(apply);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FILTER:
    return apply_filter(apply);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_IN:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_BAD:
    return apply_mail(apply);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_DECISION_IN:
    return apply_decision(apply);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_DRAFT:
    return apply_draft(apply);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_SIGNED:
    return apply_signed(apply);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ACT_DROPPED:
    return apply_act_dropped(apply);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_STORED:
    return apply_stored(apply);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_REFUSED:
    return apply_refused(apply);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_WELCOME:
    return apply_welcome(apply);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_LAPSED:
    return apply_lapsed(apply);
  /* Only a rebuild applies the genesis entry. The matches are gone with the other derived
   * tables, and the matcher, which follows the chain by its own cursor, must come by again. */
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_GENESIS:
    return ledger_cursor_set(apply->txn, MATCHER_CURSOR, 0, apply->error);
  /* Told by the entry itself, or not written yet by any version. */
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_EPOCH:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ERASED: /* the payloads themselves say what is left */
    return COLLEGA_OK;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_QUESTION:
    return apply_question(apply);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FETCHED:
    return apply_fetched(apply);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ADOPTED:
    return apply_adopted(apply);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RESTORED:
    return apply_restored(apply);
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_SEALED:
    return apply_sealed(apply);
  case _COLLEGA_STORE__ENTRY_KIND_IS_INT_SIZE:
    break;
  }
  return exchange_row_damaged(apply->error, "entry kind");
}

/* A replay applies entry after entry, and keeps its arena: taking and giving back some megabytes for each costs more
 * than what is done in them. */
static struct arena *take_arena(struct exchange *exchange, const struct ledger_txn *txn) {
  if (exchange->writing == txn) return exchange_arena();
  if (!exchange->replay_arena)
    exchange->replay_arena = arena_new(REPLAY_FIRST_BYTES, WORK_ARENA_BYTES);
  else
    arena_reset(exchange->replay_arena);
  return exchange->replay_arena;
}

enum collega_status exchange_apply_read(struct exchange *exchange, struct ledger_txn *txn,
                                        const struct ledger_event *event,
                                        const struct board_read *read,
                                        struct collega_error *error) {
  if (event->erased) return COLLEGA_OK; /* what it said is gone, on purpose */
  struct arena *arena = take_arena(exchange, txn);
  if (!arena) return exchange_no_memory(error);
  struct apply apply = {.exchange = exchange,
                        .txn = txn,
                        .event = event,
                        .arena = arena,
                        .error = error,
                        .read = read};
  if (event->party) apply.party = *event->party;
  enum collega_status status = apply_kind(&apply);
  if (status == COLLEGA_OK) status = apply_settle_flush(&apply);
  if (arena != exchange->replay_arena) arena_destroy(&arena);
  return status;
}

enum collega_status exchange_apply(struct ledger_txn *txn, const struct ledger_event *event,
                                   void *context, struct collega_error *error) {
  return exchange_apply_read(context, txn, event, NULL, error);
}

enum collega_status exchange_append_board(struct exchange *exchange, struct ledger_txn *txn,
                                          struct ledger_event *event, const struct board_read *read,
                                          struct collega_error *error) {
  enum collega_status status = ledger_append(txn, event, error);
  return status == COLLEGA_OK ? exchange_apply_read(exchange, txn, event, read, error) : status;
}
