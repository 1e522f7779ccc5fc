/* A home through the public interface alone, as a vendor links it: no broker, no daemon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <collega/collega.h>

#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

struct place {
  char directory[64], home[96];
  struct collega_node *node;
};

static void print_failure(const struct collega_failure *failure) {
  print_error("%d %s [%s] %s\n", failure->code, failure->rule, failure->field, failure->text);
}

#define must(call)                                                                                 \
  do {                                                                                             \
    struct collega_failure failure = COLLEGA_FAILURE_INIT;                                         \
    if ((call) != COLLEGA_CODE_OK) print_failure(&failure);                                        \
    assert_int_equal(failure.code, COLLEGA_CODE_OK);                                               \
  } while (0)

#define refuses(call, wanted, name)                                                                \
  do {                                                                                             \
    struct collega_failure failure = COLLEGA_FAILURE_INIT;                                         \
    assert_int_equal((call), (wanted));                                                            \
    assert_int_equal(failure.code, (wanted));                                                      \
    assert_string_equal(failure.rule, (name));                                                     \
    assert_true(strlen(failure.text) > 0);                                                         \
  } while (0)

static struct collega_node *open_home(const char *home, int language) {
  struct collega_options options = COLLEGA_OPTIONS_INIT;
  struct collega_node *node = NULL;
  options.home = home;
  options.language = language;
  must(collega_open(&options, &node, &failure));
  return node;
}

static int make_place(void **state) {
  struct place *place = calloc(1, sizeof *place);
  struct collega_home home = COLLEGA_HOME_INIT;
  char *json = NULL;
  snprintf(place->directory, sizeof place->directory, "/tmp/collega-library-XXXXXX");
  assert_non_null(mkdtemp(place->directory));
  snprintf(place->home, sizeof place->home, "%s/home", place->directory);
  home.home = place->home;
  home.name = "Snijder BV";
  home.kvk = "12345678";
  home.signatory = "A. Snijder";
  home.function = "directeur";
  must(collega_home_create(&home, &json, &failure));
  assert_non_null(strstr(json, "recovery_key"));
  collega_free(json);
  place->node = open_home(place->home, COLLEGA_LANGUAGE_ENGLISH);
  *state = place;
  return 0;
}

static int clear_place(void **state) {
  struct place *place = *state;
  char command[128];
  collega_close(&place->node);
  snprintf(command, sizeof command, "rm -rf %s", place->directory);
  assert_int_equal(system(command), 0);
  free(place);
  return 0;
}

/* ---- offers */

static char *offer_text(const char *kind, const char *reference, int headcount) {
  static char text[2048];
  snprintf(text, sizeof text,
           "{\"kind\":\"%s\",\"title\":\"Magazijnmedewerkers\","
           "\"occupation\":{\"isco\":\"4321\",\"title\":\"magazijnmedewerker\"},"
           "\"headcount\":%d,\"period\":{\"from\":\"2099-01-04\",\"until\":\"2099-03-26\"},"
           "\"hours\":{\"per_week_min\":24,\"per_week_max\":40},"
           "\"place\":{\"country\":\"NL\",\"postcode\":\"4811\",\"city\":\"Breda\","
           "\"region\":\"AM25\"},\"private\":{\"reference\":\"%s\"}}",
           kind, headcount, reference);
  return text;
}

static json_t *parsed(char *json) {
  assert_non_null(json);
  json_t *read = json_loads(json, 0, NULL);
  assert_non_null(read);
  collega_free(json);
  return read;
}

static const char *id_in(const json_t *document, const char *list, size_t index) {
  return json_string_value(
      json_object_get(json_array_get(json_object_get(document, list), index), "id"));
}

static void publish(struct collega_node *node, const char *text, unsigned flags, char id[33],
                    bool *already) {
  char *json = NULL;
  must(collega_offers_publish(node, text, strlen(text), flags, &json, &failure));
  json_t *document = parsed(json);
  snprintf(id, 33, "%s", id_in(document, "offers", 0));
  *already = json_is_true(
      json_object_get(json_array_get(json_object_get(document, "offers"), 0), "already"));
  json_decref(document);
}

