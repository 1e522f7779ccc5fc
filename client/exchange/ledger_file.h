/* A ledger as a file (proto/ledger.proto): frames of bytes, in and out. What they say is judged elsewhere. */
#ifndef COLLEGA_CLIENT_LEDGER_FILE_H
#define COLLEGA_CLIENT_LEDGER_FILE_H
#include "base/bytes.h"
#include "proto/ledger.pb-c.h"

#define LEDGER_START_BYTES ((size_t)512 * 1024)
#define LEDGER_ENTRY_BYTES ((size_t)64 * 1024 * 1024 + 4096) /* the longest message */

struct ledger_file;
/* "-" is standard input. COLLEGA_INVALID import_not_one, import_version. */
enum collega_status ledger_file_open(const char *path, struct ledger_file **out,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
void ledger_file_close(struct ledger_file **file);
/* The next message, of at most `most` bytes, in the arena. COLLEGA_NOT_FOUND, no words: the file is at its end.
 * COLLEGA_INVALID wire_truncated, wire_varint, import_too_long. */
enum collega_status ledger_file_next(struct ledger_file *file, size_t most, struct arena *arena,
                                     struct bytes *out,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;

/* What is written takes its name (mode 0600) at the end, when it is on disk. "-": standard output.
 * COLLEGA_EXISTS file_exists. */
struct ledger_sink;
enum collega_status ledger_sink_open(const char *path, struct ledger_sink **out,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status ledger_sink_put(struct ledger_sink *sink, const ProtobufCMessage *message,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
/* The sink is gone either way; with `status` not COLLEGA_OK nothing takes the name, and that status is returned. */
enum collega_status ledger_sink_close(struct ledger_sink **sink, enum collega_status status,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
