/* refresher - the thread that looks at the database and publishes what changed.
 * SPDX-License-Identifier: MIT
 *
 * It holds, for every poll that some loop wants, the last tally read and the last snapshot published. While the
 * database is down these go on being served, with `pending`, title and state kept up; connecting is tried for ever. */
#ifndef SCRUTIN_REFRESHER_H
#define SCRUTIN_REFRESHER_H

#include "ballot/directory.h"
#include "read/backlog_reader.h"
#include "read/refresh_queue.h"
#include "tally/snapshot.h"

struct refresher;

struct refresher_options {
    const char *database_url;
    int64_t refresh_ms; /* at most one look in so many */
    int64_t look_ms;    /* at least one look at everything in so many, whatever the doorbell says */
    struct refresh_queue *queue;
    struct directory *directory;
    struct backlog_reader *backlog_reader;
    /* Called on the refresher's thread. snapshot is borrowed; NULL: there is no such poll any more. */
    void (*publish)(void *arg, const char *id, struct snapshot *snapshot);
    void *arg;
};

MUST_CHECK enum status refresher_open(const struct refresher_options *options, struct refresher **out,
                                      struct errmsg *err);
/* Ends the thread, after at most TALLY_READER_ANSWER_MS. NULL is fine. */
void refresher_close(struct refresher *refresher);

/* From any thread. */
bool refresher_is_ready(struct refresher *refresher, char detail[128]);

#endif
