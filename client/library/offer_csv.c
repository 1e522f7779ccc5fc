/* The columns of an offer, found by walking the schema's table of rules: a new field is a new column
 * without a line here. Cells only become JSON; what is right and wrong is said in one place, for
 * JSON, forms and tables alike. */
#include "client/library/offer_csv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/suggest.h"
#include "proto/offer.pb-c.h"

#define PRIVATE_PREFIX "private."

/* ---- which columns there are */

struct search {
  size_t index;     /* the column sought, by its place */
  const char *path; /* or by its name */
  size_t seen;
  struct offer_column *out;
};

static bool found(struct search *search, const char *prefix, const char *suffix,
                  enum column_kind kind, const struct field_rule *rule, bool required) {
  struct offer_column *out = search->out;
  snprintf(out->path, sizeof out->path, "%s%s%s", prefix, rule->name, suffix);
  out->kind = kind;
  out->rule = rule;
  out->required = required;
  return search->path ? strcmp(out->path, search->path) == 0 : search->seen++ == search->index;
}

static bool walk(struct search *search, const ProtobufCMessageDescriptor *type, const char *prefix,
                 bool required) {
  const struct message_rules *rules = rules_of(type);
  for (uint32_t i = 0; rules && i < rules->count; i++) {
    const struct field_rule *rule = &rules->fields[i];
    bool needed = required && rule->label == PROTOBUF_C_LABEL_REQUIRED;
    char inner[COLUMN_PATH_BYTES];
    if (rule->label == PROTOBUF_C_LABEL_REPEATED && rule->message) {
      if (found(search, prefix, ".must", COLUMN_MUST, rule, false) ||
          found(search, prefix, ".nice", COLUMN_NICE, rule, false))
        return true;
    } else if (rule->label == PROTOBUF_C_LABEL_REPEATED) {
      if (found(search, prefix, "", COLUMN_TEXTS, rule, false)) return true;
    } else if (!rule->message) {
      if (found(search, prefix, "", COLUMN_VALUE, rule, needed)) return true;
    } else {
      snprintf(inner, sizeof inner, "%s%s.", prefix, rule->name);
      if (walk(search, rule->message, inner, needed)) return true;
    }
  }
  return false;
}

static bool seek(struct search *search) {
  return walk(search, &collega__offer__descriptor, "", true) ||
         walk(search, &collega__offer_private__descriptor, PRIVATE_PREFIX, false);
}

bool offer_column_at(size_t index, struct offer_column *out) {
  struct search search = {.index = index, .out = out};
  return seek(&search);
}

bool offer_column_find(const char *path, struct offer_column *out) {
  struct search search = {.path = path, .out = out};
  return seek(&search);
}

/* ---- the header */

static enum collega_status unknown_column(const char *name, struct collega_error *error) {
  char nearest[COLUMN_PATH_BYTES] = "";
  size_t best = SIZE_MAX;
  struct offer_column column;
  for (size_t i = 0; offer_column_at(i, &column); i++) {
    size_t distance = edit_distance(name, column.path);
    if (distance >= best) continue;
    best = distance;
    snprintf(nearest, sizeof nearest, "%s", column.path);
  }
  if (best > (strlen(nearest) + 1) / 2)
    return error_set(error, COLLEGA_INVALID, RULE_csv_column, NULL, name, NULL);
  return error_set(error, COLLEGA_INVALID, RULE_csv_column_suggest, NULL, name, nearest, NULL);
}

static bool have_column(const struct offer_columns *columns, const char *path) {
  for (size_t i = 0; i < columns->count; i++)
    if (columns->column[i].kind != COLUMN_UNNAMED && strcmp(columns->column[i].path, path) == 0)
      return true;
  return false;
}

static enum collega_status read_name(struct bytes cell, struct offer_columns *columns,
                                     struct collega_error *error) {
  struct offer_column *column = &columns->column[columns->count];
  memset(column, 0, sizeof *column);
  if (cell.length) {
    char name[COLUMN_PATH_BYTES + 32];
    snprintf(name, sizeof name, "%.*s", (int)(cell.length < 80 ? cell.length : 80),
             (const char *)cell.data);
    name[utf8_cut(name, sizeof name - 1)] = '\0';
    if (!utf8_text(cell.data, cell.length, false))
      return error_set(error, COLLEGA_INVALID, RULE_csv_utf8, NULL, NULL);
    if (strlen(name) != cell.length || !offer_column_find(name, column))
      return unknown_column(name, error);
    if (have_column(columns, name))
      return error_set(error, COLLEGA_INVALID, RULE_csv_column_twice, NULL, name, NULL);
  }
  columns->count++;
  return COLLEGA_OK;
}