static json_t *shown(struct collega_node *node, const char *id) {
  char *json = NULL;
  must(collega_offer_show(node, id, &json, &failure));
  return parsed(json);
}

static const char *text_at(const json_t *document, const char *name) {
  return json_string_value(json_object_get(document, name));
}

static void an_offer_is_published_shown_changed_and_listed(void **state) {
  struct place *place = *state;
  char id[33], *json = NULL;
  bool already = true;
  publish(place->node, offer_text("loan_out", "HR-1", 5), 0, id, &already);
  assert_false(already);
  assert_int_equal(strlen(id), 32);
  json_t *offer = shown(place->node, id);
  assert_string_equal(text_at(offer, "state"), "open");
  assert_string_equal(
      text_at(json_object_get(json_object_get(offer, "offer"), "private"), "reference"), "HR-1");
  json_decref(offer);

  const char *revised = offer_text("loan_out", "HR-1", 7);
  must(collega_offer_revise(place->node, id, revised, strlen(revised), &json, &failure));
  offer = parsed(json);
  assert_int_equal(json_integer_value(json_object_get(offer, "revision")), 2);
  json_decref(offer);

  must(collega_offer_change(place->node, id, COLLEGA_OFFER_PAUSE, &json, &failure));
  offer = parsed(json);
  assert_string_equal(text_at(offer, "state"), "paused");
  json_decref(offer);
  refuses(collega_offer_change(place->node, id, COLLEGA_OFFER_PAUSE, NULL, &failure),
          COLLEGA_CODE_REFUSED, "offer_already");

  must(collega_offers_list(place->node, COLLEGA_OFFERS_MINE, "HR-1", &json, &failure));
  json_t *list = parsed(json);
  assert_int_equal(json_array_size(json_object_get(list, "offers")), 1);
  assert_string_equal(id_in(list, "offers", 0), id);
  json_decref(list);
  must(collega_offers_list(place->node, COLLEGA_OFFERS_MINE, "HR-2", &json, &failure));
  list = parsed(json);
  assert_int_equal(json_array_size(json_object_get(list, "offers")), 0);
  json_decref(list);
}

static void what_was_published_once_is_not_published_again(void **state) {
  struct place *place = *state;
  char first[33], second[33], third[33];
  bool already;
  publish(place->node, offer_text("loan_out", "HR-1", 5), COLLEGA_ONCE, first, &already);
  assert_false(already);
  publish(place->node, offer_text("loan_out", "HR-1", 5), COLLEGA_ONCE, second, &already);
  assert_true(already);
  assert_string_equal(first, second);
  publish(place->node, offer_text("loan_out", "HR-2", 5), COLLEGA_ONCE, third, &already);
  assert_false(already);
  assert_string_not_equal(first, third);
  /* What is withdrawn leaves its reference free. */
  must(collega_offer_change(place->node, first, COLLEGA_OFFER_WITHDRAW, NULL, &failure));
  publish(place->node, offer_text("loan_out", "HR-1", 5), COLLEGA_ONCE, second, &already);
  assert_false(already);
  assert_string_not_equal(first, second);
}

#define TABLE_HEAD                                                                                 \
  "kind,title,occupation.isco,occupation.title,headcount,period.from,period.until,"                \
  "hours.per_week_min,hours.per_week_max,place.postcode,place.region,private.reference\n"
#define TABLE_ROW(headcount, reference)                                                            \
  "loan_out,Schilders,7131,schilder," headcount                                                    \
  ",2099-01-04,2099-03-26,24,40,4811,AM25," reference "\n"

