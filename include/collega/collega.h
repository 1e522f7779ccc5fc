/* libcollega: the public C interface to a node of Collega.
 *
 * Caveats first.
 *   - The library writes to the node's ledger and reads it; it speaks to no network. What is published, said or signed
 *     leaves when the daemon `collega run` of the same home has a connection. With the daemon down everything waits.
 *   - No function waits for the network, for a person, or for the other side. Only the ledger's write lock is waited
 *     for: other processes hold it for milliseconds.
 *   - A handle is for one thread at a time. Several handles may be open, also on the same home, and used by different
 *     threads at once; they share one opening of the ledger inside.
 *   - After fork() the child must not use, or close, handles that the parent opened: every function refuses
 *     (COLLEGA_CODE_USAGE, rule handle_forked), and collega_close only clears the pointer. A child that needs a home
 *     opens it itself; in a program with threads, after exec().
 *   - The home must lie on a local disk, not on NFS.
 *   - Proposals, acceptances and the like bind the employer. Who may call them is yours to guard: the library knows
 *     mandates, not users.
 *
 * What it does not do: it starts no thread, takes no signal, changes no locale, never exits, and writes nothing to
 * standard output; to standard error only lines of the log at level error, or as the variable COLLEGA_LOG says.
 *
 * Documents. Functions give JSON out through `char **json`: UTF-8, ended by NUL, yours to release with collega_free(),
 * set to NULL on failure; `json` may be NULL where the answer is not wanted. Shapes: docs/integrator.md; names in them
 * stay, new ones may be added. JSON goes in as text and length, at most 64 MiB; a name that is not known is refused.
 *
 * Ids are hexadecimal, as documents tell them; any unambiguous beginning will do.
 *
 * Failure. Functions return a code, and fill *failure when it is not NULL. Nothing is half done: a call that failed has
 * written nothing. Pointers that must not be NULL are checked: COLLEGA_CODE_USAGE, rule argument_null.
 *
 * Versions. The soname changes when something here is taken away or changes its meaning; within one soname functions,
 * enumerators and members at the end of structures may be added. Structures carry their `size`, set by the macros
 * below, so that an older program works with a newer library and the other way round. */
#ifndef COLLEGA_COLLEGA_H
#define COLLEGA_COLLEGA_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0". */
const char *collega_version(void);
/* Releases what functions give out through char ** and void **. NULL is allowed. */
void collega_free(void *memory);

enum collega_language { COLLEGA_LANGUAGE_ENGLISH = 0, COLLEGA_LANGUAGE_DUTCH = 1 };

/* ---- failure */

enum collega_code {
  COLLEGA_CODE_OK = 0,
  COLLEGA_CODE_USAGE = 1,     /* called wrongly */
  COLLEGA_CODE_INVALID = 2,   /* a value breaks a rule of form or of meaning: `field` says which */
  COLLEGA_CODE_REFUSED = 3,   /* the state of things forbids it */
  COLLEGA_CODE_NOT_FOUND = 4, /* no such offer, match, deal, party, file */
  COLLEGA_CODE_EXISTS = 5,    /* is there already */
  COLLEGA_CODE_UNREACHABLE = 6, /* what is needed cannot be reached; try again later */
  COLLEGA_CODE_BUSY = 7,        /* held by another process; try again later */
  COLLEGA_CODE_FULL = 8,        /* disk, quota or memory; nothing was written */
  COLLEGA_CODE_DAMAGED = 9,     /* what is stored does not verify: `collega ledger verify` */
  COLLEGA_CODE_FORGED = 10,     /* a signature or hash does not fit */
  COLLEGA_CODE_SYSTEM = 11      /* the operating system said no */
};
struct collega_failure {
  size_t size;   /* sizeof(struct collega_failure) */
  int code;      /* enum collega_code */
  char rule[64]; /* the rule's stable name, for programs: "headcount_range" */
  char field
      [96]; /* path in what was given: "offer.hours.per_week_min", "[3].title"; "" where none is meant */
  char text[1024]; /* a sentence for people, in the handle's language, with the field before it */
};
#define COLLEGA_FAILURE_INIT                                                                       \
  {                                                                                                \
    sizeof(struct collega_failure), 0, {0}, {0}, {                                                 \
      0                                                                                            \
    }                                                                                              \
  }

