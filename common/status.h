/* status - what can become of an operation, in one table for all services.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_STATUS_H
#define SCRUTIN_STATUS_H

#include <stdbool.h>
#include <stddef.h>

#define MUST_CHECK __attribute__((warn_unused_result))

/* The fate of a delivery from the stream that ended with a status. */
enum fate {
    FATE_ACK,  /* done: the stream may forget the delivery */
    FATE_NAK,  /* our own fault, or the database's: deliver again later */
    FATE_TERM, /* can never be applied: into the dead letters, then ended */
};

/* STATUS(name, what it is in words, code over HTTP, fate of a delivery) */
#define STATUS_TABLE(STATUS)                                                                                           \
    STATUS(OK, "done", 200, FATE_ACK)                                                                                  \
    STATUS(INVALID, "the input is not valid", 400, FATE_TERM)                                                          \
    STATUS(DECODE, "the message cannot be decoded", 400, FATE_TERM)                                                    \
    STATUS(NOT_FOUND, "there is no such thing", 404, FATE_NAK)                                                         \
    STATUS(CONFLICT, "it was changed or made by somebody else", 409, FATE_NAK)                                         \
    STATUS(BUS_DOWN, "the broker cannot be reached", 503, FATE_NAK)                                                    \
    STATUS(BUS_TIMEOUT, "the broker did not answer in time", 503, FATE_NAK)                                            \
    STATUS(BUS_REFUSED, "the broker refused", 503, FATE_NAK)                                                           \
    STATUS(DB_DOWN, "the database cannot be reached", 503, FATE_NAK)                                                   \
    STATUS(DB_RETRY, "the transaction must be run again", 503, FATE_NAK)                                               \
    STATUS(DB_SCHEMA, "the database has tables that this program does not know", 500, FATE_NAK)                        \
    STATUS(DB_DATA, "the database refused the data", 500, FATE_NAK)                                                    \
    STATUS(EPOCH, "the stream is older than one that the database already knows", 500, FATE_NAK)                       \
    STATUS(NO_SLOT, "all tally slots are taken", 500, FATE_NAK)                                                        \
    STATUS(CONFIG, "the configuration is not valid", 500, FATE_NAK)                                                    \
    STATUS(IO, "the operating system refused", 500, FATE_NAK)

enum status {
#define STATUS_ENUM(name, text, http, fate) ST_##name,
    STATUS_TABLE(STATUS_ENUM)
#undef STATUS_ENUM
};

const char *status_text(enum status status);
int status_http_code(enum status status);
enum fate status_fate(enum status status);

/* Detail of an error, filled in where it happened and wrapped once per layer. */
struct errmsg {
    char text[512];
};

/* Writes the detail and returns status, so that a function can `return fail(err, ST_IO, "...")`. err may be NULL. */
MUST_CHECK enum status fail(struct errmsg *err, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " before the detail and returns status unchanged. */
MUST_CHECK enum status fail_within(struct errmsg *err, enum status status, const char *context);

#endif
