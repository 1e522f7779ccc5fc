/* The deal machine: one party's half of a negotiation (a root), as a pure core. No ledger, clock, socket
 * or key inside: (state, event) in, state and effects out. The ledger's rows are its memory
 * (negotiation_load / negotiation_store live in client/exchange/deals.c). The transitions are those of
 * tests/model/transitions.txt, which also generates the guards of the Spin model and the checker that random
 * runs of this code are held against.
 *
 * What it must never do: free a hold by its own clock; take a DECISION of an epoch older than the one it has
 * answered or stored; sign before a Welcome; sign for a deal while a RELEASE of its root is under way. */
#ifndef COLLEGA_CLIENT_DEAL_MACHINE_H
#define COLLEGA_CLIENT_DEAL_MACHINE_H
#include "base/bytes.h"
#include "base/clock.h"
#include "client/ledger/store.pb-c.h"
#include "proto/deal.pb-c.h"
#include "proto/reductions.h"

#define NEGOTIATION_DEALS                                                                          \
  32 /* deals of one root that are kept open; more are refused (root_crowded) */
#define DEAL_EFFECTS 128

enum deal_phase { /* as the user sees it; DRAFT..TERMINATED equal CollegaStore DealState */
                  PHASE_NONE = 0,
                  PHASE_DRAFT,
                  PHASE_PROPOSED,
                  PHASE_RECEIVED,
                  PHASE_PENDING,
                  PHASE_CONCLUDED,
                  PHASE_VOID,
                  PHASE_RELEASED,
                  PHASE_TERMINATED
};
/* ASKED: by this party, unanswered. SIGNED: this party signed the other's. KEPT: it kept. KEPT_BY_OTHER: the
 * other did. DONE: the other signed, or a DECISION says so. RECEIVED: the other asks, unanswered here. */
enum release_phase {
  RELEASE_NONE = 0,
  RELEASE_ASKED,
  RELEASE_SIGNED,
  RELEASE_KEPT,
  RELEASE_KEPT_BY_OTHER,
  RELEASE_DONE,
  RELEASE_RECEIVED
};

struct deal_slot {
  struct id deal;
  enum deal_phase phase;
  bool mine;           /* this party proposed it */
  bool amendment;      /* header has `amends` */
  bool accept_drafted; /* the user accepted; not signed yet (held already) */
  bool decline_sent, withdraw_sent, ask_sent_epoch_set;
  uint32_t ask_sent_epoch; /* number of the epoch in which ASK past accept_by was sent last */
  struct id replaces, amends, predecessor; /* zero: none */
  collega_time accept_by;
  uint32_t reduced; /* parts of it that were ended, as far as known here */
  enum rule why;    /* of void */
};
struct negotiation {
  struct id root, decider;
  uint32_t root_epoch_number; /* the decider's epoch of the first header; 0: unknown */
  uint32_t
      epoch_number; /* the newest epoch of the decider that this party has stored or answered */
  uint32_t answered_epoch; /* answered the question of this epoch; 0: none */
  bool welcomed;           /* a Welcome of this run of the daemon told the epoch; not stored */
  enum release_phase release;
  bool terminate_wanted; /* all, or terminate_headcount people of it */
  collega_date terminate_effective;
  uint32_t terminate_headcount; /* 0: all */
  uint32_t position;
  struct id last_decision, last_deal; /* the chain as held; position 0: none */
  size_t count;
  struct deal_slot deals[NEGOTIATION_DEALS];
};

enum deal_event_kind {
  DEAL_EVENT_DRAFT, /* user: propose or counter or amend; `room` says the hold fits; hold and header stored */
  DEAL_EVENT_SIGN, /* daemon, up to date with the head: sign the draft; `room` checked again */
  DEAL_EVENT_DROP_DRAFT, /* user drops a draft, or the daemon finds no room for it */
  DEAL_EVENT_PROPOSAL,   /* a verified header by the other side came in */
  DEAL_EVENT_ACCEPT,     /* user accepts; `room` says the hold fits */
  DEAL_EVENT_ACCEPT_SIGN, /* daemon, up to date: sign the acceptance; `room` checked again; now before accept_by */
  DEAL_EVENT_DECLINE,        /* user */
  DEAL_EVENT_WITHDRAW,       /* user: a request, not a fact */
  DEAL_EVENT_WELCOME,        /* the decider's epoch is known; open deals are asked about */
  DEAL_EVENT_TICK,           /* time passes: drafts past accept_by; ASK for deals past accept_by */
  DEAL_EVENT_DECISION,       /* a verified decision of the decider */
  DEAL_EVENT_QUESTION,       /* the restored decider asks */
  DEAL_EVENT_REFUSED,        /* the broker will never take the message of this deal (head) */
  DEAL_EVENT_UNREACHABLE,    /* the decider is unknown or this party is no member there */
  DEAL_EVENT_TERMINATE,      /* user: all, or a part */
  DEAL_EVENT_TERMINATE_DROP, /* daemon: fewer people are left than the user wants to end a part of */
  DEAL_EVENT_RELEASE,        /* user asks for RELEASE */
  DEAL_EVENT_RELEASE_IN,     /* the other asks */
  DEAL_EVENT_RELEASE_SIGN,   /* user (or policy) signs the other's RELEASE */
  DEAL_EVENT_RELEASE_KEEP,   /* user (or policy) KEEPs */
  DEAL_EVENT_RELEASE_ANSWER_IN, /* the other's answer; `signed_answer` */
  DEAL_EVENT_COPY /* what this party had signed, fetched after a restore (`act`: PROPOSE, ACCEPT,
                                   TERMINATE, RELEASE, RELEASE_ANSWER): it binds again, whatever the room */
};
struct deal_event {
  enum deal_event_kind kind;
  struct id deal; /* which; zero: the root */
  collega_time now;
  bool room;     /* the hold fits (holds_fit) */
  bool fits;     /* ACCEPT: own offer, if revised meanwhile, still fits */
  bool welcomed; /* SIGN: after a Welcome whose head this ledger holds */
  bool signed_answer;
  CollegaStore__ActKind
      act; /* COPY: what; REFUSED: whose message (0: that of the header or acceptance) */
  const struct collega_error
      *no_room; /* with !room: the words of holds_fit, copied into the refusal; may be NULL */
  /* DRAFT, PROPOSAL, COPY of a header */
  struct id replaces, amends, predecessor;
  collega_time accept_by;
  /* WELCOME, QUESTION, DECISION */
  uint32_t epoch_number;
  /* DECISION */
  Collega__Verdict verdict;
  uint32_t position;
  struct id decision, decided_predecessor;
  enum rule why;
  const struct id *voids;
  size_t void_count;
  collega_date effective;
  struct id party; /* whose half this is */
  const struct reduction *reductions;
  size_t reduction_count;
  /* TERMINATE, COPY of one */
  collega_date terminate_effective;
  uint32_t terminate_headcount;
  bool carried_out; /* COPY of one that ends a part: it was decided, or one signed after it was */
};

