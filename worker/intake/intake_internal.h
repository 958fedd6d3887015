/* intake_internal - what the files of the intake share.
 * SPDX-License-Identifier: MIT
 *
 * intake.c (states) calls intake_group.c (membership, consumer, gaps), which calls intake_transaction.c (deliveries to
 * commits). None of them calls back. */
#ifndef WORKER_INTAKE_INTERNAL_H
#define WORKER_INTAKE_INTERNAL_H

#include "intake/intake.h"
#include "store/poll_sweep.h"
#include <stdatomic.h>

#define INTAKE_ITEMS_MAX 256 /* deliveries in one transaction */

/* Where the loop is; intake.c has the diagram. */
enum intake_state {
    INTAKE_NO_DATABASE, /* the database must answer first */
    INTAKE_NOT_JOINED,  /* the database answers; this worker is not in the queue group */
    INTAKE_RECEIVING,   /* in the queue group */
    INTAKE_ENDED,
};

/* One delivery. */
struct intake_item {
    struct delivery delivery;
    struct ballot_batch batch;
    bool is_dead; /* moved to the dead letters: acknowledge it as such, apply no ballot */
};

struct intake {
    struct intake_options options;
    atomic_bool stopping;
    enum intake_state state;
    struct poll_sweep sweep;
    struct ballot_store *store; /* NULL until the database answered once */

    /* Membership; intake_group.c. */
    struct bus_subscription *subscription; /* NULL: not in the queue group */
    char deliver_subject[128];             /* of the consumer that was joined */
    int64_t created_ns;                    /* of the stream */
    unsigned epoch;
    unsigned connection; /* of the bus, at the last check of the consumer */
    int64_t next_check_ms;
    uint64_t last_floor;      /* what the broker called acknowledged at the last check */
    int64_t last_progress_ms; /* when that last rose, or nothing was waiting */

    /* The transaction at hand; intake_transaction.c. Between two turns there are no items. */
    struct intake_item items[INTAKE_ITEMS_MAX];
    size_t n_items;
    struct stream_batch batches[INTAKE_ITEMS_MAX];
    uint64_t marked; /* the store's book has every mark up to this sequence */

    /* For /readyz. */
    atomic_int database, consumer; /* enum status */
    atomic_bool stalled;

    struct metric *counted, *superseded, *rejected, *batches_stored, *redelivered, *dead, *transactions, *retries;
    struct metric *transaction_seconds, *marks_seconds, *lag_seconds, *backlog;
};

/* --- intake_transaction.c */

/* Decodes the delivery, or moves it to the dead letters. False: it could not be moved, so it must be delivered again.
 */
bool intake_decode(struct intake *intake, struct intake_item *item);
/* Takes the deliveries that are here. Waits only for the first one.
 *
 * ST_NOT_FOUND  none came */
MUST_CHECK enum status intake_receive(struct intake *intake, struct errmsg *err);
/* Stores the items in one transaction, counts them, rings the doorbell. Keeps the items. */
MUST_CHECK enum status intake_store(struct intake *intake, struct errmsg *err);
/* Acknowledges every item if they are stored, and otherwise asks for redelivery. Frees them. */
void intake_release(struct intake *intake, bool is_stored);
/* Frees all items without an answer to the broker. */
void intake_forget(struct intake *intake);
/* Sleeps between half and one and a half times as long. */
void intake_pause(int64_t ms);

/* --- intake_group.c */

/* Joins the queue group of the current stream. */
MUST_CHECK enum status intake_join(struct intake *intake, struct errmsg *err);
/* Leaves it. Deliveries that were not read go to other workers. Does nothing for a worker that is not a member. */
void intake_leave(struct intake *intake);
/* Every two seconds, and after every reconnection: looks whether the consumer is still the one that was joined, and
 * stores messages that the broker forgot to deliver. *is_ours becomes false when the consumer is gone or another one.
 */
MUST_CHECK enum status intake_check_consumer(struct intake *intake, bool *is_ours, struct errmsg *err);

#endif
