/* intake - the worker's one loop: takes batches from the stream, commits them, then acknowledges them.
 * SPDX-License-Identifier: MIT
 *
 * receive -> decode -> store in one transaction -> COMMIT -> ring the doorbell -> acknowledge. If the worker dies
 * between two of these steps, the broker delivers the batches again, and the table of applied batches makes the second
 * delivery change nothing. While the database is away the worker leaves the queue group, so that deliveries do not fill
 * its memory. */
#ifndef WORKER_INTAKE_H
#define WORKER_INTAKE_H

#include "bus/bus.h"
#include "store/ballot_store.h"
#include "store/bucket_copy.h"

struct intake;

struct intake_options {
    struct bus *bus;
    const char *database_url; /* the conninfo of ballot_store_open */
    struct bucket_copy *polls, *codes;
    int64_t poll_unused_ms, poll_forget_ms; /* see poll_sweep.h */
    size_t transaction_ballots;             /* a transaction with this many ballots takes no further batch */
    int64_t stall_ms; /* after this long without progress, while the stream holds ballots, the worker is not ready */
};

/* Opens nothing yet. The options' pointers must stay valid. The intake is never freed. */
struct intake *intake_new(const struct intake_options *options);
/* Runs until intake_stop and then returns ST_OK. Waits for a broker or a database that is away.
 *
 * ST_EPOCH  the stream is older than one that the database knows: this worker must not apply it */
MUST_CHECK enum status intake_run(struct intake *intake, struct errmsg *err);
/* From any thread: ends the loop after the current transaction. Deliveries that were not read go to other workers. */
void intake_stop(struct intake *intake);

/* For /readyz; from any thread. */
bool intake_is_database_ready(void *intake, char detail[128]);
bool intake_is_consumer_ready(void *intake, char detail[128]);

#endif
