/* The document of a judged proof. It needs no home. */
#include "client/library/document.h"

#include "proto/json.h"

static json_t *proof_party_json(const struct proof_party *party) {
  json_t *out =
      json_pack("{s:s, s:s, s:b}", "name", party->name, "kvk", party->kvk, "named", party->named);
  bool ok = out && json_put(out, "id", json_hex(party->id.byte, ID_BYTES));
  if (ok && party->named)
    ok = json_put(out, "signed_by", json_string(party->mandate_person)) &&
         json_put(out, "function", json_string(party->mandate_function));
  if (ok) return out;
  json_decref(out);
  return NULL;
}

static json_t *findings_json(const struct proof_judgement *judgement, bool against,
                             enum language language) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < judgement->finding_count; ++i) {
    if (judgement->findings[i].against != against) continue;
    char text[1024];
    error_render(language, &judgement->findings[i].words, text, sizeof text);
    if (json_array_append_new(list, json_string(text)) != 0) {
      json_decref(list);
      return NULL;
    }
  }
  return list;
}

/* The parts that one party ended; and who go on, where the proof shows how many there were. */
static bool reductions_json(const struct proof_judgement *judgement, json_t *out) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < judgement->reduction_count; i++) {
    const struct reduction *part = &judgement->reductions[i];
    bool lender = id_equal(&part->by, &judgement->lender.id);
    json_t *entry = json_pack("{s:i, s:s}", "headcount", (int)part->headcount, "by",
                              lender ? "lender" : "borrower");
    bool put = entry && json_put(entry, "effective", json_date(part->effective));
    if (!put) json_decref(entry);
    list = json_add(list, put ? entry : NULL);
  }
  bool ok = json_put(out, "reductions", list);
  if (ok && judgement->terms && judgement->terms->work)
    ok = json_put(
        out, "people_left",
        json_integer(reductions_left(judgement->terms->work->headcount, judgement->reductions,
                                     judgement->reduction_count, INT32_MAX)));
  return ok;
}

json_t *document_judgement(const struct proof_judgement *judgement, enum language language) {
  json_t *out = json_object();
  char fingerprint[FINGERPRINT_BYTES];
  fingerprint_write(fingerprint, &judgement->broker);
  bool ok = out && json_put(out, "valid", json_boolean(judgement->valid)) &&
            json_put(out, "trusted", json_boolean(judgement->trusted)) &&
            json_put(out, "why", findings_json(judgement, true, language)) &&
            json_put(out, "fits", findings_json(judgement, false, language)) &&
            json_put(out, "broker",
                     json_pack("{s:s, s:s}", "name", judgement->broker_name, "fingerprint",
                               fingerprint)) &&
            json_put(out, "deal", json_hex(judgement->deal.byte, ID_BYTES)) &&
            json_put(out, "decided", json_time(judgement->decided)) &&
            json_put(out, "lender", proof_party_json(&judgement->lender)) &&
            json_put(out, "borrower", proof_party_json(&judgement->borrower));
  if (ok && judgement->terms)
    ok = json_put(out, "terms", json_from_message(&judgement->terms->base));
  if (ok && judgement->reduction_count > 0) ok = reductions_json(judgement, out);
  if (ok && judgement->terminated)
    ok = json_put(out, "terminated_on", json_date(judgement->terminated_on));
  if (ok) return out;
  json_decref(out);
  return NULL;
}

json_t *document_no_proof(const struct collega_error *error, enum language language) {
  char text[1024];
  error_render(language, error, text, sizeof text);
  return json_pack("{s:b, s:b, s:[s]}", "valid", 0, "trusted", 0, "why", text);
}