/* ---- homes and handles */

struct collega_node; /* a home, opened */

struct collega_home {
  size_t size;
  const char *home;      /* directory to make; its parent must exist */
  const char *name;      /* the employer's */
  const char *kvk;       /* eight digits */
  const char *signatory; /* who signs for the employer, and as what; both or neither (no mandate) */
  const char *function;
  int language; /* enum collega_language, of failures */
};
#define COLLEGA_HOME_INIT                                                                          \
  { sizeof(struct collega_home), NULL, NULL, NULL, NULL, NULL, 0 }
/* Makes a home with its keys and ledger. json: {"id","fingerprint","recovery_key"}; the recovery key is told this once,
 * and kept nowhere. COLLEGA_CODE_EXISTS: there is a home already. Any thread. */
int collega_home_create(const struct collega_home *home, char **json,
                        struct collega_failure *failure);

struct collega_options {
  size_t size;
  const char *home;
  int language; /* enum collega_language: of failures, reasons, gaps */
  const char *
      party; /* in a home of several parties: the one that acts, by KvK number, id or name; NULL: the host */
};
#define COLLEGA_OPTIONS_INIT                                                                       \
  { sizeof(struct collega_options), NULL, 0, NULL }
/* Opens a home. *node is the caller's, to be given back with collega_close; NULL on failure. Strings in `options` need
 * not outlive the call. Any thread. */
int collega_open(const struct collega_options *options, struct collega_node **node,
                 struct collega_failure *failure);
/* Releases everything and clears the caller's pointer. NULL, or a pointer to NULL, is allowed. */
void collega_close(struct collega_node **node);

/* Stores an invitation's token; the daemon joins with it. */
int collega_join(struct collega_node *node, const char *token, struct collega_failure *failure);
/* How the node is doing: connected or not and why, what waits, the ledger's head. */
int collega_node_status(struct collega_node *node, char **json, struct collega_failure *failure);

/* ---- offers */

/* An offer whose private.reference one of our own offers has that is not withdrawn or expired is not published again:
 * the answer names that one, with "already": true. So a call that may or may not have worked can be repeated. */
#define COLLEGA_ONCE 1u
/* Of a table: publish the good rows, and tell of the bad. */
#define COLLEGA_SKIP_BAD 2u
/* One offer, a list, or {"offers":[...]}, at most 100,000: all or none. json: {"offers":[{"id"}]} in their order;
 * an item has "warnings": [{"rule","text"}] when the author should know something of the offer, such as that it
 * would point at one person. */
int collega_offers_publish(struct collega_node *node, const char *text, size_t length,
                           unsigned flags, char **json, struct collega_failure *failure);
/* The same from a table (docs/csv.md). json is also set when rows are bad: {"rows":[{"row","field","rule","text"}]},
 * or with "id" for those that were published. */
int collega_offers_publish_csv(struct collega_node *node, const char *text, size_t length,
                               unsigned flags, char **json, struct collega_failure *failure);
/* A new content for an own offer. json: the offer, with "warnings" as above. */
int collega_offer_revise(struct collega_node *node, const char *offer, const char *text,
                         size_t length, char **json, struct collega_failure *failure);
enum collega_offer_change {
  COLLEGA_OFFER_PAUSE = 1,
  COLLEGA_OFFER_RESUME = 2,
  COLLEGA_OFFER_FILLED = 3,
  COLLEGA_OFFER_WITHDRAW = 4 /* for good */
};
/* COLLEGA_CODE_REFUSED, rule offer_already: it is in that state. json: the offer. */
int collega_offer_change(struct collega_node *node, const char *offer,
                         enum collega_offer_change change, char **json,
                         struct collega_failure *failure);
/* json: the offer, an own one with its private part. */
int collega_offer_show(struct collega_node *node, const char *offer, char **json,
                       struct collega_failure *failure);
