/* thread - a thread with a database connection of its own, for what may take long: timelines, files of ballots.
 * SPDX-License-Identifier: MIT
 *
 * It does one job after the other, those of each client in turn, so that no export holds up the refresher and with it
 * everybody's live results, and no client who asks for much holds up another. The connection is opened for the first
 * job and then kept. */
#ifndef SCRUTIN_QUERY_THREAD_H
#define SCRUTIN_QUERY_THREAD_H

#include "http/http.h"
#include "read/fair_queue.h"
#include "read/store.h"

struct query_thread;

/* One thing to do; the first member of what it needs. The asker's until query_thread_add, and again in done(). */
struct query_job {
    struct fair_item item; /* its address: the client's network */
    /* Called on the thread's thread. store is NULL where there is no database. */
    void (*run)(struct query_job *job, struct store *store);
    struct http_loop *loop;
    void (*done)(void *job); /* called on the loop; where that is NULL on the thread's thread */
};

/* name is borrowed; a statement that takes longer than answer_ms fails, and with it the connection. */
MUST_CHECK enum status query_thread_open(const char *database_url, const char *name, int answer_ms,
                                         struct query_thread **out, struct errmsg *err);
/* From any thread. False: max jobs wait already, or max_of_one of this client. */
bool query_thread_add(struct query_thread *thread, struct query_job *job, size_t max, size_t max_of_one);
/* Ends the thread and what it is asking; jobs that still wait are not done. NULL is fine. */
void query_thread_close(struct query_thread *thread);

#endif