enum collega_status offer_columns_read(const struct csv_record *header, struct offer_columns *out,
                                       struct collega_error *error) {
  out->count = 0;
  if (header->fault) return error_set(error, COLLEGA_INVALID, header->fault, NULL, NULL);
  if (header->count > CSV_COLUMNS_MOST)
    return error_set(error, COLLEGA_INVALID, RULE_csv_columns_many, NULL, "256", NULL);
  for (size_t i = 0; i < header->count; i++) {
    enum collega_status status = read_name(header->cell[i], out, error);
    if (status != COLLEGA_OK) return status;
  }
  struct offer_column column;
  for (size_t i = 0; offer_column_at(i, &column); i++)
    if (column.required && !have_column(out, column.path))
      return error_set(error, COLLEGA_INVALID, RULE_csv_column_missing, NULL, column.path, NULL);
  return COLLEGA_OK;
}

/* ---- cells */

static json_t *number_of(const char *text, size_t length) {
  char *end;
  errno = 0;
  long long whole = strtoll(text, &end, 10);
  bool digits = text[0] == '-' || (text[0] >= '0' && text[0] <= '9');
  if (digits && errno == 0 && end != text && end == text + length) return json_integer(whole);
  /* 12,5 and 12.5 are numbers too: the rule will say that they must be whole. */
  size_t plain = strspn(text, "-0123456789");
  bool fraction = digits && (text[plain] == ',' || text[plain] == '.') &&
                  plain + 1 + strspn(text + plain + 1, "0123456789") == length;
  return fraction ? json_real(0.5) : json_stringn(text, length);
}

static json_t *flag_of(const char *text, size_t length) {
  static const char *const yes[] = {"true", "ja", "j", "yes", "y", "waar", "1"};
  static const char *const no[] = {"false", "nee", "n", "no", "onwaar", "0"};
  for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
    if (strcasecmp(text, yes[i]) == 0) return json_true();
  for (size_t i = 0; i < sizeof no / sizeof *no; i++)
    if (strcasecmp(text, no[i]) == 0) return json_false();
  return json_stringn(text, length);
}

/* `text` is ended by NUL beyond its length, and may hold others. */
static json_t *value_of(const struct field_rule *rule, const char *text, size_t length) {
  if (rule->form == FORM_NUMBER || rule->form == FORM_CENTS) return number_of(text, length);
  if (rule->form == FORM_FLAG) return flag_of(text, length);
  return json_stringn(text, length);
}

static enum collega_status no_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

/* The object in which the last name of the path stands, made where it is missing. */
static json_t *parent_of(json_t *offer, const char *path, const char **last) {
  json_t *at = offer;
  for (const char *point; at && (point = strchr(path, '.')) != NULL; path = point + 1) {
    json_t *inner = json_object_getn(at, path, (size_t)(point - path));
    if (!inner) {
      inner = json_object();
      if (json_object_setn_new(at, path, (size_t)(point - path), inner) != 0) return NULL;
    }
    at = inner;
  }
  *last = path;
  return at;
}

/* One skill, credential or language: {"label" or "code": ..., "need": ...}. */
static json_t *item_of(const struct offer_column *column, const char *text, size_t length) {
  const struct field_rule *first = &column->rule->inner->fields[0];
  const char *colon = NULL;
  if (column->rule->message == &collega__language__descriptor) colon = memchr(text, ':', length);
  size_t size = colon ? (size_t)(colon - text) : length;
  json_t *item = json_object();
  bool ok = item && json_object_set_new(item, first->name, json_stringn(text, size)) == 0;
  if (ok && colon)
    ok = json_object_set_new(item, "level", json_stringn(colon + 1, length - size - 1)) == 0;
  ok = ok && json_object_set_new(item, "need",
                                 json_string(column->kind == COLUMN_MUST ? "must" : "nice")) == 0;
  if (ok) return item;
  json_decref(item);
  return NULL;
}

/* The next item between semicolons, without blanks around it; empty ones are passed over. */
static bool next_item(const char **at, const char *end, const char **item, size_t *length) {
  while (*at < end && (**at == ' ' || **at == '\t' || **at == '\n' || **at == ';'))
    (*at)++;
  const char *stop = memchr(*at, ';', (size_t)(end - *at));
  if (!stop) stop = end;
  *item = *at;
  *length = (size_t)(stop - *at);
  *at = stop;
  while (*length && strchr(" \t\n", (*item)[*length - 1]) && (*item)[*length - 1])
    (*length)--;
  return *length > 0;
}

