/* log - writes one JSON object per line to standard output.
 * SPDX-License-Identifier: MIT
 *
 * Any thread. A line:
 *
 *     {"at":"2026-01-31T12:00:00.123Z","level":"info","service":"worker","event":"batch stored","ballots":12}
 *
 * Values are escaped, and invalid UTF-8 is replaced. A line has at most 8 KiB; a longer text is cut. */
#ifndef SCRUTIN_LOG_H
#define SCRUTIN_LOG_H

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* A field of a line. The macros below make one. */
struct log_field {
    const char *name;
    const char *text; /* NULL: the field is the number */
    int64_t number;
};

#define LOG_S(name, value) ((struct log_field){(name), (value), 0})
#define LOG_I(name, value) ((struct log_field){(name), NULL, (int64_t)(value)})

/* Call it before other threads start. */
void log_init(const char *service, enum log_level level);
/* Sends all later lines to this file descriptor. Commands use it, because their result goes to standard output. */
void log_to(int fd);
/* The level with this name ("debug", "info", "warn", "error"), or -1. */
int log_level_from_name(const char *name);
void log_write(enum log_level level, const char *event, const struct log_field *fields, unsigned n);

#define LOG_AT(level, event, ...)                                                                                      \
    do {                                                                                                               \
        const struct log_field log_fields_[] = {{"", "", 0}, ##__VA_ARGS__};                                           \
        log_write(level, event, log_fields_ + 1, sizeof(log_fields_) / sizeof(log_fields_[0]) - 1);                    \
    } while (0)
#define log_debug(event, ...) LOG_AT(LOG_DEBUG, event, ##__VA_ARGS__)
#define log_info(event, ...) LOG_AT(LOG_INFO, event, ##__VA_ARGS__)
#define log_warn(event, ...) LOG_AT(LOG_WARN, event, ##__VA_ARGS__)
#define log_error(event, ...) LOG_AT(LOG_ERROR, event, ##__VA_ARGS__)

#endif