static void a_table_tells_of_every_row(void **state) {
  struct place *place = *state;
  const char *table = TABLE_HEAD TABLE_ROW("2", "T-1") TABLE_ROW("0", "T-2") TABLE_ROW("4", "T-3");
  char *json = NULL;
  refuses(collega_offers_publish_csv(place->node, table, strlen(table), 0, &json, &failure),
          COLLEGA_CODE_INVALID, "csv_rows_bad");
  json_t *report = parsed(json);
  json_t *rows = json_object_get(report, "rows");
  assert_int_equal(json_array_size(rows), 1);
  assert_string_equal(text_at(json_array_get(rows, 0), "field"), "headcount");
  json_decref(report);

  must(collega_offers_publish_csv(place->node, table, strlen(table),
                                  COLLEGA_SKIP_BAD | COLLEGA_ONCE, &json, &failure));
  report = parsed(json);
  rows = json_object_get(report, "rows");
  assert_int_equal(json_array_size(rows), 3);
  assert_non_null(text_at(json_array_get(rows, 0), "id"));
  assert_non_null(text_at(json_array_get(rows, 1), "rule"));
  assert_non_null(text_at(json_array_get(rows, 2), "id"));
  json_decref(report);
}

/* ---- events */

static json_t *next_event(struct collega_node *node) {
  char *json = NULL;
  must(collega_next_event(node, &json, &failure));
  return json ? parsed(json) : NULL;
}

/* The offer's id of the next event, which must be one about an offer; false: there is none. */
static bool next_offer(struct collega_node *node, char id[33], char event[64]) {
  json_t *read = next_event(node);
  if (!read) return false;
  assert_string_equal(text_at(read, "event"), "offer");
  snprintf(id, 33, "%s", text_at(json_object_get(read, "offer"), "id"));
  snprintf(event, 64, "%s", text_at(read, "id"));
  json_decref(read);
  return true;
}

static void events_come_until_they_are_acknowledged(void **state) {
  struct place *place = *state;
  char one[33], two[33], got[33], event[64], first_event[64];
  bool already;
  must(collega_follow(place->node, "hr", COLLEGA_START_NOW, &failure));
  publish(place->node, offer_text("loan_out", "HR-1", 5), 0, one, &already);
  publish(place->node, offer_text("loan_out", "HR-2", 5), 0, two, &already);
  assert_true(next_offer(place->node, got, first_event));
  assert_string_equal(got, one);
  assert_true(next_offer(place->node, got, event));
  assert_string_equal(got, two);
  assert_false(next_offer(place->node, got, event));

  /* Nothing was acknowledged: a restart gives both again. */
  collega_close(&place->node);
  assert_null(place->node);
  place->node = open_home(place->home, COLLEGA_LANGUAGE_ENGLISH);
  must(collega_follow(place->node, "hr", COLLEGA_START_NOW, &failure));
  assert_true(next_offer(place->node, got, event));
  assert_string_equal(got, one);
  assert_string_equal(event, first_event);
  must(collega_acknowledge(place->node, event, &failure));

  collega_close(&place->node);
  place->node = open_home(place->home, COLLEGA_LANGUAGE_ENGLISH);
  must(collega_follow(place->node, "hr", COLLEGA_START_NOW, &failure));
  assert_true(next_offer(place->node, got, event));
  assert_string_equal(got, two);
  must(collega_acknowledge(place->node, NULL, &failure));
  must(collega_follow(place->node, "hr", COLLEGA_START_NOW, &failure));
  assert_false(next_offer(place->node, got, event));
}

static void every_consumer_has_a_place_of_its_own(void **state) {
  struct place *place = *state;
  char one[33], got[33], event[64];
  bool already;
  publish(place->node, offer_text("loan_out", "HR-1", 5), 0, one, &already);
  must(collega_follow(place->node, "late", COLLEGA_START_NOW, &failure));
  assert_false(next_offer(place->node, got, event));
  must(collega_follow(place->node, "all", COLLEGA_START_BEGINNING, &failure));
  bool seen = false;
  for (json_t *read; (read = next_event(place->node)); json_decref(read))
    if (strcmp(text_at(read, "event"), "offer") == 0)
      seen = strcmp(text_at(json_object_get(read, "offer"), "id"), one) == 0;
  assert_true(seen);
}

