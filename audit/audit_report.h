/* audit_report - the result of an audit, as a table for people or as JSON for programs.
 * SPDX-License-Identifier: MIT
 *
 * Keeps the number of discrepancies of each kind and a few examples, so its size is limited. */
#ifndef SCRUTIN_AUDIT_REPORT_H
#define SCRUTIN_AUDIT_REPORT_H

#include "ballot/poll_definition.h"
#include "base/status.h"
#include <stdio.h>

/* KIND(name, word in the output, meaning) */
#define AUDIT_KINDS(KIND)                                                                                              \
    KIND(MISSING, "missing-sequence", "messages that must be applied are not applied")                                 \
    KIND(NOT_IN_STREAM, "not-in-stream", "the database applied messages that the stream never had")                    \
    KIND(STREAM_GAP, "stream-gap", "messages are missing in the stream itself")                                        \
    KIND(OTHER_BATCH, "other-batch", "the database and the stream have different batches under one sequence")          \
    KIND(BATCH_SIZE, "batch-size", "the database and the stream have different numbers of ballots for one batch")      \
    KIND(SET_ASIDE, "set-aside", "a message that can be read was treated as a dead letter")                            \
    KIND(BATCH_TWICE, "batch-twice", "one batch was applied under two sequences")                                      \
    KIND(BALLOT_MISSING, "ballot-missing", "a ballot was applied, but its voter has no ballot in the database")        \
    KIND(BALLOT_OLDER, "ballot-older", "a voter's ballot should have been replaced by a later one")                    \
    KIND(BALLOT_ALTERED, "ballot-altered", "a ballot in the database has other contents than in the stream")           \
    KIND(BALLOT_REJECTED, "ballot-rejected", "a ballot counts although it is marked as rejected")                      \
    KIND(BALLOT_LATE, "ballot-late", "a ballot counts although its poll was closed")                                   \
    KIND(BALLOT_EARLY, "ballot-early", "a ballot was rejected as too late although its poll was open")                 \
    KIND(BALLOT_FOREIGN, "ballot-foreign", "the database has ballots that the stream does not have")                   \
    KIND(MARK, "mark", "the database and the stream have different fences or gates")                                   \
    KIND(TALLY, "tally", "the tally differs from a recount")                                                           \
    KIND(LEDGER_SUM, "ledger-sum", "in a ledger, received is not counted + superseded + rejected")                     \
    KIND(LEDGER_COUNTED, "ledger-counted", "a ledger counts another number of ballots than the table has")             \
    KIND(LEDGER_REJECTED, "ledger-rejected", "a ledger has another number of rejected ballots than the table")         \
    KIND(LEDGER_RECEIVED, "ledger-received", "a ledger has another number of received ballots than the stream")        \
    KIND(TIMELINE, "timeline", "the turnout over time differs from a recount or from the ledger")                      \
    KIND(LEDGER_TOTAL, "ledger-total", "all ledgers together received another number than the batches have")           \
    KIND(RECEIPT, "receipt", "the ballot of a receipt neither counts nor was replaced")

enum audit_kind {
#define AUDIT_KIND_ENUM(name, word, meaning) AUDIT_##name,
    AUDIT_KINDS(AUDIT_KIND_ENUM)
#undef AUDIT_KIND_ENUM
        AUDIT_KIND_COUNT
};

#define AUDIT_EXAMPLES 20 /* of each kind */

struct audit_finding {
    char poll[POLL_ID_MAX + 1]; /* "": not about one poll */
    uint64_t sequence;          /* 0: not about one message */
    char detail[160];
};

/* One incarnation of the stream, as the database has it. */
struct audit_epoch {
    unsigned epoch;
    int64_t created_ns;
    uint64_t floor, last; /* stored floor; highest applied sequence */
    int64_t batches, ballots, dead;
};

/* One poll: numbers of the database, and numbers counted here. */
struct audit_poll {
    char id[POLL_ID_MAX + 1]; /* "": the database has no such poll */
    int32_t key;
    bool revisable;
    int64_t received, counted, superseded, rejected; /* the ledger */
    int64_t rows, comparable;                        /* ballots in the table; those that the stream must still have */
    int64_t streamed, standing;                      /* applied ballots in the stream; those that count now */
    int64_t written_rejected;                        /* rows of rejected_ballots that the ledger must have */
    int64_t fence;                                   /* ordinal; 0: open */
    unsigned term;
    int64_t written_unknown; /* and rows that it cannot have: the poll was unknown when they were applied */
    uint64_t discrepancies;
};

struct audit_report {
    const char *poll; /* the only poll that is audited, or NULL */
    struct audit_epoch now;
    struct audit_epoch *older;
    size_t n_older;
    uint64_t stream_first, stream_last; /* of the messages that were compared */
    uint64_t line;                      /* everything up to this sequence must be applied */
    bool is_whole;                      /* the stream still has every ballot that the database ever applied */
    int64_t messages, marks, unreadable, streamed_ballots;
    int64_t pending_messages, pending_ballots, pending_marks;
    bool has_consumer;
    struct audit_poll *polls;
    size_t n_polls;
    bool has_receipts;
    int64_t receipts, receipts_counted, receipts_superseded, receipts_pending;
    uint64_t counts[AUDIT_KIND_COUNT];
    size_t n_examples[AUDIT_KIND_COUNT];
    struct audit_finding examples[AUDIT_KIND_COUNT][AUDIT_EXAMPLES];
};

/* A report has about 80 KiB: too much for the stack. */
struct audit_report *audit_report_new(void);
void audit_report_free(struct audit_report *report); /* NULL is fine */

/* Adds n discrepancies of one kind, with one example. poll may be NULL; sequence may be 0. */
void audit_report_add(struct audit_report *report, enum audit_kind kind, uint64_t n, struct audit_poll *poll,
                      uint64_t sequence, const char *format, ...) __attribute__((format(printf, 6, 7)));
uint64_t audit_report_total(const struct audit_report *report);

void audit_report_print(const struct audit_report *report, FILE *to);
void audit_report_print_json(const struct audit_report *report, FILE *to);

#endif
