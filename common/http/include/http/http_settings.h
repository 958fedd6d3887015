/* http_settings - the rows that the settings of both HTTP services share; AT(field) is of the service's own struct.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_HTTP_SETTINGS_H
#define SCRUTIN_HTTP_SETTINGS_H

#include "base/config.h"

/* A row of the table stays a row. */
/* clang-format off */

/* What one connection may cost; see common/http/http_guard.c. */
#define HTTP_GUARD_SETTINGS \
    {"CONNECTION_AGE_S", CONFIG_NUMBER, AT(connection_age_s), "3600", 0, 1000000, \
     "After so many seconds a connection without an event stream is closed when it has been idle for 10 s. 0: never."}, \
    {"REQUEST_AGE_MS", CONFIG_NUMBER, AT(request_age_ms), "60000", 1000, 3600000, \
     "From the first byte of a request until its answer has been read; then the connection is cut. A phone on a bad " \
     "network needs seconds."}, \
    {"MAX_RESETS", CONFIG_NUMBER, AT(max_resets), "200", 1, 1000000, \
     "Requests under way that a connection may reset within 10 s before it is cut. A browser resets those of a page " \
     "that it leaves: at most 100."}, \
    {"MAX_FRAMES", CONFIG_NUMBER, AT(max_frames), "10000", 10, 100000000, \
     "HTTP/2 frames within 10 s on a connection, beside four a request and large DATA; then it is cut. An event stream " \
     "needs at most 20 a second."}, \
    {"MAX_HELD_BYTES", CONFIG_NUMBER, AT(max_held_bytes), "268435456", 1048576, 1099511627776, \
     "What requests under way may hold, about; above it, connections that hold more than 64 KiB are cut."}

/* Whose request it is, and whether their number is limited. */
#define HTTP_CLIENT_SETTINGS \
    {"TRUSTED_PROXIES", CONFIG_TEXT, AT(trusted_proxies), "127.0.0.0/8,::1", 0, 0, \
     "Addresses and networks whose X-Forwarded-For says who sent a request: our nginx, which is on this machine. " \
     "`none`: nobody's."}, \
    {"RATE_LIMITS", CONFIG_FLAG, AT(rate_limits), "on", 0, 0, \
     "Whether requests are limited at all. Off: for load tests, or where something in front does it."}

/* clang-format on */

#endif
