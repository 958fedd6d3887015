/* audit_report - collects discrepancies and prints them.
 * SPDX-License-Identifier: MIT */
#include "audit_report.h"

#include "base/alloc.h"
#include "base/clock.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>

static const struct {
    const char *word, *meaning;
} kinds[] = {
#define AUDIT_KIND_ROW(name, word, meaning) {word, meaning},
    AUDIT_KINDS(AUDIT_KIND_ROW)
#undef AUDIT_KIND_ROW
};

struct audit_report *audit_report_new(void)
{
    return alloc_items(1, sizeof(struct audit_report));
}

void audit_report_free(struct audit_report *report)
{
    if (report == NULL)
        return;
    free(report->older);
    free(report->polls);
    free(report);
}

void audit_report_add(struct audit_report *report, enum audit_kind kind, uint64_t n, struct audit_poll *poll,
                      uint64_t sequence, const char *format, ...)
{
    va_list args;

    report->counts[kind] += n;
    if (poll != NULL)
        poll->discrepancies += n;
    if (report->n_examples[kind] == AUDIT_EXAMPLES)
        return;
    struct audit_finding *example = &report->examples[kind][report->n_examples[kind]++];
    example->sequence = sequence;
    if (poll != NULL)
        memcpy(example->poll, poll->id, sizeof(example->poll));
    va_start(args, format);
    vsnprintf(example->detail, sizeof(example->detail), format, args);
    va_end(args);
}

uint64_t audit_report_total(const struct audit_report *report)
{
    uint64_t total = 0;

    for (int kind = 0; kind < AUDIT_KIND_COUNT; kind++)
        total += report->counts[kind];
    return total;
}

/* --- for people */

static void print_scope(const struct audit_report *report, FILE *to)
{
    char created[CLOCK_TEXT];

    clock_format_ms(report->now.created_ns / 1000000, created);
    if (report->stream_last < report->stream_first)
        fprintf(to, "stream    created %s, empty\n", created);
    else
        fprintf(to,
                "stream    created %s, epoch %u: sequences %" PRIu64 " to %" PRIu64 ", %" PRId64
                " messages with %" PRId64 " ballots\n",
                created, report->now.epoch, report->stream_first, report->stream_last, report->messages,
                report->streamed_ballots);
    fprintf(to, "applied   %" PRId64 " messages with %" PRId64 " ballots, and %" PRId64 " dead letters\n",
            report->now.batches, report->now.ballots, report->now.dead);
    fprintf(to,
            "pending   %" PRId64 " messages with %" PRId64 " ballots; every message up to sequence %" PRIu64
            " must be applied\n",
            report->pending_messages, report->pending_ballots, report->line);
    for (size_t i = 0; i < report->n_older; i++)
        fprintf(to,
                "epoch %-4u %" PRId64 " messages with %" PRId64
                " ballots of a stream that no longer exists: only the database can be checked\n",
                report->older[i].epoch, report->older[i].batches, report->older[i].ballots);
    if (report->stream_first > 1)
        fprintf(to, "note      the stream has removed the messages before %" PRIu64 ": they cannot be compared\n",
                report->stream_first);
    if (!report->has_consumer)
        fprintf(to, "note      the stream has no consumer `workers`: run scrutin-setup\n");
}

static void print_polls(const struct audit_report *report, FILE *to)
{
    size_t empty = 0;

    fprintf(to, "\n%-32s %12s %12s %12s %10s %12s %10s\n", "poll", "received", "counted", "superseded", "rejected",
            "in stream", "wrong");
    for (size_t i = 0; i < report->n_polls; i++) {
        const struct audit_poll *poll = &report->polls[i];
        if (poll->received == 0 && poll->rows == 0 && poll->streamed == 0 && poll->discrepancies == 0) {
            empty++;
            continue;
        }
        fprintf(to, "%-32s %12" PRId64 " %12" PRId64 " %12" PRId64 " %10" PRId64 " %12" PRId64 " %10" PRIu64 "\n",
                poll->id[0] != '\0' ? poll->id : "(unknown)", poll->received, poll->counted, poll->superseded,
                poll->rejected, poll->streamed, poll->discrepancies);
    }
    if (empty > 0)
        fprintf(to, "and %zu polls without ballots\n", empty);
}

static void print_findings(const struct audit_report *report, FILE *to)
{
    for (int kind = 0; kind < AUDIT_KIND_COUNT; kind++) {
        if (report->counts[kind] == 0)
            continue;
        fprintf(to, "\n%s: %" PRIu64 " (%s)\n", kinds[kind].word, report->counts[kind], kinds[kind].meaning);
        for (size_t i = 0; i < report->n_examples[kind]; i++) {
            const struct audit_finding *finding = &report->examples[kind][i];
            fprintf(to, "  ");
            if (finding->poll[0] != '\0')
                fprintf(to, "poll %s: ", finding->poll);
            if (finding->sequence != 0)
                fprintf(to, "sequence %" PRIu64 ": ", finding->sequence);
            fprintf(to, "%s\n", finding->detail);
        }
    }
}

