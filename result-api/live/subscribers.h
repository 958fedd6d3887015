/* subscribers - clients that follow the results of a poll as server-sent events (WHATWG HTML, "Server-sent events").
 * SPDX-License-Identifier: MIT
 *
 * An event is a whole snapshot, and its id is the snapshot's version. Each subscriber gets the newest snapshot as fast
 * as it reads. Nothing is queued: while one snapshot is on its way to a slow subscriber, newer ones replace each other
 * in the channel, and the subscriber gets the last of them. All subscribers share the bytes of one snapshot. A
 * subscriber that reads nothing until the deadline is dropped with its whole connection. It can connect again and say
 * with Last-Event-ID what it has. */
#ifndef SCRUTIN_SUBSCRIBERS_H
#define SCRUTIN_SUBSCRIBERS_H

#include "http/http.h"
#include "tally/visibility.h"

struct feed;
struct channel;

/* Answers the request with the event stream of the poll, with 503 if there are too many subscribers, or with 429 if
 * its address has too many. The stream ends when the viewer may no longer see the results. That happens when the poll
 * is opened again, or when an edit hides its results. */
void subscribers_answer_stream(struct http_call *call, const char *id, const struct viewer *viewer);

/* --- for the feed, on its loop */
void subscribers_on_snapshot(struct feed *feed, struct channel *channel); /* the channel has a new snapshot */
void subscribers_on_poll_deleted(struct feed *feed, struct channel *channel);
/* Drops subscribers that are over their deadline, and finds those that need a heartbeat. */
void subscribers_on_sweep(struct feed *feed, int64_t now_ms);
/* Sends to some of the subscribers that are due. */
void subscribers_send_due(struct feed *feed);
/* Ends all event streams of the loop. */
void subscribers_end_all(struct feed *feed);

#endif
