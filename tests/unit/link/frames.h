/* Frames for the tests of this room: one struct that holds a frame and all that it points to. */
#ifndef TESTS_UNIT_LINK_FRAMES_H
#define TESTS_UNIT_LINK_FRAMES_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "base/words.h"
#include "proto/link/link.h"

struct to_broker {
  Collega__ToBroker frame;
  Collega__Hello hello;
  Collega__Join join;
  Collega__Publish publish;
  Collega__Run run;
  Collega__Follow follow;
  Collega__Send send;
  Collega__Ack ack;
  Collega__Credit credit;
  Collega__Ping ping;
  Collega__Pong pong;
};

enum sent {
  SENT_HELLO,
  SENT_JOIN,
  SENT_PUBLISH,
  SENT_FOLLOW,
  SENT_SEND,
  SENT_ACK,
  SENT_CREDIT,
  SENT_PING,
  SENT_PONG,
  SENT_NOTHING,
  SENT_COUNT
};

static inline void to_broker(struct to_broker *out, enum sent kind, uint32_t number) {
  memset(out, 0, sizeof *out);
  collega__to_broker__init(&out->frame);
  collega__run__init(&out->run);
  switch (kind) {
  case SENT_HELLO:
    collega__hello__init(&out->hello);
    out->hello.version = PROTOCOL_VERSION;
    out->frame.hello = &out->hello;
    break;
  case SENT_JOIN:
    collega__join__init(&out->join);
    out->frame.join = &out->join;
    break;
  case SENT_PUBLISH:
    collega__publish__init(&out->publish);
    out->run.n_bodies = number;
    out->publish.run = &out->run;
    out->frame.publish = &out->publish;
    break;
  case SENT_FOLLOW:
    collega__follow__init(&out->follow);
    out->frame.follow = &out->follow;
    break;
  case SENT_SEND:
    collega__send__init(&out->send);
    out->frame.send = &out->send;
    break;
  case SENT_ACK:
    collega__ack__init(&out->ack);
    out->frame.ack = &out->ack;
    break;
  case SENT_CREDIT:
    collega__credit__init(&out->credit);
    out->credit.records = number;
    out->credit.bytes = number;
    out->frame.credit = &out->credit;
    break;
  case SENT_PING:
    collega__ping__init(&out->ping);
    out->ping.number = number;
    out->frame.ping = &out->ping;
    break;
  case SENT_PONG:
    collega__pong__init(&out->pong);
    out->frame.pong = &out->pong;
    break;
  case SENT_NOTHING:
  case SENT_COUNT:
    break;
  }
}

struct from_broker {
  Collega__FromBroker frame;
  Collega__Welcome welcome;
  Collega__Cert cert;
  Collega__Board board;
  Collega__BoardRun board_run, *runs[1];
  Collega__Run run;
  Collega__Mail mail;
  Collega__Refusal refusal;
  Collega__Credit credit;
  Collega__Ping ping;
};

enum told {
  TOLD_WELCOME,
  TOLD_CERT,
  TOLD_BOARD,
  TOLD_MAIL,
  TOLD_REFUSAL,
  TOLD_CREDIT,
  TOLD_PING,
  TOLD_NOTHING,
  TOLD_COUNT
};

static inline void from_broker(struct from_broker *out, enum told kind, uint32_t number) {
  memset(out, 0, sizeof *out);
  collega__from_broker__init(&out->frame);
  collega__credit__init(&out->credit);
  out->credit.records = number;
  out->credit.bytes = number;
  switch (kind) {
  case TOLD_WELCOME:
    collega__welcome__init(&out->welcome);
    out->welcome.version = PROTOCOL_VERSION;
    out->welcome.credit = &out->credit;
    out->frame.welcome = &out->welcome;
    break;
  case TOLD_CERT:
    collega__cert__init(&out->cert);
    out->frame.cert = &out->cert;
    break;
  case TOLD_BOARD:
    collega__board__init(&out->board);
    collega__board_run__init(&out->board_run);
    collega__run__init(&out->run);
    out->run.n_bodies = number;
    out->board_run.run = &out->run;
    out->runs[0] = &out->board_run;
    out->board.runs = out->runs;
    out->board.n_runs = 1;
    out->frame.board = &out->board;
    break;
  case TOLD_MAIL:
    collega__mail__init(&out->mail);
    out->mail.n_items = number;
    out->frame.mail = &out->mail;
    break;
  case TOLD_REFUSAL:
    collega__refusal__init(&out->refusal);
    out->refusal.rule = (char *)rule_name(number == 0 ? RULE_required : RULE_hello_first);
    out->frame.refusal = &out->refusal;
    break;
  case TOLD_CREDIT:
    out->frame.credit = &out->credit;
    break;
  case TOLD_PING:
    collega__ping__init(&out->ping);
    out->ping.number = number;
    out->frame.ping = &out->ping;
    break;
  case TOLD_NOTHING:
  case TOLD_COUNT:
    break;
  }
}
#endif