void audit_report_print(const struct audit_report *report, FILE *to)
{
    uint64_t total = audit_report_total(report);

    print_scope(report, to);
    if (report->has_receipts)
        fprintf(to,
                "receipts  %" PRId64 " in the list: %" PRId64 " counted, %" PRId64 " superseded, %" PRId64
                " pending, %" PRIu64 " unexplained\n",
                report->receipts, report->receipts_counted, report->receipts_superseded, report->receipts_pending,
                report->counts[AUDIT_RECEIPT]);
    print_polls(report, to);
    print_findings(report, to);
    if (total == 0)
        fprintf(to, "\nAll is well.\n");
    else
        fprintf(to, "\n%" PRIu64 " discrepanc%s.\n", total, total == 1 ? "y" : "ies");
}

/* --- for programs */

static json_int_t as_json(uint64_t number)
{
    return (json_int_t)number;
}

static json_t *epoch_json(const struct audit_epoch *epoch)
{
    return json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:I}", "epoch", (int)epoch->epoch, "created_ns",
                     (json_int_t)epoch->created_ns, "floor", as_json(epoch->floor), "last", as_json(epoch->last),
                     "messages", (json_int_t)epoch->batches, "ballots", (json_int_t)epoch->ballots, "dead",
                     (json_int_t)epoch->dead);
}

static json_t *poll_json(const struct audit_poll *poll)
{
    return json_pack("{s:s?, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "poll", poll->id[0] != '\0' ? poll->id : NULL,
                     "received", (json_int_t)poll->received, "counted", (json_int_t)poll->counted, "superseded",
                     (json_int_t)poll->superseded, "rejected", (json_int_t)poll->rejected, "ballots",
                     (json_int_t)poll->rows, "in_stream", (json_int_t)poll->streamed, "discrepancies",
                     as_json(poll->discrepancies));
}

static json_t *kind_json(const struct audit_report *report, int kind)
{
    json_t *examples = json_array();

    for (size_t i = 0; i < report->n_examples[kind]; i++) {
        const struct audit_finding *finding = &report->examples[kind][i];
        json_t *example = json_pack("{s:s?, s:s%}", "poll", finding->poll[0] != '\0' ? finding->poll : NULL, "detail",
                                    finding->detail, strlen(finding->detail));
        if (example == NULL) /* the detail is not UTF-8 */
            example = json_object();
        json_object_set_new(example, "sequence",
                            finding->sequence != 0 ? json_integer(as_json(finding->sequence)) : json_null());
        json_array_append_new(examples, example);
    }
    return json_pack("{s:s, s:s, s:I, s:o}", "kind", kinds[kind].word, "meaning", kinds[kind].meaning, "count",
                     as_json(report->counts[kind]), "examples", examples);
}

void audit_report_print_json(const struct audit_report *report, FILE *to)
{
    json_t *discrepancies = json_array(), *polls = json_array(), *older = json_array();

    for (int kind = 0; kind < AUDIT_KIND_COUNT; kind++)
        if (report->counts[kind] != 0)
            json_array_append_new(discrepancies, kind_json(report, kind));
    for (size_t i = 0; i < report->n_polls; i++)
        json_array_append_new(polls, poll_json(&report->polls[i]));
    for (size_t i = 0; i < report->n_older; i++)
        json_array_append_new(older, epoch_json(&report->older[i]));
    json_t *all = json_pack(
        "{s:b, s:I, s:o, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:b}, s:o, s:o, s:I, s:{s:I, s:I}, s:o}", "ok",
        audit_report_total(report) == 0, "discrepancies_total", as_json(audit_report_total(report)), "discrepancies",
        discrepancies, "stream", "first", as_json(report->stream_first), "last", as_json(report->stream_last),
        "messages", (json_int_t)report->messages, "ballots", (json_int_t)report->streamed_ballots, "marks",
        (json_int_t)report->marks, "unreadable", (json_int_t)report->unreadable, "whole", report->is_whole, "epoch",
        epoch_json(&report->now), "older_epochs", older, "must_be_applied_up_to", as_json(report->line), "pending",
        "messages", (json_int_t)report->pending_messages, "ballots", (json_int_t)report->pending_ballots, "polls",
        polls);
    if (report->has_receipts)
        json_object_set_new(all, "receipts",
                            json_pack("{s:I, s:I, s:I, s:I}", "given", (json_int_t)report->receipts, "counted",
                                      (json_int_t)report->receipts_counted, "superseded",
                                      (json_int_t)report->receipts_superseded, "pending",
                                      (json_int_t)report->receipts_pending));
    json_dumpf(all, to, JSON_INDENT(2));
    fputc('\n', to);
    json_decref(all);
}
