/* exporter - a thread with a database connection of its own, for what may take long: timelines, files of ballots.
 * SPDX-License-Identifier: MIT
 *
 * It does one job after the other, so that no export holds up the refresher and with it everybody's live results. The
 * connection is opened for the first job and then kept. */
#ifndef SCRUTIN_EXPORTER_H
#define SCRUTIN_EXPORTER_H

#include "http.h"
#include "store.h"

struct exporter;

/* One thing to do; the first member of what it needs. The asker's until exporter_add, and again in done(). */
struct exporter_job {
    struct exporter_job *next;
    /* Called on the exporter's thread. store is NULL where there is no database. */
    void (*run)(struct exporter_job *job, struct store *store);
    struct http_loop *loop;
    void (*done)(void *job); /* called on the loop; where that is NULL on the exporter's thread */
};

/* name is borrowed; a statement that takes longer than answer_ms fails, and with it the connection. */
MUST_CHECK enum status exporter_open(const char *database_url, const char *name, int answer_ms, struct exporter **out,
                                     struct errmsg *err);
/* From any thread. False: max jobs wait already. */
bool exporter_add(struct exporter *exporter, struct exporter_job *job, size_t max);
/* Ends the thread and what it is asking; jobs that still wait are not done. NULL is fine. */
void exporter_close(struct exporter *exporter);

#endif