static void many_events_of_one_entry_resume_in_the_middle(void **state) {
  struct place *place = *state;
  enum { COUNT = 700 };
  char got[33], event[64];
  json_t *list = json_array();
  for (int i = 0; i < COUNT; ++i)
    json_array_append_new(list, json_loads(offer_text("loan_out", "HR", 1 + i % 9), 0, NULL));
  char *text = json_dumps(list, 0), *json = NULL;
  must(collega_follow(place->node, "hr", COLLEGA_START_NOW, &failure));
  must(collega_offers_publish(place->node, text, strlen(text), 0, &json, &failure));
  json_t *published = parsed(json);
  for (size_t i = 0; i < COUNT; ++i) {
    assert_true(next_offer(place->node, got, event));
    assert_string_equal(got, id_in(published, "offers", i));
    if (i % 211 != 210) continue;
    must(collega_acknowledge(place->node, event, &failure));
    must(collega_follow(place->node, "hr", COLLEGA_START_NOW, &failure));
  }
  assert_false(next_offer(place->node, got, event));
  json_decref(published);
  json_decref(list);
  free(text);
}

static void the_descriptor_wakes_who_waits(void **state) {
  struct place *place = *state;
  char id[33], got[33], event[64];
  bool already;
  assert_int_equal(collega_fd(place->node), -1);
  must(collega_follow(place->node, "hr", COLLEGA_START_NOW, &failure));
  while (next_offer(place->node, got, event))
    continue;
  struct pollfd wait = {.fd = collega_fd(place->node), .events = POLLIN};
  assert_int_equal(poll(&wait, 1, 0), 0);
  struct collega_node *other = open_home(place->home, COLLEGA_LANGUAGE_DUTCH);
  publish(other, offer_text("loan_in", "HR-9", 3), 0, id, &already);
  assert_int_equal(poll(&wait, 1, 60000), 1);
  assert_true(next_offer(place->node, got, event));
  assert_string_equal(got, id);
  collega_close(&other);
}

static void two_parties_of_interest_match_here_when_no_daemon_runs(void **state) {
  struct place *place = *state;
  char *json = NULL;
  must(collega_matches_list(place->node, NULL, &json, &failure));
  json_t *list = parsed(json);
  assert_int_equal(json_array_size(json_object_get(list, "matches")), 0);
  json_decref(list);
}

/* ---- threads and forks */

static void *publish_many(void *context) {
  const char *home = context;
  struct collega_options options = COLLEGA_OPTIONS_INIT;
  struct collega_node *node = NULL;
  options.home = home;
  for (int i = 0; i < 10; ++i) {
    char text[2048];
    /* offer_text is for one thread */
    snprintf(text, sizeof text,
             "{\"kind\":\"loan_in\",\"title\":\"Hulp\",\"occupation\":{\"title\":\"hulp\","
             "\"isco\":\"4321\"},\"headcount\":2,\"period\":{\"from\":\"2099-01-04\","
             "\"until\":\"2099-03-26\"},\"hours\":{\"per_week_min\":8,\"per_week_max\":16},"
             "\"place\":{\"postcode\":\"4811\",\"region\":\"AM25\"}}");
    if (!node && collega_open(&options, &node, NULL) != COLLEGA_CODE_OK) return context;
    if (collega_offers_publish(node, text, strlen(text), 0, NULL, NULL) != COLLEGA_CODE_OK)
      return context;
    if (i % 3 == 2) collega_close(&node);
  }
  collega_close(&node);
  return NULL;
}

static void threads_with_handles_of_their_own_share_a_home(void **state) {
  struct place *place = *state;
  pthread_t thread[4];
  char *json = NULL;
  for (size_t i = 0; i < 4; ++i)
    assert_int_equal(pthread_create(&thread[i], NULL, publish_many, place->home), 0);
  for (size_t i = 0; i < 4; ++i) {
    void *failed = place;
    assert_int_equal(pthread_join(thread[i], &failed), 0);
    assert_null(failed);
  }
  must(collega_offers_list(place->node, COLLEGA_OFFERS_MINE, NULL, &json, &failure));
  json_t *list = parsed(json);
  assert_int_equal(json_array_size(json_object_get(list, "offers")), 40);
  json_decref(list);
}