enum collega_offers {
  COLLEGA_OFFERS_OPEN = 0, /* ours in any state, others' while open */
  COLLEGA_OFFERS_MINE = 1,
  COLLEGA_OFFERS_ALL = 2
};
/* json: {"offers":[...]}, newest first. `reference` not NULL: only own offers with that private.reference. */
int collega_offers_list(struct collega_node *node, enum collega_offers which, const char *reference,
                        char **json, struct collega_failure *failure);

/* ---- matches and talk; these bind nobody */

/* json: {"matches":[...]}, best first; `offer` NULL: of all own offers. With the daemon down they are found here. */
int collega_matches_list(struct collega_node *node, const char *offer, char **json,
                         struct collega_failure *failure);
int collega_match_show(struct collega_node *node, const char *match, char **json,
                       struct collega_failure *failure);
/* Tells the other employer; opens the talk. `message` may be NULL. json: the talk. */
int collega_match_interest(struct collega_node *node, const char *match, const char *message,
                           char **json, struct collega_failure *failure);
int collega_match_decline(struct collega_node *node, const char *match, char **json,
                          struct collega_failure *failure);
/* `about`: a match, a deal or a talk. json: {"thread","state","counterparty","messages":[...]}. */
int collega_talk_show(struct collega_node *node, const char *about, char **json,
                      struct collega_failure *failure);
/* A message, draft terms as JSON, or both; what is not sent is NULL. json: the talk. */
int collega_talk_send(struct collega_node *node, const char *about, const char *message,
                      const char *terms, size_t terms_length, char **json,
                      struct collega_failure *failure);

/* ---- deals. Each writes a draft that the daemon signs once it is up to date with its broker; what came of it is
 * told by events. json: the deal. */

/* text: {"match" or "to", "headcount", "from", "until", "hours_per_week", "rate_cents", "accept_by", "mandate",
 * "terms":{}}; all but the first optional. */
int collega_deal_propose(struct collega_node *node, const char *text, size_t length, char **json,
                         struct collega_failure *failure);
/* The same without "match" and "to"; what is not given stays as in `deal`. */
int collega_deal_counter(struct collega_node *node, const char *deal, const char *text,
                         size_t length, char **json, struct collega_failure *failure);
/* Of an agreement; at least one term that is not agreed already. */
int collega_deal_amend(struct collega_node *node, const char *deal, const char *text, size_t length,
                       char **json, struct collega_failure *failure);
/* `mandate` NULL: the only one that covers it, else none is named. */
int collega_deal_accept(struct collega_node *node, const char *deal, const char *mandate,
                        char **json, struct collega_failure *failure);
int collega_deal_decline(struct collega_node *node, const char *deal, char **json,
                         struct collega_failure *failure);
/* Of an own proposal: a request to the decider, not a fact. */
int collega_deal_withdraw(struct collega_node *node, const char *deal, char **json,
                          struct collega_failure *failure);
/* `last_day` as "2027-03-26". */
int collega_deal_terminate(struct collega_node *node, const char *deal, const char *last_day,
                           const char *mandate, char **json, struct collega_failure *failure);
/* Ends a part of it: `headcount` people fewer after `last_day`, from 1 to one less than all who are left; the others go
 * on. "reductions" in the deal tells what became of it. */
int collega_deal_terminate_part(struct collega_node *node, const char *deal, uint32_t headcount,
                                const char *last_day, const char *mandate, char **json,
                                struct collega_failure *failure);
enum collega_release {
  COLLEGA_RELEASE_ASK = 0,
  COLLEGA_RELEASE_SIGN = 1, /* answers the other's request: both are free */
  COLLEGA_RELEASE_KEEP = 2  /* answers it: no */
};
int collega_deal_release(struct collega_node *node, const char *deal, enum collega_release what,
                         char **json, struct collega_failure *failure);
int collega_deal_show(struct collega_node *node, const char *deal, char **json,
                      struct collega_failure *failure);
/* json: {"deals":[...]}, newest first. */
int collega_deals_list(struct collega_node *node, char **json, struct collega_failure *failure);
/* The proof of an agreement, as the bytes of a file: *file is the caller's (collega_free). `hide`: sections that
 * are not shown, "rates,persons"; NULL: all are shown. Only a proof that verifies is given:
 * COLLEGA_CODE_UNREACHABLE says that something that belongs to it has not come in yet. */
