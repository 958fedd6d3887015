/* clock - wall time for people and records, monotonic time for deadlines.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_CLOCK_H
#define SCRUTIN_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_read_ns(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Milliseconds since 1970. */
static inline int64_t clock_wall_ms(void)
{
    return clock_read_ns(CLOCK_REALTIME) / 1000000;
}

/* Never goes back; its zero means nothing. */
static inline int64_t clock_mono_ms(void)
{
    return clock_read_ns(CLOCK_MONOTONIC) / 1000000;
}

static inline int64_t clock_mono_ns(void)
{
    return clock_read_ns(CLOCK_MONOTONIC);
}

#define CLOCK_TEXT 25 /* bytes of "2026-01-31T12:00:00.123Z" and its NUL */

/* 9999-12-31T23:59:59.999Z: RFC 3339 writes a year in four digits, so a later instant could not be shown or read again.
 */
#define CLOCK_MAX_MS INT64_C(253402300799999)

/* RFC 3339, UTC, milliseconds. Years 0 to 9999; what lies outside is written as the nearest end. */
void clock_format_ms(int64_t wall_ms, char out[CLOCK_TEXT]);
/* Reads an RFC 3339 date-time with any offset; digits past milliseconds are cut. Returns -1 when it is not one, or one
 * before 1970 or after CLOCK_MAX_MS in UTC. */
int64_t clock_parse_ms(const char *text);

#endif