static enum collega_status put_list(json_t *offer, const struct offer_column *column,
                                    const char *text, size_t size, struct collega_error *error) {
  const char *name, *item, *at = text;
  char path[COLUMN_PATH_BYTES];
  snprintf(path, sizeof path, "%s", column->path);
  if (column->kind != COLUMN_TEXTS) *strrchr(path, '.') = '\0'; /* .must, .nice */
  json_t *parent = parent_of(offer, path, &name);
  json_t *list = parent ? json_object_get(parent, name) : NULL;
  if (parent && !list) {
    list = json_array();
    if (json_object_set_new(parent, name, list) != 0) list = NULL;
  }
  if (!list) return no_memory(error);
  for (size_t length; next_item(&at, text + size, &item, &length);) {
    json_t *value =
        column->kind == COLUMN_TEXTS ? json_stringn(item, length) : item_of(column, item, length);
    if (json_array_append_new(list, value) != 0) return no_memory(error);
  }
  return COLLEGA_OK;
}

enum collega_status offer_put(json_t *offer, const struct offer_column *column, struct bytes cell,
                              struct collega_error *error) {
  if (!cell.length) return COLLEGA_OK;
  if (column->kind == COLUMN_UNNAMED)
    return error_set(error, COLLEGA_INVALID, RULE_csv_unnamed, NULL, NULL);
  if (!utf8_valid(cell.data, cell.length))
    return error_set(error, COLLEGA_INVALID, RULE_csv_utf8, column->path, NULL);
  char *text = malloc(cell.length + 1);
  if (!text) return no_memory(error);
  memcpy(text, cell.data, cell.length);
  text[cell.length] = '\0';
  enum collega_status status = COLLEGA_OK;
  const char *name;
  if (column->kind != COLUMN_VALUE) {
    status = put_list(offer, column, text, cell.length, error);
  } else {
    json_t *parent = parent_of(offer, column->path, &name);
    if (!parent ||
        json_object_set_new(parent, name, value_of(column->rule, text, cell.length)) != 0)
      status = no_memory(error);
  }
  free(text);
  return status;
}

/* ---- rows */

static enum collega_status check_cells(const struct offer_columns *columns,
                                       const struct csv_record *record,
                                       struct collega_error *error) {
  if (record->fault) {
    bool named = record->fault_column < columns->count;
    return error_set(error, COLLEGA_INVALID, record->fault,
                     named ? columns->column[record->fault_column].path : NULL, NULL);
  }
  if (record->count == columns->count) return COLLEGA_OK;
  char cells[24], names[24];
  snprintf(cells, sizeof cells, "%zu", record->count);
  snprintf(names, sizeof names, "%zu", columns->count);
  return error_set(error, COLLEGA_INVALID, RULE_csv_cells, NULL, cells, names, NULL);
}

enum collega_status offer_row_read(const struct offer_columns *columns,
                                   const struct csv_record *record, json_t **out,
                                   struct collega_error *error) {
  *out = NULL;
  enum collega_status status = check_cells(columns, record, error);
  json_t *offer = status == COLLEGA_OK ? json_object() : NULL;
  if (status == COLLEGA_OK && !offer) status = no_memory(error);
  for (size_t i = 0; status == COLLEGA_OK && i < columns->count; i++) {
    const struct offer_column *column = &columns->column[i];
    if (column->required && !record->cell[i].length)
      status = error_set(error, COLLEGA_INVALID, RULE_required, column->path, NULL);
    else
      status = offer_put(offer, column, record->cell[i], error);
  }
  if (status == COLLEGA_OK)
    *out = offer;
  else
    json_decref(offer);
  return status;
}

/* How many items a list's cell brings. */
static size_t items_of(struct bytes cell) {
  const char *at = (const char *)cell.data, *end = at + cell.length, *item;
  size_t count = 0;
  for (size_t length; next_item(&at, end, &item, &length);)
    count++;
  return count;
}

void offer_row_name_column(const struct offer_columns *columns, const struct csv_record *record,
                           struct collega_error *error) {
  char *bracket = error ? strchr(error->field, '[') : NULL;
  if (!bracket) return;
  size_t name = (size_t)(bracket - error->field), index = strtoul(bracket + 1, NULL, 10);
  for (size_t i = 0; i < columns->count; i++) {
    const struct offer_column *column = &columns->column[i];
    if (column->kind == COLUMN_UNNAMED || column->kind == COLUMN_VALUE ||
        strncmp(column->path, error->field, name) != 0 ||
        (column->path[name] != '.' && column->path[name] != '\0'))
      continue;
    size_t items = items_of(record->cell[i]);
    if (index < items) {
      snprintf(error->field, sizeof error->field, "%s", column->path);
      return;
    }
    index -= items;
  }
}
