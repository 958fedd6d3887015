/* audit_receipts - looks up the ballots of a list of receipts.
 * SPDX-License-Identifier: MIT */
#include "audit.h"

#include "base/alloc.h"
#include <errno.h>
#include <string.h>

#define AT_ONCE 1000 /* receipts in one statement */

struct receipt_list {
    struct receipt receipts[AT_ONCE];
    uint64_t lines[AT_ONCE];
    enum receipt_fate fates[AT_ONCE];
    size_t n;
};

/* NULL: the database does not have the poll. */
static struct audit_poll *find_poll(struct audit_report *report, const char *id)
{
    for (size_t i = 0; i < report->n_polls; i++)
        if (strcmp(report->polls[i].id, id) == 0)
            return &report->polls[i];
    return NULL;
}

static void note_fate(struct audit_report *report, const struct receipt_list *list, size_t i)
{
    static const char *const reasons[] = {
#define REASON_ROW(number, name, state, reason, sentence) [number] = (reason),
        RECEIPT_FATE_TABLE(REASON_ROW)
#undef REASON_ROW
    };
    const struct receipt *receipt = &list->receipts[i];
    enum receipt_fate fate = list->fates[i];

    if (fate == RECEIPT_COUNTED)
        report->receipts_counted++;
    else if (fate == RECEIPT_SUPERSEDED)
        report->receipts_superseded++;
    else if (fate == RECEIPT_PENDING && receipt->sequence > report->line)
        report->receipts_pending++;
    else
        audit_report_add(report, AUDIT_RECEIPT, 1, find_poll(report, receipt->poll), receipt->sequence, "line %llu: %s",
                         (unsigned long long)list->lines[i],
                         fate == RECEIPT_PENDING ? "not applied, although it should be" : reasons[fate]);
}

static enum status look_up_receipts(const struct audit_options *options, struct audit_report *report,
                                    struct receipt_list *list, struct errmsg *err)
{
    enum status st = list->n == 0 ? ST_OK
                                  : audit_db_receipts(options->db, report->now.created_ns, list->receipts, list->n,
                                                      list->fates, err);
    for (size_t i = 0; i < list->n && st == ST_OK; i++)
        note_fate(report, list, i);
    list->n = 0;
    return st;
}

enum status audit_check_receipts(const struct audit_options *options, struct audit_report *report, struct errmsg *err)
{
    struct receipt_list *list = alloc_items(1, sizeof(*list));
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    enum status st = ST_OK;

    report->has_receipts = true;
    for (uint64_t at = 1; st == ST_OK && (len = getline(&line, &room, options->receipts)) >= 0; at++) {
        while (len > 0 && strchr(" \t\r\n", line[len - 1]) != NULL)
            len--;
        if (len == 0)
            continue;
        report->receipts++;
        if (!receipt_read(options->keyring, line, (size_t)len, &list->receipts[list->n])) {
            audit_report_add(report, AUDIT_RECEIPT, 1, NULL, 0, "line %llu: not a receipt of this instance",
                             (unsigned long long)at);
            continue;
        }
        list->lines[list->n++] = at;
        if (list->n == AT_ONCE)
            st = look_up_receipts(options, report, list, err);
    }
    if (st == ST_OK && !feof(options->receipts)) {
        if (errno == ENOMEM)
            abort();
        st = fail(err, ST_IO, "cannot read the list of receipts to its end");
    }
    if (st == ST_OK)
        st = look_up_receipts(options, report, list, err);
    free(line);
    free(list);
    return st;
}
