/* audit_stream - the messages of the stream BALLOTS, one after the other, up to one that is fixed beforehand.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_AUDIT_STREAM_H
#define SCRUTIN_AUDIT_STREAM_H

#include "audit_report.h"
#include "bus/bus.h"

struct audit_stream {
    struct bus *bus;
    struct audit_report *report; /* gaps are noted here */
    struct bus_reader *reader;   /* NULL: to be opened */
    uint64_t next, last;         /* sequences */
};

/* The next message, which the caller frees; ST_NOT_FOUND after the last one. Messages that left by age are passed over;
 * what is missing behind the stream's first one is a discrepancy. Any other status: the broker does not give it. */
MUST_CHECK enum status audit_stream_next(struct audit_stream *stream, struct delivery *out, struct errmsg *err);
void audit_stream_close(struct audit_stream *stream);

#endif
