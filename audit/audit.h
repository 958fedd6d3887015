/* audit - compares the database with the stream while people vote.
 * SPDX-License-Identifier: MIT
 *
 * All of the database is read from one snapshot. The stream is read to its end, which may be later than the snapshot: a
 * message that the workers had not acknowledged before the snapshot may be missing in it, and counts as pending. */
#ifndef SCRUTIN_AUDIT_H
#define SCRUTIN_AUDIT_H

#include "audit_db.h"
#include "bus/bus.h"

struct audit_options {
    struct bus *bus;
    struct audit_db *db;
    const struct keyring *keyring; /* opens receipts; NULL if there are none */
    FILE *receipts;                /* one receipt on each line; NULL: none */
    const char *poll;              /* id of the only poll to audit; NULL: all */
    int64_t settle_ms;             /* how long to wait for workers to close a gap in the acknowledged messages */
};

/* Fills in the report. Any status but ST_OK means that the audit could not be completed. */
MUST_CHECK enum status audit_run(const struct audit_options *options, struct audit_report *report, struct errmsg *err);

/* Looks up the receipts; part of audit_run. In audit_receipts.c. */
MUST_CHECK enum status audit_check_receipts(const struct audit_options *options, struct audit_report *report,
                                            struct errmsg *err);

#endif
