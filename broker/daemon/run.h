/* `collega-broker run`: everything a broker consists of, put together, run, and taken apart
 * again. */
#ifndef COLLEGA_BROKER_DAEMON_RUN_H
#define COLLEGA_BROKER_DAEMON_RUN_H
#include "base/error.h"
#include "base/config.h"
#include "broker/store/store.h"

/* Until SIGTERM or SIGINT. Tells readiness (NOTIFY_SOCKET) once nodes can connect: STATUS names the
 * endpoint and the http address; both also stand in HOME/endpoint and HOME/http. */
enum collega_status broker_run(const char *home, struct collega_error *error) COLLEGA_MUST_CHECK;
/* HOME/store, with the map that the settings say. */
enum collega_status broker_store_open(const char *home, const struct config *config,
                                      bool must_exist, struct store **out,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
