/* publisher - the thread that hands batches to the broker, so that no event loop ever does.
 * SPDX-License-Identifier: MIT
 *
 * A stalled broker can hold a publish call for the write deadline (500 ms); only this thread feels it. A publication
 * that was under way when the connection broke is sent again on the next one, within its deadline: its id lets the
 * broker drop the second copy, and ordinals make it harmless if it does not. */
#ifndef VOTE_API_PUBLISHER_H
#define VOTE_API_PUBLISHER_H

#include "bus/bus.h"

struct publication {
    const char *subject; /* static */
    uint8_t id[BUS_MESSAGE_ID];
    struct bytes data;
    int64_t deadline_ms; /* monotonic */
    /* Called once, from the publisher's or a NATS thread: the publication is the caller's again. */
    void (*on_done)(struct publication *publication);
    /* Filled before on_done: ST_OK with the sequence; ST_BUS_DOWN: never sent; ST_BUS_TIMEOUT: sent, not
     * acknowledged in time, fate unknown;
     * other: the broker refused. */
    enum status status;
    uint64_t sequence;
    struct errmsg err;

    /* the publisher's */
    struct publication *next;
    uint64_t token;
    unsigned connection; /* on which it was sent; 0: not yet */
};

struct publisher;

/* For as long as the process. */
MUST_CHECK enum status publisher_open(struct bus *bus, struct publisher **out, struct errmsg *err);
/* Lends the publication to the publisher until on_done. Never blocks. Any thread. */
void publisher_submit(struct publisher *publisher, struct publication *publication);

#endif
