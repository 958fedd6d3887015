/* ballot_store - writes ballots to PostgreSQL, exactly once each, and keeps the directory of polls there.
 * SPDX-License-Identifier: MIT
 *
 * One store owns one connection and one tally slot. A lost connection is opened anew by the next call; until that
 * works, calls return ST_DB_DOWN. Not thread-safe. Every function may return, beside what it names:
 *
 * ST_DB_DOWN    server unreachable or lost: retry later. Whether the last transaction took effect is unknown, and
 *               applying the same batches again is right in both cases
 * ST_DB_RETRY   deadlock, serialization failure, time limit: nothing was stored, retry now or soon
 * ST_DB_SCHEMA  tables or privileges missing, older or newer than this program knows: retrying is of no use
 * ST_NO_SLOT    63 workers hold all tally slots */
#ifndef SCRUTIN_BALLOT_STORE_H
#define SCRUTIN_BALLOT_STORE_H

#include "ballot/poll_definition.h"
#include "base/status.h"
#include "store/batch_set.h"

struct ballot_store;

/* Connects; conninfo is a connection string or URI, "" or NULL for the PG* variables; name is what the server's
 * activity list shows. */
MUST_CHECK enum status ballot_store_open(struct ballot_store **out, const char *conninfo, const char *name,
                                         struct errmsg *err);
void ballot_store_close(struct ballot_store *store); /* NULL is fine */

/* Counts the connections made: a number that changed means that the database may be another one. */
unsigned ballot_store_connections(const struct ballot_store *store);
/* The tally slot, 1..63, or 0 while there is no connection. */
int ballot_store_slot(const struct ballot_store *store);
/* Opens the connection when there is none, and asks the server for an answer. */
MUST_CHECK enum status ballot_store_ping(struct ballot_store *store, struct errmsg *err);

/* The number of the stream that was created at created_ns (since 1970); a stream not seen before gets the next one.
 *
 * ST_EPOCH  the database knows a newer stream */
MUST_CHECK enum status ballot_store_register_epoch(struct ballot_store *store, int64_t created_ns, unsigned *epoch,
                                                   struct errmsg *err);

/* *floor is the sequence of the epoch up to which everything is applied, by whichever worker. */
MUST_CHECK enum status ballot_store_find_floor(struct ballot_store *store, unsigned epoch, uint64_t *floor,
                                               struct errmsg *err);

/* Begins the book of marks anew, with all that the database has. *complete is the sequence of the epoch up to which no
 * mark is missing; what comes behind has to be told with ballot_store_add_mark, before ballots behind it are applied.
 */
MUST_CHECK enum status ballot_store_read_marks(struct ballot_store *store, unsigned epoch, uint64_t *complete,
                                               struct errmsg *err);
/* Adds the fence or gate that this batch is, if it is one, to the book. */
void ballot_store_add_mark(struct ballot_store *store, unsigned epoch, uint64_t sequence,
                           const struct ballot_batch *batch);

/* Fills out with up to max sequences of the epoch, up to `last`, that nobody has applied, and *n with their number. */
MUST_CHECK enum status ballot_store_find_missing(struct ballot_store *store, unsigned epoch, uint64_t last,
                                                 uint64_t *out, size_t max, size_t *n, struct errmsg *err);

/* Keeps the poll's definition (as wire_encode_poll gives it) unless the database has the same or a newer one, by
 * updated_at_ms. */
MUST_CHECK enum status ballot_store_put_poll(struct ballot_store *store, const struct poll *poll,
                                             const void *definition, size_t len, struct errmsg *err);

/* How many polls there are, deleted ones too. */
MUST_CHECK enum status ballot_store_count_polls(struct ballot_store *store, size_t *n, struct errmsg *err);
/* Calls on_poll with the definition of every poll, deleted ones too; the bytes are borrowed for the call, which must
 * not use the store. */
MUST_CHECK enum status ballot_store_each_poll(struct ballot_store *store,
                                              void (*on_poll)(void *arg, const char *id, const void *definition,
                                                              size_t len),
                                              void *arg, struct errmsg *err);

/* Sets what to do about a poll that the database does not have, before its ballots are rejected for that: the
 * function may fetch it elsewhere and call ballot_store_put_poll. It returns ST_OK when it has put the poll or is sure
 * that there is none; any other status ends the apply, which returns it. */
void ballot_store_on_unknown_poll(struct ballot_store *store,
                                  enum status (*on_unknown)(void *arg, struct ballot_store *store, const char *poll_id,
                                                            struct errmsg *err),
                                  void *arg);

/* What became of a set of batches. */
struct store_result {
    size_t batches;     /* new ones; the others are marked `known` */
    size_t ballots;     /* in the new batches */
    size_t counted;     /* of them, first of their voter */
    size_t superseded;  /* of them, not the first, or not the one that stands */
    size_t rejected;    /* of them, for an unknown poll, after the fence, or by the database */
    const char **polls; /* ids of polls that were touched, each once; until the next call with this store */
    size_t n_polls;
};

/* Stores the batches of one epoch in one transaction, or none of them. Batches that were applied before are passed
 * over and marked `known`. The book must have every mark up to the highest sequence; those of the batches themselves
 * are added. Borrows the batches; sequences may come in any order, even twice.
 *
 * ST_DB_DATA  the database refuses some ballot: use ballot_store_apply_rows for the same set */
MUST_CHECK enum status ballot_store_apply(struct ballot_store *store, unsigned epoch, struct store_batch *batches,
                                          size_t n, struct store_result *result, struct errmsg *err);

/* The same for a set with ballots that the database refuses: finds them by halving the set and writes them down as
 * rejected, with the reason; the others are stored, and where a refused ballot would have won, its voter's next
 * best one is. Slow; one transaction all the same.
 *
 * ST_DB_DATA  the database refuses something else than a ballot */
MUST_CHECK enum status ballot_store_apply_rows(struct ballot_store *store, unsigned epoch, struct store_batch *batches,
                                               size_t n, struct store_result *result, struct errmsg *err);

#endif
