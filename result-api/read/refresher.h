/* refresher - the thread that reads polls from the database and publishes what changed.
 * SPDX-License-Identifier: MIT
 *
 * It holds the last tally and the last snapshot of every poll that some loop follows. While the database is down, these
 * are still served, and `pending`, the title and the state stay up to date. The thread tries to connect for ever. */
#ifndef SCRUTIN_REFRESHER_H
#define SCRUTIN_REFRESHER_H

#include "ballot/directory.h"
#include "read/backlog_reader.h"
#include "read/refresh_queue.h"
#include "tally/snapshot.h"

struct refresher;

struct refresher_options {
    const char *database_url;
    int64_t refresh_ms; /* the least time between two refreshes */
    int64_t look_ms;    /* all polls are read again after this time, even if no doorbell rang */
    struct refresh_queue *queue;
    struct directory *directory;
    struct backlog_reader *backlog_reader;
    /* Called on the refresher's thread. snapshot is borrowed; NULL: the poll was deleted. */
    void (*publish)(void *arg, const char *id, struct snapshot *snapshot);
    void *arg;
};

/* On failure, ST_IO: a thread cannot be started. */
MUST_CHECK enum status refresher_open(const struct refresher_options *options, struct refresher **out,
                                      struct errmsg *err);
/* Ends the thread. Waits for it for at most TALLY_READER_ANSWER_MS. NULL is fine. */
void refresher_close(struct refresher *refresher);

/* Says whether the database answers, and if not, why. From any thread. */
bool refresher_is_ready(struct refresher *refresher, char detail[128]);

#endif