int collega_deal_prove(struct collega_node *node, const char *deal, const char *hide, void **file,
                       size_t *length, struct collega_failure *failure);

/* ---- plans: which loans go together best. A plan binds nobody; it is kept for 30 days, so that what was shown is
 * what is proposed. Shapes: docs/plans.md. */

enum collega_plans {
  COLLEGA_PLAN_OFFER = 0, /* for an own offer: with several employers; a shared job in pieces */
  COLLEGA_PLAN_BOARD = 1, /* for all open offers; rings for who wants somebody in return */
  COLLEGA_PLAN_RINGS = 2  /* for all, and nobody lends who does not borrow as many */
};
struct collega_plan; /* a plan as values, below; for one thread at a time */

/* Makes a plan and keeps it. `offer`: with COLLEGA_PLAN_OFFER, else NULL. The search takes as long as it takes, at
 * most `seconds`, 1 to 600 (0: 10), and gives the best so far; reading a large board comes before that. Nobody
 * else is held up by it, only this handle. json: the plan with "sentences"; "loans": [] where nothing fits. *out:
 * the same as values, the caller's, to be given back with collega_plan_destroy; NULL on failure; `out` may be NULL
 * where it is not wanted. COLLEGA_CODE_REFUSED, rule plan_not_ours: the offer is another's. */
int collega_plan_make(struct collega_node *node, enum collega_plans what, const char *offer,
                      unsigned seconds, struct collega_plan **out, char **json,
                      struct collega_failure *failure);
/* json: a plan that was made, with the deals that were proposed of it. COLLEGA_CODE_NOT_FOUND, rule plan_unknown. */
int collega_plan_show(struct collega_node *node, const char *plan, char **json,
                      struct collega_failure *failure);
/* Proposes a deal for each loan that the handle's party is a side of and that has none yet, with its people, hours and
 * days. text: {"from", "until", "rate_cents", "accept_by", "mandate", "terms":{}} for all of them, or NULL and 0. json:
 * {"plan", "deals": [{"id","people","counterparty"}], "refused": [{"counterparty","rule","field","text"}]}: one refusal
 * holds up no other, and is no failure. COLLEGA_CODE_REFUSED, rule plan_nothing_ours: the party is in none of its
 * loans; COLLEGA_CODE_EXISTS, rule plan_proposed_already: nothing is left to propose. Each deal is by itself: after
 * COLLEGA_CODE_FULL or COLLEGA_CODE_SYSTEM some may have been made; called again, this makes the others only. */
int collega_plan_propose(struct collega_node *node, const char *plan, const char *text,
                         size_t length, char **json, struct collega_failure *failure);

/* The same as values: strings live as long as the plan, which may be longer than the handle. *out is the caller's,
 * to be given back with collega_plan_destroy; NULL on failure. Failures as of collega_plan_show. */
int collega_plan_open(struct collega_node *node, const char *plan, struct collega_plan **out,
                      struct collega_failure *failure);
void collega_plan_destroy(struct collega_plan **plan); /* clears the caller's pointer */

const char *collega_plan_id(const struct collega_plan *plan);

struct collega_plan_figures {
  size_t size; /* sizeof(struct collega_plan_figures) */
  size_t loans;
  int64_t people, people_offered, people_asked;
  int64_t employers;          /* in its loans; of a plan for one offer, the others */
  int64_t hours, hours_asked; /* a week, of a job that is shared in pieces; else 0 */
  double value;               /* people, or hours, times score */
  double bound;               /* no plan of what was looked at is worth more */
  int optimal;                /* 1: none is better */
  int pairs_cut; /* 1: of a large board, each request's best counter-offers were looked at */
};
#define COLLEGA_PLAN_FIGURES_INIT                                                                  \
  { sizeof(struct collega_plan_figures), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }
/* Fills *out as far as its size goes. */
void collega_plan_figures(const struct collega_plan *plan, struct collega_plan_figures *out);
/* What the plan does, compared with doing nothing and with the best single match; who works when; how far from the best
 * it may be. NULL beyond the last. */
const char *collega_plan_sentence(const struct collega_plan *plan, size_t index);

