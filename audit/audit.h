/* audit - holds the database against the stream while both are in use.
 * SPDX-License-Identifier: MIT
 *
 * Everything is read from one snapshot of the database, of which the stream is read beyond: what the workers have not
 * acknowledged before the snapshot is pending and no discrepancy. */
#ifndef SCRUTIN_AUDIT_H
#define SCRUTIN_AUDIT_H

#include "audit_db.h"
#include "bus/bus.h"

struct audit_options {
    struct bus *bus;
    struct audit_db *db;
    const struct keyring *ring; /* NULL: no receipts */
    FILE *receipts;             /* NULL: none; one a line */
    const char *poll;           /* NULL: all */
    int64_t settle_ms; /* how long a gap below what the broker calls acknowledged is waited for, before it is missing */
};

/* Fills in the report. Any other status than ST_OK: it could not be checked; the detail says whose fault it is. */
MUST_CHECK enum status audit_run(const struct audit_options *options, struct audit_report *report, struct errmsg *err);

/* The part about receipts, in audit_receipts.c. */
MUST_CHECK enum status audit_check_receipts(const struct audit_options *options, struct audit_report *report,
                                            struct errmsg *err);

#endif
