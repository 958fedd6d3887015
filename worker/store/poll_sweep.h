/* poll_sweep - closes, deletes and forgets polls that nobody votes in, as poll_unused.h decides.
 * SPDX-License-Identifier: MIT
 *
 * Runs on the thread that owns the store. Several workers may do this at once: a definition replaces only the revision
 * that was read, and the database removes a row only if nothing depends on it. */
#ifndef WORKER_POLL_SWEEP_H
#define WORKER_POLL_SWEEP_H

#include "bus/bus.h"
#include "store/ballot_store.h"

#define POLL_SWEEP_MAX 100 /* polls in one run; ballots wait meanwhile */

struct poll_sweep {
    struct bus *bus;
    int64_t unused_ms; /* how long a poll may be unused; 0: for ever */
    int64_t forget_ms; /* from a poll's deletion until it is forgotten; by then every service knows of it */
    /* Private; zero at first. */
    int64_t next_ms;
    bool waits; /* until the database has applied the stream of `epoch` up to `end` */
    unsigned epoch;
    uint64_t end;
};

/* Runs if it is time and the database has applied what the stream holds. What the broker refuses is tried again at the
 * next run. Returns errors of the database only. */
MUST_CHECK enum status poll_sweep_run(struct poll_sweep *sweep, struct ballot_store *store, unsigned epoch,
                                      struct errmsg *err);

#endif