struct collega_plan_loan {
  size_t size;                             /* sizeof(struct collega_plan_loan) */
  const char *supply_offer, *demand_offer; /* ids */
  const char *lender, *lender_kvk;         /* "" where the party is not known here */
  const char *borrower, *borrower_kvk;
  uint32_t people, hours_per_week; /* hours: of each of them */
  uint32_t ring;                   /* loans of one number, from 1, form it, in order; 0: none */
  const char *slots; /* parts of the week, "mon-am;mon-pm"; "": neither side names any */
  const char *when;  /* the same in words */
  double score;      /* 0 to 1 */
  const char *deal;  /* id, once it was proposed; else "" */
};
#define COLLEGA_PLAN_LOAN_INIT                                                                     \
  {                                                                                                \
    sizeof(struct collega_plan_loan), NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL, 0,  \
        NULL                                                                                       \
  }
/* Fills *out as far as its size goes, and returns 1; 0 beyond the last loan. */
int collega_plan_loan(const struct collega_plan *plan, size_t index, struct collega_plan_loan *out);
/* Sentences: why the two fit, and what is missing. NULL beyond the last. */
const char *collega_plan_reason(const struct collega_plan *plan, size_t loan, size_t index);
const char *collega_plan_gap(const struct collega_plan *plan, size_t loan, size_t index);

/* ---- market: figures of the offers that the party may see. No figure stands for fewer than three employers. */

/* json: open people, offers and employers by region, sector and occupation, wanted skills, shortages, time to
 * match, fill rate (docs/plans.md). A figure that is hidden is null. A large board takes seconds. */
int collega_market_show(struct collega_node *node, char **json, struct collega_failure *failure);

/* The same as rows. */
struct collega_market; /* for one thread at a time; its strings live as long as it does */

/* *out is the caller's, to be given back with collega_market_destroy; NULL on failure. */
int collega_market_open(struct collega_node *node, struct collega_market **out,
                        struct collega_failure *failure);
void collega_market_destroy(struct collega_market **market); /* clears the caller's pointer */

/* Fewer than three employers are behind it, or the table has no such figure. */
#define COLLEGA_MARKET_HIDDEN (-1)
/* Tables: "open", "regions", "sectors", "occupations", "skills", "short", "matching", "filled". The key is "AM25",
 * "52", "4321", "AM25 4321" and so on, or "others": what is too small to be told by itself. */
struct collega_market_row {
  size_t size;                       /* sizeof(struct collega_market_row) */
  const char *table, *key, *name;    /* key and name: "" where there is none */
  int asked;                         /* 1: people asked for; 0: people offered */
  int64_t people, offers, employers; /* or COLLEGA_MARKET_HIDDEN */
  double value; /* people short; median of hours; share filled, 0 to 1; or COLLEGA_MARKET_HIDDEN */
};
#define COLLEGA_MARKET_ROW_INIT                                                                    \
  { sizeof(struct collega_market_row), NULL, NULL, NULL, 0, 0, 0, 0, 0 }
/* Fills *out as far as its size goes, and returns 1; 0 beyond the last row. */
int collega_market_row(const struct collega_market *market, size_t index,
                       struct collega_market_row *out);

/* ---- events: at least once, in order, from a cursor that is kept in the ledger under the consumer's name */

enum collega_start {
  COLLEGA_START_NOW = 0,      /* a consumer that is new here: from now on */
  COLLEGA_START_BEGINNING = 1 /* a consumer that is new here: all that the ledger holds */
};
/* Names the consumer: 1 to 40 of a-z, 0-9 and '-'. Each party of a home has consumers of its own. One consumer is
 * one line of work: two handles that follow under one name each get all events and move one cursor. May be called
 * again, which goes back to what was acknowledged last. */
int collega_follow(struct collega_node *node, const char *consumer, enum collega_start start,
                   struct collega_failure *failure);
/* A descriptor to wait for with poll (POLLIN), owned by the handle; -1 before collega_follow. It is a hint: call
 * collega_next_event until it gives none, then wait, at most COLLEGA_LOOK_AGAIN_MS, and look again. */
