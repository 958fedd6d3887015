/* audit_compare - comparisons of the audit that need no server. Pure, but for what they add to the report.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_AUDIT_COMPARE_H
#define SCRUTIN_AUDIT_COMPARE_H

#include "audit_db.h"

/* One message of the stream. */
struct audit_message {
    uint64_t seq;
    bool readable;
    bool applied; /* set by audit_compare_batches: the database has applied this batch, not as a dead letter */
    struct ballot_batch batch;
};

/* Compares messages with rows of applied_batches; both rise by sequence. Counts pending messages. */
void audit_compare_batches(struct audit_report *report, struct audit_message *messages, size_t n,
                           const struct audit_applied *rows, size_t n_rows);
/* Compares ledger, stream and ballots of one poll. Call it after all of them are counted. */
void audit_compare_books(struct audit_report *report, struct audit_poll *poll);
/* Compares the sum over all polls with the applied batches. unknown: ballots whose poll was unknown. */
void audit_compare_total(struct audit_report *report, int64_t unknown);

#endif
