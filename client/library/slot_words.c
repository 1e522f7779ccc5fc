/* Days with the same parts are told together, in the order of the week; three and more in a row as a range. */
#include "client/library/slot_words.h"

#include <string.h>

#include "proto/lists.h"

#define DAYS     7u
#define PARTS    4u
#define BY_DAY   3u /* morning and afternoon */
#define ALL_DAY  15u
#define IN_RANGE 3u /* days in a row that make a range */

struct telling {
  struct arena *arena;
  enum language language;
};

static const char *render(const struct telling *telling, enum rule rule, const char *one,
                          const char *two) {
  char text[200];
  const char *arguments[] = {one, two};
  words_render(telling->language, rule, arguments, 2, text, sizeof text);
  const char *out = arena_text(telling->arena, text);
  return out ? out : "";
}

/* "a, b" while more come, "a and b" with the last. */
static const char *join(const struct telling *telling, const char *list, const char *more,
                        bool last) {
  if (!*list) return more;
  return render(telling, last ? RULE_slot_list_last : RULE_slot_list, list, more);
}

static const char *day_name(const struct telling *telling, unsigned day) {
  static const enum rule names[DAYS] = {RULE_day_mon, RULE_day_tue, RULE_day_wed, RULE_day_thu,
                                        RULE_day_fri, RULE_day_sat, RULE_day_sun};
  return render(telling, names[day], NULL, NULL);
}

/* `days`: bits. */
static const char *days_words(const struct telling *telling, unsigned days) {
  const char *text = "";
  for (unsigned day = 0; day < DAYS;) {
    unsigned end = day;
    while (end < DAYS && days & 1u << end)
      ++end;
    if (end - day >= IN_RANGE) {
      const char *range =
          render(telling, RULE_slot_range, day_name(telling, day), day_name(telling, end - 1));
      text = join(telling, text, range, days >> end == 0);
      day = end;
    } else {
      if (days & 1u << day)
        text = join(telling, text, day_name(telling, day), days >> (day + 1) == 0);
      ++day;
    }
  }
  return text;
}

/* `parts` of a day: bits. "": by day. */
static const char *parts_words(const struct telling *telling, unsigned parts) {
  static const enum rule names[PARTS] = {RULE_slot_am, RULE_slot_pm, RULE_slot_ev, RULE_slot_ni};
  const char *text = "";
  if (parts == BY_DAY) return "";
  if (parts == ALL_DAY) return render(telling, RULE_slot_all_day, NULL, NULL);
  bool by_day = (parts & BY_DAY) == BY_DAY;
  if (by_day) text = render(telling, RULE_slot_by_day, NULL, NULL);
  for (unsigned part = by_day ? 2 : 0; part < PARTS; ++part)
    if (parts & 1u << part)
      text =
          join(telling, text, render(telling, names[part], NULL, NULL), parts >> (part + 1) == 0);
  return text;
}

const char *slot_words(struct arena *arena, enum language language, uint32_t slots) {
  const struct telling telling = {arena, language};
  const char *text = "";
  unsigned told = 0;
  for (unsigned day = 0; day < DAYS; ++day) {
    unsigned parts = slots >> (PARTS * day) & ALL_DAY, days = 0;
    if (parts == 0 || told & 1u << day) continue;
    for (unsigned same = day; same < DAYS; ++same)
      if ((slots >> (PARTS * same) & ALL_DAY) == parts) days |= 1u << same;
    told |= days;
    const char *when = parts_words(&telling, parts), *which = days_words(&telling, days);
    if (*when) which = render(&telling, RULE_slot_days_parts, which, when);
    text = join(&telling, text, which, false);
  }
  return text;
}

int slots_compare(uint32_t one, uint32_t other) {
  if (one == other) return 0;
  if (!one || !other) return one ? -1 : 1;
  int first = __builtin_ctz(one), second = __builtin_ctz(other);
  if (first != second) return first < second ? -1 : 1;
  return one < other ? -1 : 1;
}

uint32_t slots_of_json(const json_t *list) {
  uint32_t out = 0;
  size_t index;
  json_t *slot;
  json_array_foreach(list, index, slot) {
    const char *text = json_string_value(slot);
    int number = text ? slot_index(text) : -1;
    if (number >= 0) out |= 1u << number;
  }
  return out;
}
