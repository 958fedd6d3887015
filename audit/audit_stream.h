/* audit_stream - reads the messages of the stream BALLOTS in order, up to a given sequence.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_AUDIT_STREAM_H
#define SCRUTIN_AUDIT_STREAM_H

#include "audit_report.h"
#include "bus/bus.h"

struct audit_stream {
    struct bus *bus;
    struct audit_report *report; /* gaps are added here */
    struct bus_reader *reader;   /* NULL: not open */
    uint64_t next, last;         /* sequences */
};

/* Reads the next message; the caller frees it. Skips messages that were removed because of their age. Reports messages
 * that are missing behind the stream's first one. Blocks.
 *
 * ST_NOT_FOUND  there is no further message; any other error: the broker did not deliver it */
MUST_CHECK enum status audit_stream_next(struct audit_stream *stream, struct delivery *out, struct errmsg *err);
void audit_stream_close(struct audit_stream *stream);

#endif
