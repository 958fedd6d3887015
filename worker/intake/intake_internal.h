/* intake_internal - what intake.c (deliveries to transactions) and intake_group.c (membership, gaps, readiness) share.
 * SPDX-License-Identifier: MIT */
#ifndef WORKER_INTAKE_INTERNAL_H
#define WORKER_INTAKE_INTERNAL_H

#include "intake/intake.h"
#include "store/poll_sweep.h"
#include <stdatomic.h>

#define DELIVERIES_MAX 256 /* of one transaction */

/* One delivery and what is to become of it. */
struct item {
    struct delivery delivery;
    struct ballot_batch batch;
    bool is_dead; /* in the dead letters: to be ended */
};

struct intake {
    struct intake_options options;
    struct poll_sweep sweep;
    atomic_bool stopping;
    struct ballot_store *store;            /* NULL until the database was reached once */
    struct bus_subscription *subscription; /* NULL: not in the queue group */
    char deliver_subject[128];
    int64_t created_ns;
    unsigned epoch;
    uint64_t marked;     /* sequence up to which the store's book has every mark */
    unsigned connection; /* of the bus, at the last look */
    int64_t next_look_ms;
    struct item items[DELIVERIES_MAX];
    size_t n;
    struct store_batch batches[DELIVERIES_MAX];
    /* for readiness */
    atomic_int database; /* enum status */
    atomic_int consumer; /* enum status */
    atomic_bool stalled;
    uint64_t last_floor;
    int64_t last_progress_ms;
    struct metric *stored, *superseded, *rejected, *batches_stored, *redelivered, *dead, *transactions, *retries;
    struct metric *transaction_seconds, *marks_seconds, *lag_seconds, *backlog;
};

/* --- intake.c */
/* Decodes, or moves what cannot be decoded to the dead letters. False: neither, so it must be delivered again. */
bool intake_prepare(struct intake *intake, struct item *item);
/* Stores the items in one transaction, counts them, rings the doorbell. They stay. */
MUST_CHECK enum status intake_store(struct intake *intake, struct errmsg *err);
/* Frees all items. */
void intake_forget(struct intake *intake);

/* --- intake_group.c */
/* Joins the queue group of the stream as it is now. */
MUST_CHECK enum status intake_join(struct intake *intake, struct errmsg *err);
/* Leaves it, if it is a member: what was delivered and not read goes to the others. */
void intake_leave(struct intake *intake);
/* Looks at the consumer now and then: leaves one that is not the stream's any more, closes gaps. */
MUST_CHECK enum status intake_look(struct intake *intake, struct errmsg *err);

#endif
