/* query_thread - a thread with its own database connection, for queries that may take long.
 * SPDX-License-Identifier: MIT
 *
 * So no long query delays the refresher, and with it the live results of everybody. The thread does one job after the
 * other. It serves clients in turn, so a client with many jobs does not delay the others. It connects for the first job
 * and keeps the connection. */
#ifndef SCRUTIN_QUERY_THREAD_H
#define SCRUTIN_QUERY_THREAD_H

#include "http/http.h"
#include "read/fair_queue.h"
#include "read/result_db.h"

struct query_thread;

/* A job. The caller makes it the first member of what the job needs. It belongs to the caller before query_thread_add
 * and again in done(). */
struct query_job {
    struct fair_item item; /* its address is the client's network */
    /* Called on the query thread. db is NULL if the database cannot be reached. */
    void (*run)(struct query_job *job, struct result_db *db);
    struct http_loop *loop;
    void (*done)(void *job); /* called on the loop, or on the query thread if loop is NULL */
};

/* name is borrowed. A statement that takes longer than answer_ms fails and closes the connection. On failure, ST_IO:
 * the thread cannot be started. */
MUST_CHECK enum status query_thread_open(const char *database_url, const char *name, int answer_ms,
                                         struct query_thread **out, struct errmsg *err);
/* From any thread. False: max jobs wait already, or max_of_one jobs of this client. */
bool query_thread_add(struct query_thread *thread, struct query_job *job, size_t max, size_t max_of_one);
/* Ends the thread and its present query. Jobs that still wait are not done. NULL is fine. */
void query_thread_close(struct query_thread *thread);

#endif
