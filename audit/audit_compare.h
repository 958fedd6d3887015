/* audit_compare - the audit's comparisons that need no server.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_AUDIT_COMPARE_H
#define SCRUTIN_AUDIT_COMPARE_H

#include "audit_db.h"

/* One message as the stream has it. */
struct audit_message {
    uint64_t seq;
    bool readable;
    bool applied; /* set here: the database has it as this batch, and not among the dead letters */
    struct ballot_batch batch;
};

/* Compares messages with the rows of their sequences; both rise. Counts what is pending. */
void audit_compare_batches(struct audit_report *report, struct audit_message *messages, size_t n,
                           const struct audit_applied *rows, size_t n_rows);
/* Adds what is wrong in the books of one poll, once the stream and the ballots are counted. */
void audit_compare_books(struct audit_report *report, struct audit_poll *poll);
/* The same for all polls together; unknown is the number of ballots whose poll was unknown. */
void audit_compare_total(struct audit_report *report, int64_t unknown);

#endif