/* What the child found, as its exit status: 0 all as promised. */
static int child(const char *home, struct collega_node *inherited) {
  struct collega_failure failure = COLLEGA_FAILURE_INIT;
  struct collega_options options = COLLEGA_OPTIONS_INIT;
  struct collega_node *own = NULL;
  if (collega_node_status(inherited, NULL, &failure) != COLLEGA_CODE_USAGE) return 1;
  if (strcmp(failure.rule, "handle_forked") != 0) return 2;
  if (collega_fd(inherited) != -1) return 3;
  collega_close(&inherited);
  if (inherited) return 4;
  options.home = home;
  if (collega_open(&options, &own, &failure) != COLLEGA_CODE_OK) return 5;
  if (collega_node_status(own, NULL, &failure) != COLLEGA_CODE_OK) return 6;
  collega_close(&own);
  return 0;
}

static void a_child_refuses_what_its_parent_opened_and_opens_its_own(void **state) {
  struct place *place = *state;
  int how = -1;
  pid_t pid = fork();
  if (pid == 0) _exit(child(place->home, place->node));
  assert_true(pid > 0);
  assert_int_equal(waitpid(pid, &how, 0), pid);
  assert_true(WIFEXITED(how));
  assert_int_equal(WEXITSTATUS(how), 0);
  must(collega_node_status(place->node, NULL, &failure));
}

/* ---- bad input */

static void homes_and_options_are_checked(void **state) {
  struct place *place = *state;
  struct collega_home home = COLLEGA_HOME_INIT;
  struct collega_options options = COLLEGA_OPTIONS_INIT;
  struct collega_node *node = NULL;
  char *json = NULL, path[128];
  snprintf(path, sizeof path, "%s/other", place->directory);
  refuses(collega_home_create(NULL, &json, &failure), COLLEGA_CODE_USAGE, "argument_null");
  refuses(collega_home_create(&home, &json, &failure), COLLEGA_CODE_USAGE, "argument_null");
  home.home = path;
  home.name = "Andere BV";
  home.kvk = "1234";
  refuses(collega_home_create(&home, &json, &failure), COLLEGA_CODE_INVALID, "form_kvk");
  home.kvk = "87654321";
  refuses(collega_home_create(&home, NULL, &failure), COLLEGA_CODE_USAGE, "argument_null");
  home.language = 7;
  refuses(collega_home_create(&home, &json, &failure), COLLEGA_CODE_USAGE, "argument_unknown");
  home.language = 0;
  home.size = 4;
  refuses(collega_home_create(&home, &json, &failure), COLLEGA_CODE_USAGE, "argument_size");
  home = (struct collega_home)COLLEGA_HOME_INIT;
  home.home = place->home;
  home.name = "Snijder BV";
  home.kvk = "12345678";
  assert_int_equal(collega_home_create(&home, &json, NULL), COLLEGA_CODE_EXISTS);
  assert_null(json);

  refuses(collega_open(NULL, &node, &failure), COLLEGA_CODE_USAGE, "argument_null");
  refuses(collega_open(&options, &node, &failure), COLLEGA_CODE_USAGE, "argument_null");
  options.home = path;
  refuses(collega_open(&options, NULL, &failure), COLLEGA_CODE_USAGE, "argument_null");
  assert_int_equal(collega_open(&options, &node, NULL), COLLEGA_CODE_NOT_FOUND);
  options.home = place->home;
  options.party = "ffff";
  options.language = COLLEGA_LANGUAGE_DUTCH;
  struct collega_failure dutch = COLLEGA_FAILURE_INIT;
  int code = collega_open(&options, &node, &dutch);
  assert_true(code == COLLEGA_CODE_NOT_FOUND);
  assert_string_equal(dutch.field, "options.party");
  assert_non_null(strstr(dutch.text, "woont"));
  assert_null(node);
  options.size = 1;
  refuses(collega_open(&options, &node, &failure), COLLEGA_CODE_USAGE, "argument_size");
  collega_close(NULL);
  collega_close(&node);
  collega_free(NULL);
}

