/* status - the result of an operation, in one table for all services.
 * SPDX-License-Identifier: MIT
 *
 * A status says what went wrong, and not what to do about it. The caller decides that, because it depends on the
 * request: a conflict is answered 409 when a manager edits a poll, and is no error when a worker fills a bucket again.
 * http/problem.h has the table of HTTP errors; intake_transaction.c decides the fate of a delivery. */
#ifndef SCRUTIN_STATUS_H
#define SCRUTIN_STATUS_H

#include <stdbool.h>
#include <stddef.h>

#define MUST_CHECK __attribute__((warn_unused_result))

/* STATUS(name, text for people) */
#define STATUS_TABLE(STATUS)                                                                                           \
    STATUS(OK, "done")                                                                                                 \
    STATUS(INVALID, "the input is not valid")                                                                          \
    STATUS(DECODE, "the message cannot be decoded")                                                                    \
    STATUS(NOT_FOUND, "there is no such thing")                                                                        \
    STATUS(CONFLICT, "somebody else changed or made it")                                                               \
    STATUS(BUS_DOWN, "the broker cannot be reached")                                                                   \
    STATUS(BUS_TIMEOUT, "the broker did not answer in time")                                                           \
    STATUS(BUS_REFUSED, "the broker refused")                                                                          \
    STATUS(BUS_FULL, "the broker has no room")                                                                         \
    STATUS(DB_DOWN, "the database cannot be reached")                                                                  \
    STATUS(DB_RETRY, "the transaction must be run again")                                                              \
    STATUS(DB_SCHEMA, "this program does not know the tables of the database")                                         \
    STATUS(DB_DATA, "the database refused the data")                                                                   \
    STATUS(EPOCH, "the stream is older than one that the database already knows")                                      \
    STATUS(NO_SLOT, "all tally slots are taken")                                                                       \
    STATUS(CONFIG, "the configuration is not valid")                                                                   \
    STATUS(IO, "the operating system refused")

enum status {
#define STATUS_ENUM(name, text) ST_##name,
    STATUS_TABLE(STATUS_ENUM)
#undef STATUS_ENUM
};

const char *status_text(enum status status);

/* Detail of an error. It is filled in where the error happened, and each layer may put a context before it. */
struct errmsg {
    char text[512];
};

/* Writes the detail and returns status, so that a function can `return fail(err, ST_IO, "...")`. err may be NULL. */
MUST_CHECK enum status fail(struct errmsg *err, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " before the detail and returns status unchanged. */
MUST_CHECK enum status fail_within(struct errmsg *err, enum status status, const char *context);

#endif
