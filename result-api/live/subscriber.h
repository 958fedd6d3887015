/* stream - server-sent events: the newest snapshot to every subscriber, as fast as each one reads.
 * SPDX-License-Identifier: MIT
 *
 * WHATWG HTML, "Server-sent events". An event is a whole snapshot, its id the version. Nothing is queued for a
 * subscriber: while one snapshot is on its way to a slow one, newer ones replace each other in the channel, and the
 * newest is what comes next. All subscribers send the bytes of the same snapshot. One who reads nothing until the
 * deadline is dropped, with the whole connection; it comes back with Last-Event-ID. */
#ifndef SCRUTIN_SUBSCRIBER_H
#define SCRUTIN_SUBSCRIBER_H

#include "access.h"
#include "http/http.h"

/* Answers the request with the poll's stream, or 503 where there are too many. It ends when the results are hidden from
 * who has shown no more than access; opening a poll again may do that, and an edit. */
void stream_open(struct http_call *call, const char *id, const struct access *access);

#endif
