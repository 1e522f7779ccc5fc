/* Groups of followers: two lists each, those who wait for a read from the log and the others. */
#include "broker/session/follow.h"
#include "broker/session/table.h"
#include "proto/guard.h"
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define FILTER_ARENA_BYTES (256u * 1024u) /* unpacked; the schema's own limits keep it far below */

struct follow_group_handles {
  struct follow_group group;
  struct arena *arena;
  uint8_t *key;
  size_t key_length; /* number, then the filter's bytes */
  UT_hash_handle hh;
};

struct follows {
  struct hash_key hash_key;
  struct follow_group_handles *table;
  size_t count;
};

struct follows *follows_new(void) {
  struct follows *follows = calloc(1, sizeof *follows);
  if (follows != NULL) random_fill(&follows->hash_key, sizeof follows->hash_key);
  return follows;
}

static void handles_free(struct follow_group_handles *handles) {
  arena_destroy(&handles->arena);
  free(handles->key);
  free(handles);
}

static void free_if_unused(struct follows *follows, struct follow_group *group) {
  if (group->followers > 0 || group->jobs > 0) return;
  struct follow_group_handles *handles = group->handles;
  HASH_DEL(follows->table, handles);
  handles_free(handles);
}

void follows_destroy(struct follows **follows) {
  if (*follows == NULL) return;
  struct follow_group_handles *handles, *next;
  HASH_ITER(hh, (*follows)->table, handles, next) {
    HASH_DEL((*follows)->table, handles);
    handles_free(handles);
  }
  free(*follows);
  *follows = NULL;
}

static struct follow_group_handles *group_new(uint32_t number, struct bytes packed) {
  struct follow_group_handles *handles = calloc(1, sizeof *handles);
  if (handles == NULL) return NULL;
  handles->group.handles = handles;
  handles->group.number = number;
  handles->key_length = 4 + packed.length;
  handles->key = malloc(handles->key_length);
  handles->arena = arena_new(1024, FILTER_ARENA_BYTES);
  ProtobufCMessage *filter = NULL;
  if (handles->key == NULL || handles->arena == NULL ||
      guard_unpack(&collega__filter__descriptor, packed, handles->arena, &filter, NULL) !=
          COLLEGA_OK) {
    handles_free(handles);
    return NULL;
  }
  put_be32(handles->key, number);
  if (packed.length > 0) memcpy(handles->key + 4, packed.data, packed.length);
  handles->group.filter = (const Collega__Filter *)filter;
  return handles;
}

static struct follow_group *group_get(struct follows *follows, uint32_t number, struct bytes packed,
                                      uint64_t head) {
  struct follow_group_handles *fresh = group_new(number, packed), *found = NULL;
  if (fresh == NULL) return NULL;
  unsigned hash = keyed_hash(&follows->hash_key, fresh->key, fresh->key_length);
  HASH_FIND_BYHASHVALUE(hh, follows->table, fresh->key, fresh->key_length, hash, found);
  if (found != NULL) {
    handles_free(fresh);
    return &found->group;
  }
  fresh->group.live_from = head;
  HASH_ADD_KEYPTR_BYHASHVALUE(hh, follows->table, fresh->key, fresh->key_length, hash, fresh);
  if (fresh->hh.tbl != NULL) return &fresh->group;
  handles_free(fresh);
  return NULL;
}

static struct follow **place_of(struct session *session, uint32_t number) {
  for (size_t i = 0; i < session->follow_count; i++)
    if (session->follows[i]->group->number == number) return &session->follows[i];
  return NULL;
}

size_t follow_count_besides(const struct session *session, uint32_t number) {
  size_t count = 0;
  for (size_t i = 0; i < session->follow_count; i++)
    if (session->follows[i]->group->number != number) count++;
  return count;
}

static bool is_behind(const struct follow *follow) {
  return !follow->blocked && follow->through < follow->group->live_from;
}

struct follow *follow_start(struct follows *follows, struct session *session, uint32_t number,
                            struct bytes packed, uint64_t through, uint64_t head) {
  struct follow_group *group = group_get(follows, number, packed, head);
  struct follow *follow = calloc(1, sizeof *follow);
  struct follow **list =
      realloc(session->follows, (session->follow_count + 1) * sizeof(struct follow *));
  if (list != NULL) session->follows = list;
  if (group == NULL || follow == NULL || list == NULL) {
    free(follow);
    if (group != NULL) free_if_unused(follows, group);
    return NULL;
  }
  group->followers++; /* before the old one ends: it may be of the same group */
  struct follow **old = place_of(session, number);
  if (old != NULL) follow_stop(follows, *old);
  follow->group = group;
  follow->session = session;
  follow->through = through;
  follow->waiting = is_behind(follow);
  if (follow->waiting)
    DL_APPEND2(group->waiting, follow, previous, next);
  else
    DL_APPEND2(group->idle, follow, previous, next);
  session->follows[session->follow_count++] = follow;
  follows->count++;
  return follow;
}

void follow_stop(struct follows *follows, struct follow *follow) {
  struct follow_group *group = follow->group;
  struct session *session = follow->session;
  for (size_t i = 0; i < session->follow_count; i++) {
    if (session->follows[i] != follow) continue;
    session->follows[i] = session->follows[--session->follow_count];
    break;
  }
  if (follow->waiting)
    DL_DELETE2(group->waiting, follow, previous, next);
  else
    DL_DELETE2(group->idle, follow, previous, next);
  free(follow);
  group->followers--;
  follows->count--;
  free_if_unused(follows, group);
}

void follow_stop_all(struct follows *follows, struct session *session) {
  while (session->follow_count > 0)
    follow_stop(follows, session->follows[0]);
}

void follow_settle(struct follow *follow) {
  struct follow_group *group = follow->group;
  bool behind = is_behind(follow);
  if (follow->waiting)
    DL_DELETE2(group->waiting, follow, previous, next);
  else
    DL_DELETE2(group->idle, follow, previous, next);
  follow->waiting = behind;
  if (behind)
    DL_APPEND2(group->waiting, follow, previous, next);
  else
    DL_APPEND2(group->idle, follow, previous, next);
}

static bool is_read(const struct follow_group *group, uint64_t after) {
  for (size_t i = 0; i < group->read_count; i++)
    if (group->reads[i] == after) return true;
  return false;
}

bool follow_read_due(struct follow_group *group, uint64_t *after) {
  if (group->read_count == FOLLOW_READS_MOST) return false;
  for (const struct follow *follow = group->waiting; follow != NULL; follow = follow->next) {
    if (is_read(group, follow->through)) continue;
    *after = group->reads[group->read_count++] = follow->through;
    return true;
  }
  return false;
}

void follow_read_done(struct follow_group *group, uint64_t after) {
  for (size_t i = 0; i < group->read_count; i++) {
    if (group->reads[i] != after) continue;
    group->reads[i] = group->reads[--group->read_count];
    return;
  }
}

void follow_group_hold(struct follow_group *group) {
  group->jobs++;
}

void follow_group_drop(struct follows *follows, struct follow_group *group) {
  group->jobs--;
  free_if_unused(follows, group);
}

struct follow_group *follow_group_first(const struct follows *follows) {
  return follows->table == NULL ? NULL : &follows->table->group;
}

struct follow_group *follow_group_next(const struct follow_group *group) {
  struct follow_group_handles *next = group->handles->hh.next;
  return next == NULL ? NULL : &next->group;
}

size_t follows_count(const struct follows *follows) {
  return follows->count;
}
