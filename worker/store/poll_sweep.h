/* poll_sweep - looks for polls that nobody votes in, and does what poll_unused.h says.
 * SPDX-License-Identifier: MIT
 *
 * On the thread that owns the store. Any number of workers may do this at once: a definition is only written over the
 * one that was read, and a row is only removed where the database finds that nothing depends on it. */
#ifndef WORKER_POLL_SWEEP_H
#define WORKER_POLL_SWEEP_H

#include "bus/bus.h"
#include "store/ballot_store.h"

#define POLL_SWEEP_MAX 100 /* polls at a time: ballots wait meanwhile */

struct poll_sweep {
    struct bus *bus;
    int64_t unused_ms; /* 0: never */
    int64_t forget_ms; /* from a poll's deletion until it is forgotten: by then every service knows of it */
    /* The sweep's own. */
    int64_t next_ms;
    bool waits; /* for the database to have the stream of this epoch up to this end */
    unsigned epoch;
    uint64_t end;
};

/* Looks, if it is time and the database has what the stream has. What the broker did not do is tried again the next
 * time; any status is the database's. */
MUST_CHECK enum status poll_sweep_run(struct poll_sweep *sweep, struct ballot_store *store, unsigned epoch,
                                      struct errmsg *err);

#endif
