/* Shows what could be done with an own offer, and what the market around it looks like: plan.c HOME OFFER [propose] */
#include <collega/collega.h>
#include <stdio.h>

static void show_loans(const struct collega_plan *plan) {
  struct collega_plan_loan loan = COLLEGA_PLAN_LOAN_INIT;
  const char *text;
  for (size_t i = 0; collega_plan_loan(plan, i, &loan); ++i) {
    printf("%s lends %u to %s, %u hours a week each%s%s (%.2f)\n", loan.lender, loan.people,
           loan.borrower, loan.hours_per_week, *loan.when ? ", " : "", loan.when, loan.score);
    for (size_t j = 0; (text = collega_plan_reason(plan, i, j)) != NULL; ++j)
      printf("  + %s\n", text);
    for (size_t j = 0; (text = collega_plan_gap(plan, i, j)) != NULL; ++j)
      printf("  - %s\n", text);
  }
  for (size_t i = 0; (text = collega_plan_sentence(plan, i)) != NULL; ++i)
    puts(text);
}

static int show_market(struct collega_node *node, struct collega_failure *failure) {
  struct collega_market *market = NULL;
  struct collega_market_row row = COLLEGA_MARKET_ROW_INIT;
  int code = collega_market_open(node, &market, failure);
  for (size_t i = 0; code == COLLEGA_CODE_OK && collega_market_row(market, i, &row); ++i)
    if (row.people != COLLEGA_MARKET_HIDDEN)
      printf("%s %s %s: %lld people by %lld employers\n", row.table, row.key,
             row.asked ? "asked" : "offered", (long long)row.people, (long long)row.employers);
  collega_market_destroy(&market);
  return code;
}

int main(int argc, char **argv) {
  struct collega_failure failure = COLLEGA_FAILURE_INIT;
  struct collega_options options = COLLEGA_OPTIONS_INIT;
  struct collega_node *node = NULL;
  struct collega_plan *plan = NULL;
  char *deals = NULL;
  options.home = argc > 2 ? argv[1] : "";
  int code = collega_open(&options, &node, &failure);
  if (code == COLLEGA_CODE_OK)
    code = collega_plan_make(node, COLLEGA_PLAN_OFFER, argv[2], 0, &plan, NULL, &failure);
  if (code == COLLEGA_CODE_OK) show_loans(plan);
  if (code == COLLEGA_CODE_OK && argc > 3)
    code = collega_plan_propose(node, collega_plan_id(plan), NULL, 0, &deals, &failure);
  if (deals) puts(deals);
  if (code == COLLEGA_CODE_OK) code = show_market(node, &failure);
  if (code != COLLEGA_CODE_OK) fprintf(stderr, "%s\n", failure.text);
  collega_plan_destroy(&plan);
  collega_free(deals);
  collega_close(&node);
  return code == COLLEGA_CODE_OK ? 0 : 1;
}