/* Every function with a handle, given none, and given NULL where something is needed. */
static void no_handle_and_no_argument_are_told(void **state) {
  struct place *place = *state;
  struct collega_node *node = place->node;
  struct collega_failure failure = COLLEGA_FAILURE_INIT, *f = &failure;
  char *json = (char *)f;
  void *file = f;
  size_t length = 1;
  const int codes[] = {
      collega_join(NULL, "x", f),
      collega_node_status(NULL, &json, f),
      collega_offers_publish(NULL, "{}", 2, 0, &json, f),
      collega_offers_publish_csv(NULL, "x", 1, 0, &json, f),
      collega_offer_revise(NULL, "a", "{}", 2, &json, f),
      collega_offer_change(NULL, "a", COLLEGA_OFFER_PAUSE, &json, f),
      collega_offer_show(NULL, "a", &json, f),
      collega_offers_list(NULL, COLLEGA_OFFERS_ALL, NULL, &json, f),
      collega_matches_list(NULL, NULL, &json, f),
      collega_match_show(NULL, "a", &json, f),
      collega_match_interest(NULL, "a", NULL, &json, f),
      collega_match_decline(NULL, "a", &json, f),
      collega_talk_show(NULL, "a", &json, f),
      collega_talk_send(NULL, "a", "x", NULL, 0, &json, f),
      collega_deal_propose(NULL, "{}", 2, &json, f),
      collega_deal_counter(NULL, "a", "{}", 2, &json, f),
      collega_deal_amend(NULL, "a", "{}", 2, &json, f),
      collega_deal_accept(NULL, "a", NULL, &json, f),
      collega_deal_decline(NULL, "a", &json, f),
      collega_deal_withdraw(NULL, "a", &json, f),
      collega_deal_terminate(NULL, "a", "2099-01-01", NULL, &json, f),
      collega_deal_terminate_part(NULL, "a", 1, "2099-01-01", NULL, &json, f),
      collega_deal_release(NULL, "a", COLLEGA_RELEASE_ASK, &json, f),
      collega_deal_show(NULL, "a", &json, f),
      collega_deals_list(NULL, &json, f),
      collega_deal_prove(NULL, "a", NULL, &file, &length, f),
      collega_follow(NULL, "hr", COLLEGA_START_NOW, f),
      collega_next_event(NULL, &json, f),
      collega_acknowledge(NULL, NULL, f),
      collega_join(node, NULL, f),
      collega_offers_publish(node, NULL, 0, 0, &json, f),
      collega_offers_publish_csv(node, NULL, 0, 0, &json, f),
      collega_offer_revise(node, NULL, "{}", 2, &json, f),
      collega_offer_change(node, NULL, COLLEGA_OFFER_PAUSE, &json, f),
      collega_offer_change(node, "a", (enum collega_offer_change)9, &json, f),
      collega_offer_show(node, NULL, &json, f),
      collega_offers_list(node, (enum collega_offers)9, NULL, &json, f),
      collega_offers_publish(node, "{}", 2, 64, &json, f),
      collega_match_show(node, NULL, &json, f),
      collega_match_interest(node, NULL, NULL, &json, f),
      collega_match_decline(node, NULL, &json, f),
      collega_talk_show(node, NULL, &json, f),
      collega_talk_send(node, "a", NULL, NULL, 0, &json, f),
      collega_talk_send(node, NULL, "x", NULL, 0, &json, f),
      collega_deal_propose(node, NULL, 0, &json, f),
      collega_deal_counter(node, NULL, "{}", 2, &json, f),
      collega_deal_amend(node, NULL, "{}", 2, &json, f),
      collega_deal_accept(node, NULL, NULL, &json, f),
      collega_deal_decline(node, NULL, &json, f),
      collega_deal_withdraw(node, NULL, &json, f),
      collega_deal_terminate(node, NULL, "2099-01-01", NULL, &json, f),
      collega_deal_terminate_part(node, NULL, 1, "2099-01-01", NULL, &json, f),
      collega_deal_release(node, NULL, COLLEGA_RELEASE_ASK, &json, f),
      collega_deal_release(node, "a", (enum collega_release)9, &json, f),
      collega_deal_show(node, NULL, &json, f),
      collega_deal_prove(node, NULL, NULL, &file, &length, f),
      collega_deal_prove(node, "a", NULL, NULL, &length, f),
      collega_deal_prove(node, "a", NULL, &file, NULL, f),
      collega_follow(node, NULL, COLLEGA_START_NOW, f),
      collega_follow(node, "hr", (enum collega_start)9, f),
      collega_next_event(node, &json, f),
      collega_next_event(node, NULL, f),
      collega_acknowledge(node, NULL, f),
      collega_verify(NULL, 9, NULL, 0, COLLEGA_LANGUAGE_DUTCH, &json, f),
      collega_verify("x", 1, NULL, 2, COLLEGA_LANGUAGE_DUTCH, &json, f),
      collega_verify("x", 1, NULL, 0, (enum collega_language)9, &json, f),
  };
  for (size_t i = 0; i < sizeof codes / sizeof *codes; ++i)
    if (codes[i] != COLLEGA_CODE_USAGE) fail_msg("call %zu gave %d", i, codes[i]);
  assert_null(json);
  assert_null(file);
  assert_int_equal(length, 0);
  assert_int_equal(collega_fd(NULL), -1);
}

