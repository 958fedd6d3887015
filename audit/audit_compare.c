/* audit_compare - compares batches with rows, and ledgers with counts.
 * SPDX-License-Identifier: MIT */
#include "audit_compare.h"

#include <string.h>

static void compare_batch(struct audit_report *report, struct audit_message *message, const struct audit_applied *row)
{
    const struct ballot_batch *batch = &message->batch;

    if (row->dead) {
        if (message->readable)
            audit_report_add(report, AUDIT_SET_ASIDE, 1, NULL, message->seq, "its %zu ballots do not count",
                             batch->n_ballots);
    } else if (!message->readable) {
        audit_report_add(report, AUDIT_OTHER_BATCH, 1, NULL, message->seq, "applied, although it cannot be read");
    } else if (memcmp(row->batch, batch->id, BATCH_ID) != 0) {
        audit_report_add(report, AUDIT_OTHER_BATCH, 1, NULL, message->seq, "the database has another batch id");
    } else {
        message->applied = true;
        if (row->ballots != (int64_t)batch->n_ballots)
            audit_report_add(report, AUDIT_BATCH_SIZE, 1, NULL, message->seq,
                             "%lld ballots in the database, %zu in the stream", (long long)row->ballots,
                             batch->n_ballots);
    }
}

void audit_compare_batches(struct audit_report *report, struct audit_message *messages, size_t n,
                           const struct audit_applied *rows, size_t n_rows)
{
    for (size_t i = 0, row = 0; i < n; i++) {
        struct audit_message *message = &messages[i];
        report->messages++;
        report->streamed_ballots += (int64_t)message->batch.n_ballots;
        bool is_mark = message->batch.fence_poll[0] != '\0' || message->batch.gate_poll[0] != '\0';
        report->marks += is_mark;
        report->unreadable += !message->readable;
        message->applied = false;
        while (row < n_rows && rows[row].seq < message->seq)
            row++;
        if (row < n_rows && rows[row].seq == message->seq) {
            compare_batch(report, message, &rows[row]);
        } else if (message->seq > report->line) { /* lower ones are reported as missing */
            report->pending_messages++;
            report->pending_marks += is_mark;
            report->pending_ballots += (int64_t)message->batch.n_ballots;
        }
    }
}

void audit_compare_books(struct audit_report *report, struct audit_poll *poll)
{
    if (poll->received != poll->counted + poll->superseded + poll->rejected)
        audit_report_add(report, AUDIT_LEDGER_SUM, 1, poll, 0,
                         "%lld received, but %lld counted + %lld superseded + %lld rejected", (long long)poll->received,
                         (long long)poll->counted, (long long)poll->superseded, (long long)poll->rejected);
    if (poll->counted != poll->rows)
        audit_report_add(report, AUDIT_LEDGER_COUNTED, 1, poll, 0,
                         "%lld counted in the ledger, %lld ballots in the table", (long long)poll->counted,
                         (long long)poll->rows);
    if (poll->rejected != poll->written_rejected)
        audit_report_add(report, AUDIT_LEDGER_REJECTED, 1, poll, 0,
                         "%lld rejected in the ledger, %lld in the table of rejected ballots",
                         (long long)poll->rejected, (long long)poll->written_rejected);
    int64_t received = poll->received + poll->written_unknown;
    if (report->is_whole ? received != poll->streamed : received < poll->streamed)
        audit_report_add(report, AUDIT_LEDGER_RECEIVED, 1, poll, 0, "%lld received, %lld in the stream",
                         (long long)received, (long long)poll->streamed);
    if (poll->comparable > poll->standing)
        audit_report_add(report, AUDIT_BALLOT_FOREIGN, (uint64_t)(poll->comparable - poll->standing), poll, 0,
                         "%lld ballots in the table, only %lld of them in the stream", (long long)poll->comparable,
                         (long long)poll->standing);
}

void audit_compare_total(struct audit_report *report, int64_t unknown)
{
    int64_t received = unknown, applied = report->now.ballots;

    for (size_t i = 0; i < report->n_polls; i++)
        received += report->polls[i].received;
    for (size_t i = 0; i < report->n_older; i++)
        applied += report->older[i].ballots;
    if (received != applied)
        audit_report_add(report, AUDIT_LEDGER_TOTAL, 1, NULL, 0,
                         "%lld received, %lld of them for unknown polls; %lld in the applied batches",
                         (long long)received, (long long)unknown, (long long)applied);
}
