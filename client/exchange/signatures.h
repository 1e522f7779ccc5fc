/* Signatures judged by all cores. What is found out comes at the end. */
#ifndef COLLEGA_CLIENT_SIGNATURES_H
#define COLLEGA_CLIENT_SIGNATURES_H
#include "proto/record.h"

struct signature_job {
  uint8_t key[32]; /* public; not read when the key is not known yet */
  uint8_t signature[64];
  struct id signer, root;
  uint64_t tree_size;
  uint64_t entry; /* of the chain */
  uint32_t key_epoch;
  enum purpose purpose;
};
bool signature_fits(const struct signature_job *job, const uint8_t key[32]);

/* One thread adds. Threads are started when there is work for more than one. */
struct signatures;
struct signatures *signatures_new(void); /* NULL: out of memory */
/* May wait until some of what was added before is done. */
void signatures_add(struct signatures *signatures, const struct signature_job *job);
/* One that has to wait for the end. */
enum collega_status signatures_put_off(struct signatures *signatures,
                                       const struct signature_job *job,
                                       struct collega_error *error) COLLEGA_MUST_CHECK;
/* Waits for all that was added, and gives what was put off and what did not fit, in the order of the entries; they
 * belong to `signatures`. Nothing is added after it. */
enum collega_status signatures_end(struct signatures *signatures, struct signature_job **left,
                                   size_t *count, struct collega_error *error) COLLEGA_MUST_CHECK;
void signatures_destroy(struct signatures **signatures);
#endif