static void what_is_not_json_or_not_an_offer_is_refused_by_rule(void **state) {
  struct place *place = *state;
  static const struct {
    const char *text, *rule, *field;
  } bad[] = {
      {"", "json_end", ""},
      {"{", "json_end", ""},
      {"nul", "json_syntax", ""},
      {"[]", "offers_none", "offers"},
      {"{\"offers\":[]}", "offers_none", "offers"},
      {"[7]", "json_object", "[0]"},
      {"[{}]", "required", "[0].kind"},
      {"{\"kind\":\"loan_out\",\"kinds\":1}", "json_unknown", "kinds"},
      {"{\"kind\":\"loan_out\",\"kind\":\"loan_in\"}", "json_duplicate", ""},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
    struct collega_failure failure = COLLEGA_FAILURE_INIT;
    char *json = (char *)&failure;
    assert_int_equal(
        collega_offers_publish(place->node, bad[i].text, strlen(bad[i].text), 0, &json, &failure),
        COLLEGA_CODE_INVALID);
    assert_null(json);
    assert_string_equal(failure.rule, bad[i].rule);
    assert_string_equal(failure.field, bad[i].field);
  }
  /* Bytes that are no text, and a text that is cut short by its length. */
  refuses(collega_offers_publish(place->node, "\"\xff\"", 3, 0, NULL, &failure),
          COLLEGA_CODE_INVALID, "json_utf8");
  const char *good = offer_text("loan_out", "HR-1", 5);
  refuses(collega_offers_publish(place->node, good, strlen(good) - 1, 0, NULL, &failure),
          COLLEGA_CODE_INVALID, "json_end");
}

