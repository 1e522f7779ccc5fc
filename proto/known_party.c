/* Questions about a known party: its name, its certificate, what a mandate covers. */
#include <stdio.h>
#include <string.h>

#include "proto/limits.h"
#include "proto/members.h"

const char *known_party_name(const struct known_party *party) {
  return party->cert_count > 0 ? party->certs[0].name : party->short_name;
}

bool known_party_replaced(const struct known_party *party, uint32_t key_epoch) {
  for (size_t i = 0; i < party->card_count && i <= key_epoch; i++)
    if (party->cards[i].recovered) return true;
  return false;
}

const char *known_party_kvk(const struct known_party *party) {
  return party->cert_count > 0 ? party->certs[0].kvk : "";
}

bool known_party_in_audience(const struct known_party *party, const char *audience) {
  static const char named[] = "named:"; /* and KvK numbers, of eight digits each */
  if (!audience || strncmp(audience, named, sizeof named - 1) != 0) return true;
  const char *kvk = party ? known_party_kvk(party) : "";
  return *kvk && strstr(audience + sizeof named - 1, kvk);
}

const struct known_cert *known_party_cert(const struct known_party *party, const struct id *broker,
                                          collega_time time) {
  for (size_t i = 0; i < party->cert_count; i++) {
    const struct known_cert *cert = &party->certs[i];
    if (broker && !id_equal(&cert->broker, broker)) continue;
    if (time >= cert->valid_from && time < cert->valid_until) return cert;
  }
  return NULL;
}

const struct known_mandate *known_party_mandate(const struct known_party *party,
                                                const struct id *record) {
  for (size_t i = 0; i < party->mandate_count; i++) {
    if (id_equal(&party->mandates[i].record, record)) return &party->mandates[i];
  }
  return NULL;
}

collega_time mandate_time(const struct known_mandate *mandate, collega_time now) {
  bool soon = now < mandate->valid_from && mandate->valid_from - now <= CLOCKS_APART_MS;
  return soon ? mandate->valid_from : now;
}

enum collega_status mandate_covers(const struct known_mandate *known, collega_time time,
                                   uint32_t headcount, struct collega_error *error) {
  if (time < known->valid_from) {
    char from[32];
    time_write(from, sizeof from, known->valid_from);
    return error_set(error, COLLEGA_REFUSED, RULE_mandate_not_yet, "mandate", known->person, from,
                     NULL);
  }
  collega_time until = known->valid_until;
  if (known->ended && (until == 0 || known->ended < until)) until = known->ended;
  if (until && time >= until) {
    char over[32];
    time_write(over, sizeof over, until);
    return error_set(error, COLLEGA_REFUSED, RULE_mandate_over, "mandate", known->person, over,
                     NULL);
  }
  if (known->jointly) {
    return error_set(error, COLLEGA_REFUSED, RULE_mandate_joint, "mandate", known->person, NULL);
  }
  if (known->headcount_limit && headcount > known->headcount_limit) {
    char limit[16], wanted[16];
    snprintf(limit, sizeof limit, "%u", (unsigned)known->headcount_limit);
    snprintf(wanted, sizeof wanted, "%u", (unsigned)headcount);
    return error_set(error, COLLEGA_REFUSED, RULE_mandate_limit, "mandate", known->person, limit,
                     wanted, NULL);
  }
  return COLLEGA_OK;
}

enum collega_status known_mandate_covers(const struct known_party *party, const struct id *mandate,
                                         collega_time time, uint32_t headcount,
                                         struct collega_error *error) {
  const struct known_mandate *known = known_party_mandate(party, mandate);
  if (!known) return error_set(error, COLLEGA_REFUSED, RULE_mandate_unknown, "mandate", NULL);
  return mandate_covers(known, time, headcount, error);
}
