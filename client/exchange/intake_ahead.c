/* A frame of many runs, each with a signature of its own: those whose signer is known before the frame is judged are
 * verified by all cores at once. Judging goes on in its order afterwards, and by the same rules: what was verified here
 * counts only for the key that the signer turns out to have by then. */
#include "client/exchange/intake.h"

#include <string.h>

#include "client/exchange/signatures.h"

#define AHEAD_LEAST 64u /* runs: for fewer, threads cost more than they save */

/* The cards that the frame itself brings are not known yet; and the recovery key signs cards only. */
static bool knows_key(struct intake *intake, struct run_ahead *run) {
  const Collega__Run *signed_run = run->view.run;
  struct collega_error none;
  return !(signed_run->has_recovery && signed_run->recovery) &&
         members_signing_key(intake->members, &run->view.signer, signed_run->key_epoch, run->key,
                             &none) == COLLEGA_OK;
}

static enum collega_status read_runs(struct intake *intake, const Collega__Board *board,
                                     struct run_ahead *runs, struct signatures *signatures) {
  for (size_t i = 0; i < board->n_runs; i++) {
    struct run_ahead *run = &runs[i];
    enum collega_status status =
        run_read(board->runs[i]->run, intake->arena, &run->view, intake->error);
    if (status != COLLEGA_OK) return status;
    run->fits = knows_key(intake, run);
    if (!run->fits) continue;
    struct signature_job job = {.signer = run->view.signer,
                                .root = run->view.root,
                                .tree_size = run->view.run->tree_size,
                                .entry = i,
                                .key_epoch = run->view.run->key_epoch,
                                .purpose = PURPOSE_RECORD};
    memcpy(job.key, run->key, sizeof job.key);
    memcpy(job.signature, run->view.run->signature.data, sizeof job.signature);
    signatures_add(signatures, &job);
  }
  return COLLEGA_OK;
}

static enum collega_status verify_ahead(struct intake *intake, const Collega__Board *board,
                                        struct run_ahead **out) {
  *out = NULL;
  if (board->n_runs < AHEAD_LEAST) return COLLEGA_OK;
  struct run_ahead *runs = arena_zero(intake->arena, board->n_runs * sizeof *runs);
  struct signatures *signatures = runs ? signatures_new() : NULL;
  struct signature_job *left = NULL;
  size_t count = 0;
  if (!signatures) return exchange_no_memory(intake->error);
  enum collega_status status = read_runs(intake, board, runs, signatures);
  if (status == COLLEGA_OK) status = signatures_end(signatures, &left, &count, intake->error);
  for (size_t i = 0; status == COLLEGA_OK && i < count; i++)
    runs[left[i].entry].fits = false;
  signatures_destroy(&signatures);
  if (status == COLLEGA_OK) *out = runs;
  return status;
}

void exchange_use_all_cores(struct exchange *exchange) {
  exchange->verify_ahead = verify_ahead;
}
