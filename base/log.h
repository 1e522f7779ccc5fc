/* The log: one line an event on standard error: time, level, event, then key=value text. Values from
 * outside are written with control characters escaped. No personal data, no keys. */
#ifndef COLLEGA_BASE_LOG_H
#define COLLEGA_BASE_LOG_H
enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };
/* Lines below it are not written; at any time. COLLEGA_LOG=debug overrides. */
void log_threshold(enum log_level level);
/* The setting log.level, the same in every program: its choices in the order of the levels. */
#define LOG_LEVEL_SETTING "log.level"
#define LOG_LEVEL_CHOICES "debug|info|warning|error"
void log_line(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define log_debug(event, ...)   log_line(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...)    log_line(LOG_INFO, event, __VA_ARGS__)
#define log_warning(event, ...) log_line(LOG_WARNING, event, __VA_ARGS__)
#define log_error(event, ...)   log_line(LOG_ERROR, event, __VA_ARGS__)
#endif
