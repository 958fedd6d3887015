/* exporter - a thread with a database connection of its own, for what may take long: timelines, files of ballots.
 * SPDX-License-Identifier: MIT
 *
 * It does one job after the other, those of each client in turn, so that no export holds up the refresher and with it
 * everybody's live results, and no client who asks for much holds up another. The connection is opened for the first
 * job and then kept. */
#ifndef SCRUTIN_EXPORTER_H
#define SCRUTIN_EXPORTER_H

#include "export/fair_queue.h"
#include "http/http.h"
#include "read/store.h"

struct exporter;

/* One thing to do; the first member of what it needs. The asker's until exporter_add, and again in done(). */
struct exporter_job {
    struct fair_item item; /* its address: the client's network */
    /* Called on the exporter's thread. store is NULL where there is no database. */
    void (*run)(struct exporter_job *job, struct store *store);
    struct http_loop *loop;
    void (*done)(void *job); /* called on the loop; where that is NULL on the exporter's thread */
};

/* name is borrowed; a statement that takes longer than answer_ms fails, and with it the connection. */
MUST_CHECK enum status exporter_open(const char *database_url, const char *name, int answer_ms, struct exporter **out,
                                     struct errmsg *err);
/* From any thread. False: max jobs wait already, or max_of_one of this client. */
bool exporter_add(struct exporter *exporter, struct exporter_job *job, size_t max, size_t max_of_one);
/* Ends the thread and what it is asking; jobs that still wait are not done. NULL is fine. */
void exporter_close(struct exporter *exporter);

#endif
