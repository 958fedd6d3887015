/* clock - writes and reads RFC 3339 date-times.
 * SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define YEAR_0_MS INT64_C(-62167219200000) /* 0000-01-01T00:00:00.000Z */

void clock_format_ms(int64_t wall_ms, char out[CLOCK_TEXT])
{
    struct tm tm;

    if (wall_ms < YEAR_0_MS)
        wall_ms = YEAR_0_MS;
    if (wall_ms > CLOCK_MAX_MS)
        wall_ms = CLOCK_MAX_MS;

    int64_t ms = (wall_ms % 1000 + 1000) % 1000; /* before 1970 the remainder is negative */
    time_t seconds = (time_t)((wall_ms - ms) / 1000);
    gmtime_r(&seconds, &tm);
    /* The remainders change no value. They show the compiler that the text fits. */
    snprintf(out, CLOCK_TEXT, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)(tm.tm_year + 1900) % 10000,
             (unsigned)(tm.tm_mon + 1) % 100, (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100,
             (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100, (unsigned)ms % 1000);
}

/* Reads exactly `digits` digits with a value of low..high and moves *text past them. */
static bool read_number(const char **text, int digits, int low, int high, int *out)
{
    int value = 0;
    for (int i = 0; i < digits; i++) {
        if (!isdigit((unsigned char)**text))
            return false;
        value = value * 10 + (*(*text)++ - '0');
    }
    *out = value;
    return value >= low && value <= high;
}

static bool read_char(const char **text, char c)
{
    if (toupper((unsigned char)**text) != c)
        return false;
    (*text)++;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* ".123456"; digits after milliseconds are dropped. */
static bool read_fraction(const char **text, int *ms)
{
    *ms = 0;
    if (**text != '.')
        return true;
    (*text)++;
    int n = 0;
    for (int weight = 100; isdigit((unsigned char)**text); weight /= 10, n++)
        *ms += weight * (*(*text)++ - '0');
    return n > 0;
}

/* "Z", "+02:00" */
static bool read_offset(const char **text, int *minutes)
{
    int hour, minute;

    *minutes = 0;
    if (read_char(text, 'Z'))
        return true;
    int sign = **text == '+' ? 1 : -1;
    if (!read_char(text, '+') && !read_char(text, '-'))
        return false;
    if (!read_number(text, 2, 0, 23, &hour) || !read_char(text, ':') || !read_number(text, 2, 0, 59, &minute))
        return false;
    *minutes = sign * (hour * 60 + minute);
    return true;
}

int64_t clock_parse_ms(const char *text)
{
    struct tm tm;
    int year, month, day, ms, offset;

    memset(&tm, 0, sizeof(tm));
    if (!read_number(&text, 4, 0, 9999, &year) || !read_char(&text, '-') || !read_number(&text, 2, 1, 12, &month) ||
        !read_char(&text, '-') || !read_number(&text, 2, 1, days_in_month(year, month), &day))
        return -1;
    if (!read_char(&text, 'T') || !read_number(&text, 2, 0, 23, &tm.tm_hour) || !read_char(&text, ':') ||
        !read_number(&text, 2, 0, 59, &tm.tm_min) || !read_char(&text, ':'))
        return -1;
    /* A leap second (60) counts as the first second of the next minute. */
    if (!read_number(&text, 2, 0, 60, &tm.tm_sec) || !read_fraction(&text, &ms) || !read_offset(&text, &offset) ||
        *text != '\0')
        return -1;

    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    tm.tm_mday = day;
    int64_t at_ms = ((int64_t)timegm(&tm) - (int64_t)offset * 60) * 1000 + ms;
    return at_ms < 0 || at_ms > CLOCK_MAX_MS ? -1 : at_ms; /* an offset can move a time of 9999 into the year 10000 */
}
