/* `collega run`: the loop that ties link, exchange and matcher together. */
#ifndef COLLEGA_CLIENT_DAEMON_H
#define COLLEGA_CLIENT_DAEMON_H
#include "base/clock.h"
#include "base/error.h"

struct daemon_options {
  const char *home;
  bool until_joined; /* `collega join`: end when the certificate is stored */
  int64_t wait_ms;   /* until_joined: give up after this; 0: 30 s */
};
/* Takes the home's lock and runs until SIGTERM or SIGINT (COLLEGA_OK). until_joined: COLLEGA_UNREACHABLE when time
 * ran out (the token is kept), COLLEGA_REFUSED with the broker's rule when it was refused. */
enum collega_status daemon_run(const struct daemon_options *options,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
