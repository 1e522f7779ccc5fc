/* What the loop, the workers and the committer say to each other: pointers to jobs (queue.h). Sending
 * gives a job away, and those that are linked to it; whoever has it owns all that hangs on it. */
#ifndef COLLEGA_BROKER_DAEMON_JOB_H
#define COLLEGA_BROKER_DAEMON_JOB_H
#include <jansson.h>
#include "broker/commit/commit.h"
#include "broker/session/follow.h"

enum job_kind {
  JOB_FRAME,     /* worker: guard, unpack, prepare one frame from a node */
  JOB_WELCOME,   /* worker: read what a Welcome says */
  JOB_BOARD,     /* worker: a part of the log for a group that is behind */
  JOB_LIVE,      /* worker: the frame of a commit for a group */
  JOB_MAIL,      /* worker: a part of a mailbox */
  JOB_FETCH,     /* worker: a part of the answer to Fetch */
  JOB_REPORT,    /* worker: what an administrator asked to see */
  JOB_FIGURES,   /* worker: numbers for the metrics that only the store knows */
  JOB_FORGET,    /* worker: parties whose records changed */
  JOB_COMMIT,    /* committer: prepared requests, linked by `next` */
  JOB_SWEEP,     /* committer: delete some of what is past its lifetime; back: `through` */
  JOB_COMMITTED, /* from the committer: a batch and what came of it */
  JOB_STOP       /* to a thread: end; it sends the job back as its last word */
};
struct board_frame {
  struct bytes frame;
  uint32_t records;
  uint64_t after, through;
};
struct figures {
  uint64_t store_used, store_map, store_free, mailbox_bytes;
};

struct job {
  enum job_kind kind;
  uint64_t session;           /* whose; control connections have numbers of their own */
  struct job *next;           /* in a queue, in a list of its session, of what goes together */
  uint64_t order;             /* FRAME: which of its session's, from 0 */
  size_t worker;              /* FRAME: who has it */
  struct arena *arena;        /* of what a read makes; the job's */
  enum collega_status status; /* of a read */
  struct collega_error error;
  /* FRAME, COMMIT */
  struct request *request; /* FRAME: the job lies in its arena */
  struct frame_cost cost;
  size_t wire_bytes;
  bool in_request;   /* where it lies */
  bool malformed;    /* the guard refused it: error says why */
  bool card_refused; /* a Hello whose card is not this home's: error says why */
  /* COMMITTED */
  struct job **batch;
  size_t batch_count;
  struct commit_result result;
  struct peer_entry *admitted;
  size_t admitted_count;
  /* reads */
  struct id party, home;
  bool member;
  uint8_t link_key[PEER_KEY_BYTES]; /* WELCOME: of the session */
  bool replaces_link;               /* WELCOME, back: another key of the home can go now */
  struct follow_group *group;
  struct log_part *part;
  struct board_frame *frames;
  size_t frame_count; /* LIVE: in the arena */
  Collega__FetchClass what;
  uint64_t after, through; /* MAIL, FETCH: through is the last one read */
  uint64_t newest;         /* MAIL: what was known to stand there when the read was asked for */
  uint32_t most_records;
  size_t most_bytes;
  struct bytes frame;
  uint32_t records;
  bool done;
  /* FORGET */
  struct id *parties;
  size_t party_count;
  /* REPORT */
  json_t *question, *report;
  struct figures figures;
};
struct job *job_new(enum job_kind kind); /* NULL: out of memory */
/* The job of a frame, which owns its request. NULL: out of memory, and the request is gone. */
struct job *job_new_frame(struct request *request);
/* Frees the job and what it owns. Not its group, which belongs to the loop's table. */
void job_destroy(struct job **job);
void job_list_destroy(struct job **list); /* linked by `next` */
#endif
