/* ballot_store_internal - what the files of worker/store that run statements share.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_BALLOT_STORE_INTERNAL_H
#define SCRUTIN_BALLOT_STORE_INTERNAL_H

#include "pg/pg_array.h"
#include "store/ballot_store.h"
#include "store/tally_slot.h"

#define BALLOT_STORE_COLUMNS_MAX 5

struct ballot_store {
    char *conninfo, *name;
    struct pg_session_options session_options;
    struct pg_session session;
    int slot;              /* of this connection, 1..TALLY_SLOT_MAX */
    struct poll_keys keys; /* read over this connection; the next one may lead to another database */
    struct marks book;     /* see ballot_store_read_marks */
    enum status (*on_unknown)(void *arg, struct ballot_store *store, const char *poll_id, struct errmsg *err);
    void *on_unknown_arg;

    /* Storage for one apply. */
    struct batch_set set;
    struct pg_array columns[BALLOT_STORE_COLUMNS_MAX];
    struct stream_batch **ordered; /* the batches by sequence */
    size_t room_ordered;
    char (*touched)[POLL_ID_MAX + 1]; /* copies: they outlive the batches */
    const char **touched_ids;         /* into the copies */
    size_t n_touched, room_touched, room_touched_ids;
    unsigned applies;
};

/* Connects if there is no connection, and takes a tally slot. */
MUST_CHECK enum status ballot_store_connect(struct ballot_store *store, struct errmsg *err);
/* Looks up every poll in the batches that `keys` does not have. POLL_KEY_MISSING is an answer, too. */
MUST_CHECK enum status ballot_store_resolve_polls(struct ballot_store *store, const struct stream_batch *batches,
                                                  size_t n, struct errmsg *err);

#endif
