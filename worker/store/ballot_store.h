/* ballot_store - writes each ballot to PostgreSQL exactly once, and stores the directory of polls there.
 * SPDX-License-Identifier: MIT
 *
 * One store owns one connection and one tally slot. After a connection is lost, the next call connects again; until
 * that works, calls return ST_DB_DOWN. Not thread-safe. Besides the errors that it names, every function may return:
 *
 * ST_DB_DOWN    server unreachable or lost: retry later. Whether the last transaction took effect is unknown. Applying
 *               the same batches again is right in both cases
 * ST_DB_RETRY   deadlock, serialization failure, time limit: nothing was stored; run it again
 * ST_DB_SCHEMA  tables or privileges are missing, or the tables are of another version: an operator must act
 * ST_NO_SLOT    63 workers hold all tally slots */
#ifndef SCRUTIN_BALLOT_STORE_H
#define SCRUTIN_BALLOT_STORE_H

#include "ballot/poll_definition.h"
#include "base/status.h"
#include "store/batch_set.h"

struct ballot_store;

/* Connects. conninfo is a connection string or URI, "" or NULL for the PG* variables. name is what pg_stat_activity
 * shows. Copies both. */
MUST_CHECK enum status ballot_store_open(struct ballot_store **out, const char *conninfo, const char *name,
                                         struct errmsg *err);
void ballot_store_close(struct ballot_store *store); /* NULL is fine */

/* How many connections were made so far. If the number changes, the database may be another one. */
unsigned ballot_store_connections(const struct ballot_store *store);
/* The tally slot, 1..63, or 0 while there is no connection. */
int ballot_store_slot(const struct ballot_store *store);
/* Connects if there is no connection, and checks that the server answers. */
MUST_CHECK enum status ballot_store_ping(struct ballot_store *store, struct errmsg *err);

/* Finds the epoch of the stream that was created at created_ns (since 1970). A new stream gets the next number.
 *
 * ST_EPOCH  the database knows a newer stream */
MUST_CHECK enum status ballot_store_register_epoch(struct ballot_store *store, int64_t created_ns, unsigned *epoch,
                                                   struct errmsg *err);

/* *floor: every sequence of the epoch up to this one is applied. */
MUST_CHECK enum status ballot_store_find_floor(struct ballot_store *store, unsigned epoch, uint64_t *floor,
                                               struct errmsg *err);

/* Replaces the book of marks with the marks in the database. The book then has every mark up to the sequence *complete.
 * Add later marks with ballot_store_add_mark before ballots behind them are applied. */
MUST_CHECK enum status ballot_store_read_marks(struct ballot_store *store, unsigned epoch, uint64_t *complete,
                                               struct errmsg *err);
/* Adds the batch to the book if it is a fence or a gate. */
void ballot_store_add_mark(struct ballot_store *store, unsigned epoch, uint64_t sequence,
                           const struct ballot_batch *batch);

/* Finds the lowest sequences of the epoch, up to `last`, that no worker has applied: at most max. *n is their number.
 */
MUST_CHECK enum status ballot_store_find_missing(struct ballot_store *store, unsigned epoch, uint64_t last,
                                                 uint64_t *out, size_t max, size_t *n, struct errmsg *err);

/* Stores the poll's definition, as wire_encode_poll writes it, unless the database has one with the same or a later
 * updated_at_ms. */
MUST_CHECK enum status ballot_store_put_poll(struct ballot_store *store, const struct poll *poll,
                                             const void *definition, size_t len, struct errmsg *err);

/* Counts all polls, including deleted ones. */
MUST_CHECK enum status ballot_store_count_polls(struct ballot_store *store, size_t *n, struct errmsg *err);
/* Calls on_poll for every poll, including deleted ones. on_poll borrows the bytes and must not use the store. */
MUST_CHECK enum status ballot_store_each_poll(struct ballot_store *store,
                                              void (*on_poll)(void *arg, const char *id, const void *definition,
                                                              size_t len),
                                              void *arg, struct errmsg *err);

/* Sets a function that is called before ballots for an unknown poll are rejected. It may fetch the poll elsewhere and
 * call ballot_store_put_poll. It returns ST_OK if it stored the poll or knows that the poll does not exist. Any other
 * status ends the apply and becomes its result. */
void ballot_store_on_unknown_poll(struct ballot_store *store,
                                  enum status (*on_unknown)(void *arg, struct ballot_store *store, const char *poll_id,
                                                            struct errmsg *err),
                                  void *arg);

/* The result of one transaction. */
struct apply_result {
    size_t batches;     /* applied for the first time; the others are marked `known` */
    size_t ballots;     /* in those batches: the sum of the next three */
    size_t counted;     /* the first of their voter */
    size_t superseded;  /* replaced an earlier ballot, or lost against one */
    size_t rejected;    /* unknown poll, after the fence, or refused by the database */
    const char **polls; /* ids of the polls in all batches, each once; valid until the next call with this store */
    size_t n_polls;
};

/* Stores all batches of one epoch in one transaction, or none. Batches that were applied before are marked `known` and
 * change nothing. The book must have every mark up to the highest sequence, except the marks in these batches.
 * Sequences may come in any order, even twice. Borrows the batches.
 *
 * ST_DB_DATA  the database refuses at least one ballot: call ballot_store_apply_rows with the same batches */
MUST_CHECK enum status ballot_store_apply(struct ballot_store *store, unsigned epoch, struct stream_batch *batches,
                                          size_t n, struct apply_result *result, struct errmsg *err);

/* The same for batches with ballots that the database refuses. Finds these by halving and stores them as rejected, with
 * the reason. If a refused ballot would have won, its voter's next best ballot is stored. Slow; still one transaction.
 *
 * ST_DB_DATA  the database refuses something other than a ballot */
MUST_CHECK enum status ballot_store_apply_rows(struct ballot_store *store, unsigned epoch, struct stream_batch *batches,
                                               size_t n, struct apply_result *result, struct errmsg *err);

#endif
