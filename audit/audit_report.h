/* audit_report - what an audit found, as a table for people or as JSON for programs.
 * SPDX-License-Identifier: MIT
 *
 * Keeps some examples of each kind of discrepancy and the number of all, so its size does not grow with the damage. */
#ifndef SCRUTIN_AUDIT_REPORT_H
#define SCRUTIN_AUDIT_REPORT_H

#include "ballot/poll_definition.h"
#include "base/status.h"
#include <stdio.h>

/* KIND(name, word in the output, what it means) */
#define AUDIT_KINDS(KIND)                                                                                              \
    KIND(MISSING, "missing-sequence", "acknowledged by the workers, or below the stored floor, and not applied")       \
    KIND(NOT_IN_STREAM, "not-in-stream", "applied, and the stream never had it")                                       \
    KIND(STREAM_GAP, "stream-gap", "the stream itself lost messages")                                                  \
    KIND(OTHER_BATCH, "other-batch", "applied under another id than the stream's batch has")                           \
    KIND(BATCH_SIZE, "batch-size", "applied with another number of ballots than the stream's batch has")               \
    KIND(SET_ASIDE, "set-aside", "among the dead letters, although it can be read")                                    \
    KIND(BATCH_TWICE, "batch-twice", "one batch applied under two sequences")                                          \
    KIND(BALLOT_MISSING, "ballot-missing", "in the stream and applied, but its voter has no ballot")                   \
    KIND(BALLOT_OLDER, "ballot-older", "its voter's ballot is one that it should have replaced")                       \
    KIND(BALLOT_ALTERED, "ballot-altered", "its voter's ballot is this one with other contents")                       \
    KIND(BALLOT_REJECTED, "ballot-rejected", "written down as rejected, and counted all the same")                     \
    KIND(BALLOT_LATE, "ballot-late", "counted, although its poll was closed where it stands in the stream")            \
    KIND(BALLOT_EARLY, "ballot-early", "rejected as after the fence, although its poll was open there")                \
    KIND(BALLOT_FOREIGN, "ballot-foreign", "ballots that the stream does not have")                                    \
    KIND(MARK, "mark", "a fence or gate that the database has and the stream has not, or the other way round")         \
    KIND(TALLY, "tally", "the tally differs from the recount")                                                         \
    KIND(LEDGER_SUM, "ledger-sum", "received is not counted + superseded + rejected")                                  \
    KIND(LEDGER_COUNTED, "ledger-counted", "counts another number of ballots than there are")                          \
    KIND(LEDGER_REJECTED, "ledger-rejected", "says another number of rejected ballots than are written down")          \
    KIND(LEDGER_RECEIVED, "ledger-received", "received differs from the stream's ballots")                             \
    KIND(TIMELINE, "timeline", "the turnout over time differs from the recount, or from the ledger")                   \
    KIND(LEDGER_TOTAL, "ledger-total", "the polls together received another number than the batches held")             \
    KIND(RECEIPT, "receipt", "a receipt of the list whose ballot neither counts nor was replaced")

enum audit_kind {
#define AUDIT_KIND_ENUM(name, word, meaning) AUDIT_##name,
    AUDIT_KINDS(AUDIT_KIND_ENUM)
#undef AUDIT_KIND_ENUM
        AUDIT_KIND_COUNT
};

#define AUDIT_EXAMPLES 20 /* kept of each kind */

struct audit_finding {
    char poll[POLL_ID_MAX + 1]; /* "": of no poll */
    uint64_t sequence;          /* 0: of no message */
    char detail[160];
};

/* One incarnation of the stream, as the database knows it. */
struct audit_epoch {
    unsigned epoch;
    int64_t created_ns;
    uint64_t floor, last; /* stored floor; highest applied sequence */
    int64_t batches, ballots, dead;
};

/* One poll: what the books say, and what was counted by hand. */
struct audit_poll {
    char id[POLL_ID_MAX + 1]; /* "": the database has no such poll */
    int32_t key;
    bool revisable;
    int64_t received, counted, superseded, rejected; /* the ledger */
    int64_t rows, comparable;                        /* ballots; those of them that the stream still has to have */
    int64_t streamed, standing;                      /* the stream's applied ballots; those of them that stand */
    int64_t written_rejected;                        /* rejected ballots that the ledger has to have */
    int64_t fence;                                   /* ordinal; 0: open */
    unsigned term;
    int64_t written_unknown; /* and those it has not: the poll was unknown when they were applied */
    uint64_t discrepancies;
};

struct audit_report {
    const char *poll; /* the only one that was asked about, or NULL */
    struct audit_epoch now;
    struct audit_epoch *older;
    size_t n_older;
    uint64_t stream_first, stream_last; /* of what was compared */
    uint64_t line;                      /* everything up to it has to be applied */
    bool is_whole;                      /* the stream still has every ballot that the database ever had */
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

/* A report holds some 80 KiB: not for the stack. */
struct audit_report *audit_report_new(void);
void audit_report_free(struct audit_report *report); /* NULL is fine */

/* Notes `n` discrepancies of one kind with one example; poll may be NULL. */
void audit_report_add(struct audit_report *report, enum audit_kind kind, uint64_t n, struct audit_poll *poll,
                      uint64_t sequence, const char *format, ...) __attribute__((format(printf, 6, 7)));
uint64_t audit_report_total(const struct audit_report *report);

void audit_report_print(const struct audit_report *report, FILE *to);
void audit_report_print_json(const struct audit_report *report, FILE *to);

#endif
