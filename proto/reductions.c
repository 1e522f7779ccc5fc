#include "proto/reductions.h"

size_t reductions_read(const Collega__Decision *decision, struct reduction out[REDUCTIONS_MOST]) {
  size_t count = 0;
  for (size_t i = 0; i < decision->n_reductions && count < REDUCTIONS_MOST; i++) {
    const Collega__Reduction *read = decision->reductions[i];
    struct reduction *one = &out[count++];
    *one = (struct reduction){
        .headcount = read->headcount, .effective = read->effective, .time = read->time};
    id_from(&one->by, read->by.data, read->by.len);
    id_from(&one->basis, read->basis.data, read->basis.len);
  }
  return count;
}

uint32_t reductions_left(uint32_t headcount, const struct reduction *reductions, size_t count,
                         collega_date day) {
  uint32_t left = headcount;
  for (size_t i = 0; i < count; i++) {
    if (reductions[i].effective >= day) continue;
    left = reductions[i].headcount < left ? left - reductions[i].headcount : 0;
  }
  return left;
}