enum deal_effect_kind {
  DEAL_EFFECT_HOLD, /* put the deal's hold (held); stays until DROP or AGREE */
  DEAL_EFFECT_HOLD_DROP,
  DEAL_EFFECT_HOLD_AGREE, /* held becomes agreed; for an amendment it replaces what was agreed */
  DEAL_EFFECT_HOLD_END,   /* terminated: agreed people end at `effective` (inclusive) */
  DEAL_EFFECT_HOLD_REDUCE, /* parts of the deal end, `reductions` in all, of the event; so does what is agreed for it */
  DEAL_EFFECT_SIGN_HEADER, /* sign, and mail it to the other side with a copy to self */
  DEAL_EFFECT_SIGN_ACCEPT, /* sign, and ask the decider; a deal that is pending: send the stored acceptance
                                   again (the decider was restored); so too DECLINE, WITHDRAW, LODGE_RELEASE */
  DEAL_EFFECT_SIGN_DECLINE,
  DEAL_EFFECT_SIGN_WITHDRAW,
  DEAL_EFFECT_SIGN_ASK,          /* sign, and send to the decider */
  DEAL_EFFECT_SIGN_TERMINATE,    /* names last_decision; to the decider */
  DEAL_EFFECT_SIGN_EPOCH_ANSWER, /* all decisions held on the root: the whole chain and every void */
  DEAL_EFFECT_SIGN_RELEASE,
  DEAL_EFFECT_SIGN_RELEASE_ANSWER, /* to the other side */
  DEAL_EFFECT_LODGE_RELEASE,       /* both signatures to the decider */
  DEAL_EFFECT_CHANGED              /* the deal's phase or why changed: store, tell followers */
};
struct deal_effect {
  enum deal_effect_kind kind;
  struct id deal;
  bool signed_answer;
  collega_date effective;
  uint32_t headcount;                 /* SIGN_TERMINATE: 0: all */
  const struct reduction *reductions; /* HOLD_REDUCE: the event's */
  size_t reduction_count;
};
struct deal_effects {
  size_t count;
  struct deal_effect effect[DEAL_EFFECTS];
};

/* Takes one event. COLLEGA_OK: state changed as the effects say (possibly not at all: a duplicate).
 * COLLEGA_REFUSED or COLLEGA_INVALID with a sentence (deal_not_open, no_room, deal_past, release_under_way,
 * root_crowded, offer_changed ...): nothing changed. */
enum collega_status deal_step(struct negotiation *negotiation, const struct deal_event *event,
                              struct deal_effects *effects,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
struct deal_slot *negotiation_deal(struct negotiation *negotiation,
                                   const struct id *deal); /* NULL: not there */
bool deal_holds(const struct negotiation *negotiation,
                const struct deal_slot *slot); /* does it hold people now? */
/* Is a stored decision on `deal` one that this party took, and so shows to a restored decider? One that came
 * from an older epoch than the party had answered in was not taken, and must not be shown later. */
bool deal_shows(const struct negotiation *negotiation, const struct id *deal,
                Collega__Verdict verdict, uint32_t position);
/* How many parts were ended so far, of all its deals together: at most REDUCTIONS_MOST. */
size_t negotiation_reductions(const struct negotiation *negotiation);
const char *deal_phase_name(enum deal_phase phase); /* "draft", "proposed", ... as in JSON */
/* Root of a negotiation: BLAKE2b-256("collega/root/1", match id, count of closed negotiations (8, big-endian)). */
void negotiation_root(struct id *out, const struct id *match, uint64_t closed);
/* BLAKE2b-256("collega/match/1", both ids sorted); an id is 16 bytes (offer) or 32 (party). */
void match_id(struct id *out, struct bytes one, struct bytes other);
#endif