#define COLLEGA_LOOK_AGAIN_MS 5000
int collega_fd(const struct collega_node *node);
/* The next event in *json (NULL: none for now), as JSON: {"id","event","time", ...}. */
int collega_next_event(struct collega_node *node, char **json, struct collega_failure *failure);
/* Everything up to and including the event with that "id" is dealt with: it does not come again. NULL: up to the one
 * that was given last. Acknowledge after your own commit. */
int collega_acknowledge(struct collega_node *node, const char *event,
                        struct collega_failure *failure);

/* ---- proofs; these need no home */

/* json: the judgement as `collega verify --json` gives it: {"valid","trusted","why":[...],...}. COLLEGA_CODE_OK
 * whatever the file holds. `trusted` are `count` fingerprints of networks (NULL and 0: none). Any thread. */
int collega_verify(const void *file, size_t length, const char *const *trusted, size_t count,
                   enum collega_language language, char **json, struct collega_failure *failure);

/* The same as values. What a proof is worth. */
enum collega_verdict {
  COLLEGA_VERDICT_NO_PROOF = 0, /* not a proof file, or a damaged one */
  COLLEGA_VERDICT_INVALID = 1,  /* something does not fit: see the findings */
  COLLEGA_VERDICT_CONSISTENT =
      2, /* all fits; vouched for by a network that is not among those named as trusted */
  COLLEGA_VERDICT_TRUSTED = 3 /* all fits, and a network named as trusted vouches for it */
};
enum collega_side { COLLEGA_SIDE_LENDER = 0, COLLEGA_SIDE_BORROWER = 1 };

struct collega_judgement; /* for one thread at a time; its strings live as long as it does */

/* Judges `length` bytes (at most 16 MiB) of a proof file. `trusted` are `count` fingerprints of networks (as
 * `collega verify --trust` takes them); none: NULL and 0. Returns 0 and a judgement whatever the file holds; -1
 * only when memory or the random source fails, or `out`, or `file` with a length, is NULL; then *out is NULL. Any
 * thread. */
int collega_proof_judge(const void *file, size_t length, const char *const *trusted, size_t count,
                        struct collega_judgement **out);
void collega_judgement_destroy(
    struct collega_judgement **judgement); /* clears the caller's pointer */

enum collega_verdict collega_judgement_verdict(const struct collega_judgement *judgement);
/* Name and KvK number of a side, the person who signed for it and that person's function; "" where the proof does
 * not say (an invalid one says nothing that may be relied on). */
const char *collega_judgement_name(const struct collega_judgement *judgement,
                                   enum collega_side side);
const char *collega_judgement_kvk(const struct collega_judgement *judgement,
                                  enum collega_side side);
const char *collega_judgement_signatory(const struct collega_judgement *judgement,
                                        enum collega_side side);
const char *collega_judgement_function(const struct collega_judgement *judgement,
                                       enum collega_side side);
/* The network that vouches, and its fingerprint. */
const char *collega_judgement_network(const struct collega_judgement *judgement);
const char *collega_judgement_fingerprint(const struct collega_judgement *judgement);
/* People, first and last day (days since 1970-01-01; last: INT32_MAX when open) and hours a week that were agreed;
 * all 0 when the section is hidden or the proof invalid. */
uint32_t collega_judgement_headcount(const struct collega_judgement *judgement);
int32_t collega_judgement_from(const struct collega_judgement *judgement);
int32_t collega_judgement_until(const struct collega_judgement *judgement);
uint32_t collega_judgement_hours_per_week(const struct collega_judgement *judgement);
/* When it was concluded, milliseconds since 1970-01-01T00:00:00Z by the decider's clock; 0: not known. */
int64_t collega_judgement_concluded(const struct collega_judgement *judgement);
/* Of the people agreed, those who go on once every part that one party ended has ended; as many where none was. */
uint32_t collega_judgement_people_left(const struct collega_judgement *judgement);

/* The findings: sentences. against is set to 1 when the finding speaks against the proof. NULL beyond the last. */
size_t collega_judgement_finding_count(const struct collega_judgement *judgement);
const char *collega_judgement_finding(const struct collega_judgement *judgement, size_t index,
                                      enum collega_language language, int *against);

#ifdef __cplusplus
}
#endif
#endif
