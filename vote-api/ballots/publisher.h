/* publisher - the thread that sends batches to the broker.
 * SPDX-License-Identifier: MIT
 *
 * A stalled broker can block a publish call for the write deadline (500 ms). It blocks this thread, and no event loop.
 * When the connection breaks, publications without an acknowledgement are sent again on the next connection, within
 * their deadline. The broker drops a second copy by its id. If it does not, ordinals make the copy harmless. */
#ifndef VOTE_API_PUBLISHER_H
#define VOTE_API_PUBLISHER_H

#include "bus/bus.h"

struct publication {
    const char *subject; /* static */
    uint8_t id[BUS_MESSAGE_ID];
    struct bytes data;
    int64_t deadline_ms; /* monotonic */
    /* Called once, from the publisher's or a NATS thread. From then on the caller owns the publication again. */
    void (*on_done)(struct publication *publication);
    /* Filled before on_done:
     *
     * ST_OK           the stream has it, at `sequence`
     * ST_BUS_DOWN     it was never sent
     * ST_BUS_TIMEOUT  it was sent and not acknowledged in time: the stream may have it
     * other           the broker refused it */
    enum status status;
    uint64_t sequence;
    struct errmsg err;

    /* private to the publisher */
    struct publication *next;
    uint64_t token;
    unsigned connection; /* number of the connection on which it was sent; 0: not sent */
};

struct publisher;

/* Starts the thread. The publisher lives as long as the process. ST_IO: no thread; other: as bus_open_acks. */
MUST_CHECK enum status publisher_open(struct bus *bus, struct publisher **out, struct errmsg *err);
/* Lends the publication to the publisher until on_done is called. Never blocks. Any thread. */
void publisher_submit(struct publisher *publisher, struct publication *publication);

#endif
