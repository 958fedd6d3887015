/* intake - from deliveries to committed transactions to acknowledgements: the worker's one loop.
 * SPDX-License-Identifier: MIT
 *
 * receive -> decode -> store in one transaction -> COMMIT -> ring the doorbell -> acknowledge. A death between any two
 * of these is healed by redelivery, which the table of applied batches makes a no-op. While the database is away the
 * worker leaves the queue group, so that deliveries do not pile up in its memory. */
#ifndef WORKER_INTAKE_H
#define WORKER_INTAKE_H

#include "bus/bus.h"
#include "store/ballot_store.h"
#include "store/bucket_copy.h"

struct intake;

struct intake_options {
    struct bus *bus;
    const char *database_url; /* as ballot_store_open's conninfo */
    struct bucket_copy *polls, *codes;
    int64_t poll_unused_ms, poll_forget_ms; /* of poll_sweep */
    size_t transaction_ballots;
    int64_t stall_ms;
};

/* Opens nothing yet; a broker or a database that is away is waited for. */
struct intake *intake_new(const struct intake_options *options);
/* Runs until intake_stop; returns ST_OK then. ST_EPOCH: the stream is older than one that the database knows. */
MUST_CHECK enum status intake_run(struct intake *intake, struct errmsg *err);
/* From any thread: ends after the transaction under way; what was delivered and not read goes back to the others. */
void intake_stop(struct intake *intake);

/* For /readyz; from any thread. */
bool intake_is_database_ready(void *intake, char detail[128]);
bool intake_is_consumer_ready(void *intake, char detail[128]);

#endif