static void proposals_are_read_strictly(void **state) {
  struct place *place = *state;
  static const struct {
    const char *text, *rule, *field;
  } bad[] = {
      {"[]", "json_object", ""},
      {"{}", "match_or_offer", ""},
      {"{\"headcount\":3}", "match_or_offer", ""},
      {"{\"headcount\":\"3\"}", "json_integer", "headcount"},
      {"{\"headcount\":0}", "range", "headcount"},
      {"{\"hours_per_week\":61}", "range", "hours_per_week"},
      {"{\"rate_cents\":23.8}", "json_cents", "rate_cents"},
      {"{\"from\":\"2099-02-30\"}", "json_date", "from"},
      {"{\"until\":20990101}", "json_text", "until"},
      {"{\"accept_by\":\"tomorrow\"}", "json_time", "accept_by"},
      {"{\"headcounts\":3}", "json_unknown", "headcounts"},
      {"{\"wages\":3}", "json_unknown_plain", "wages"},
      {"{\"match\":\"zz\"}", "id_malformed", "match"},
      {"{\"match\":\"ffffffffffff\"}", "id_unknown", "match"},
      {"{\"to\":\"ffffffffffff\"}", "id_unknown", "to"},
      {"{\"mandate\":\"ffffffffffff\"}", "id_unknown", "mandate"},
      {"{\"terms\":{\"works\":{}}}", "json_unknown", "terms.works"},
      {"{\"match\":null}", "json_text", "match"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
    struct collega_failure failure = COLLEGA_FAILURE_INIT;
    int code = collega_deal_propose(place->node, bad[i].text, strlen(bad[i].text), NULL, &failure);
    assert_true(code == COLLEGA_CODE_INVALID || code == COLLEGA_CODE_NOT_FOUND);
    assert_string_equal(failure.rule, bad[i].rule);
    assert_string_equal(failure.field, bad[i].field);
  }
  refuses(collega_deal_accept(place->node, "ffffffffffff", NULL, NULL, &failure),
          COLLEGA_CODE_NOT_FOUND, "id_unknown");
  refuses(collega_deal_show(place->node, "nothex", NULL, &failure), COLLEGA_CODE_INVALID,
          "id_malformed");
  refuses(collega_talk_send(place->node, "ffffffffffff", "hallo", NULL, 0, NULL, &failure),
          COLLEGA_CODE_NOT_FOUND, "id_unknown");
}

static void consumers_and_events_are_checked(void **state) {
  struct place *place = *state;
  static const char *const names[] = {
      "", "HR", "a b", "../x", "a/matches", "12345678901234567890123456789012345678901"};
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i)
    refuses(collega_follow(place->node, names[i], COLLEGA_START_NOW, &failure),
            COLLEGA_CODE_INVALID, "consumer_name");
  refuses(collega_acknowledge(place->node, NULL, &failure), COLLEGA_CODE_USAGE, "follow_first");
  must(collega_follow(place->node, "hr", COLLEGA_START_NOW, &failure));
  static const char *const events[] = {"",
                                       "1",
                                       "1.2",
                                       "1.2.3.4",
                                       "-1.0.0",
                                       "99999.0.0",
                                       "99999999999999999999999.0.0",
                                       "0.9999999.0",
                                       "0.0.x"};
  for (size_t i = 0; i < sizeof events / sizeof *events; ++i)
    refuses(collega_acknowledge(place->node, events[i], &failure), COLLEGA_CODE_INVALID,
            "event_unknown");
}

static void a_failure_that_was_not_set_up_is_left_alone(void **state) {
  struct place *place = *state;
  struct collega_failure failure;
  memset(&failure, 0x5a, sizeof failure);
  failure.size = 3;
  assert_int_equal(collega_deal_show(place->node, "ffffffffffff", NULL, &failure),
                   COLLEGA_CODE_NOT_FOUND);
  assert_int_equal(failure.text[0], 0x5a);
}

static void verify_judges_what_is_no_proof(void **state) {
  (void)state;
  char *json = NULL;
  must(collega_verify("x", 1, NULL, 0, COLLEGA_LANGUAGE_DUTCH, &json, &failure));
  json_t *judged = parsed(json);
  assert_true(json_is_false(json_object_get(judged, "valid")));
  assert_int_equal(json_array_size(json_object_get(judged, "why")), 1);
  json_decref(judged);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, clear_place)
int main(void) {
  setenv("COLLEGA_MAP_MIB", "256", 1);
  const struct CMUnitTest tests[] = {
      TEST(an_offer_is_published_shown_changed_and_listed),
      TEST(what_was_published_once_is_not_published_again),
      TEST(a_table_tells_of_every_row),
      TEST(events_come_until_they_are_acknowledged),
      TEST(every_consumer_has_a_place_of_its_own),
      TEST(many_events_of_one_entry_resume_in_the_middle),
      TEST(the_descriptor_wakes_who_waits),
      TEST(two_parties_of_interest_match_here_when_no_daemon_runs),
      TEST(threads_with_handles_of_their_own_share_a_home),
      TEST(a_child_refuses_what_its_parent_opened_and_opens_its_own),
      TEST(homes_and_options_are_checked),
      TEST(no_handle_and_no_argument_are_told),
      TEST(what_is_not_json_or_not_an_offer_is_refused_by_rule),
      TEST(proposals_are_read_strictly),
      TEST(consumers_and_events_are_checked),
      TEST(a_failure_that_was_not_set_up_is_left_alone),
      TEST(verify_judges_what_is_no_proof),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
