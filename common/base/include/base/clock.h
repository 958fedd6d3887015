/* clock - wall time for people and records, monotonic time for deadlines. Any thread.
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

/* Never goes back. Its zero is arbitrary, so only differences have a meaning. */
static inline int64_t clock_mono_ms(void)
{
    return clock_read_ns(CLOCK_MONOTONIC) / 1000000;
}

static inline int64_t clock_mono_ns(void)
{
    return clock_read_ns(CLOCK_MONOTONIC);
}

#define CLOCK_TEXT 25 /* bytes of "2026-01-31T12:00:00.123Z" and its NUL */

/* 9999-12-31T23:59:59.999Z. RFC 3339 writes a year in four digits, so a later time could not be written. */
#define CLOCK_MAX_MS INT64_C(253402300799999)

/* Writes RFC 3339, UTC, with milliseconds. A time outside the years 0 to 9999 is written as the nearest end of them. */
void clock_format_ms(int64_t wall_ms, char out[CLOCK_TEXT]);
/* Reads an RFC 3339 date-time with any offset, and drops digits after milliseconds. Returns -1 when the text is not a
 * date-time, or when the time is before 1970 or after CLOCK_MAX_MS in UTC. */
int64_t clock_parse_ms(const char *text);

#endif
