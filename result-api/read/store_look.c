/* store_look - what the store is asked: looks, large polls, receipts.
 * SPDX-License-Identifier: MIT */
#include "read/store_internal.h"

#include "base/alloc.h"
#include "read/store_sql.h"
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>

/* --- arrays as text */

struct array {
    FILE *to;
    char *text;
    size_t len;
    bool begun;
};

static struct array array_begin(void)
{
    struct array array = {.text = NULL};

    return array;
}

static void array_add(struct array *array, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void array_add(struct array *array, const char *format, ...)
{
    va_list args;

    if (array->to == NULL)
        array->to = alloc_stream(&array->text, &array->len);
    fputc(array->begun ? ',' : '{', array->to);
    array->begun = true;
    va_start(args, format);
    vfprintf(array->to, format, args);
    va_end(args);
}

/* The text, which the caller frees. */
static char *array_end(struct array *array)
{
    if (array->to == NULL)
        return alloc_copy("{}");
    fputc('}', array->to);
    alloc_stream_close(array->to);
    return array->text;
}

/* --- looking */

enum status store_read_epoch(struct store *store, struct store_epoch *out, struct errmsg *err)
{
    PGresult *result;
    enum status st = store_ask(store, "read the newest epoch", "epoch", NULL, 0, &result, err);

    *out = (struct store_epoch){.epoch = 0};
    if (st != ST_OK)
        return st;
    if (PQntuples(result) > 0)
        *out = (struct store_epoch){(unsigned)store_number(result, 0, 0), store_number(result, 0, 1),
                                    (uint64_t)store_number(result, 0, 2)};
    PQclear(result);
    return ST_OK;
}

static int compare_sequences(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static void read_look(const PGresult *result, struct store_look *look)
{
    int n = PQntuples(result);

    look->applied = alloc_items((size_t)n, sizeof(*look->applied));
    for (int i = 0; i < n; i++) {
        size_t at = (size_t)store_number(result, i, 1);
        struct tally *tally = at > 0 && at <= look->n_polls ? &look->tallies[at - 1] : NULL;
        switch (PQgetvalue(result, i, 0)[0]) {
        case 'a':
            look->applied[look->n_applied++] = (uint64_t)store_number(result, i, 3);
            break;
        case 'e':
            look->newest_epoch = (unsigned)store_number(result, i, 3);
            look->newest_created_ns = store_number(result, i, 4);
            break;
        case 'f':
            tally->fence = store_number(result, i, 3);
            tally->term = (unsigned)store_number(result, i, 4);
            break;
        case 'l':
            tally->received = store_number(result, i, 3);
            tally->counted = store_number(result, i, 4);
            tally->superseded = store_number(result, i, 5);
            tally->rejected = store_number(result, i, 6);
            break;
        case 'm':
            tally->is_large = true;
            break;
        default:
            tally_add(tally, PQgetvalue(result, i, 2), store_number(result, i, 3));
        }
    }
    qsort(look->applied, look->n_applied, sizeof(*look->applied), compare_sequences);
}

enum status store_look(struct store *store, struct store_look *look, struct errmsg *err)
{
    struct array polls = array_begin(), gaps = array_begin();
    char epoch[16], after[24], most[16];
    PGresult *result;

    for (size_t i = 0; i < look->n_polls; i++)
        array_add(&polls, "\"%s\"", look->polls[i]); /* quoted: a poll may be called null */
    for (size_t i = 0; i < look->n_gaps; i++)
        array_add(&gaps, "%llu", (unsigned long long)look->gaps[i]);
    snprintf(epoch, sizeof(epoch), "%u", look->epoch);
    snprintf(after, sizeof(after), "%llu", (unsigned long long)look->after);
    snprintf(most, sizeof(most), "%d", STORE_RANKINGS_MAX);
    char *poll_text = array_end(&polls), *gap_text = array_end(&gaps);
    const char *const values[] = {poll_text, epoch, after, gap_text, most};

    look->applied = NULL;
    look->n_applied = 0;
    look->newest_epoch = 0;
    look->newest_created_ns = 0;
    enum status st = store_ask(store, "read tallies", "look", values, 5, &result, err);
    if (st == ST_OK) {
        read_look(result, look);
        PQclear(result);
    }
    free(poll_text);
    free(gap_text);
    return st;
}

/* --- a large poll */

struct row_taker {
    void (*on_ranking)(void *arg, const char *ranking, int64_t n);
    void *arg;
};

static void on_ranking_row(void *arg, const PGresult *row)
{
    const struct row_taker *taker = arg;

    taker->on_ranking(taker->arg, PQgetvalue(row, 0, 0), store_number(row, 0, 1));
}

enum status store_begin_large(struct store *store, const char *poll, struct tally *out, struct errmsg *err)
{
    PGresult *result = NULL;
    enum status st = store_run(store, "begin a snapshot", SQL_BEGIN_SNAPSHOT, NULL, 0, &result, err);

    if (st != ST_OK)
        return st;
    PQclear(result);
    st = store_run(store, "read a ledger", SQL_LEDGER, &poll, 1, &result, err);
    if (st != ST_OK)
        return st;
    *out = (struct tally){.fence = store_number(result, 0, 0),
                          .term = (unsigned)store_number(result, 0, 1),
                          .received = store_number(result, 0, 2),
                          .counted = store_number(result, 0, 3),
                          .superseded = store_number(result, 0, 4),
                          .rejected = store_number(result, 0, 5)};
    PQclear(result);
    return ST_OK;
}

enum status store_read_rankings(struct store *store, const char *poll,
                                void (*on_ranking)(void *arg, const char *ranking, int64_t n), void *arg,
                                struct errmsg *err)
{
    struct row_taker taker = {on_ranking, arg};

    return store_run_rows(store, "read rankings", SQL_RANKINGS, &poll, 1, on_ranking_row, &taker, err);
}

enum status store_end_large(struct store *store, struct errmsg *err)
{
    PGresult *result = NULL;
    enum status st = store_run(store, "end a snapshot", "COMMIT", NULL, 0, &result, err);

    PQclear(result);
    return st;
}

/* --- receipts */

enum status store_answer(struct store *store, int64_t created_ns, struct receipt_question *questions,
                         struct errmsg *err)
{
    struct array arrays[5];
    char *texts[5], voter[2 * VOTER_HASH + 1], batch[2 * BATCH_ID + 1], created[24];
    PGresult *result;

    for (size_t i = 0; i < 5; i++)
        arrays[i] = array_begin();
    for (const struct receipt_question *q = questions; q != NULL; q = q->next) {
        array_add(&arrays[0], "\"%s\"", q->receipt.poll);
        array_add(&arrays[1], "%s", sodium_bin2hex(voter, sizeof(voter), q->receipt.voter, VOTER_HASH));
        array_add(&arrays[2], "%s", sodium_bin2hex(batch, sizeof(batch), q->receipt.batch, BATCH_ID));
        array_add(&arrays[3], "%llu", (unsigned long long)q->receipt.sequence);
        array_add(&arrays[4], "%u", q->receipt.index);
    }
    for (size_t i = 0; i < 5; i++)
        texts[i] = array_end(&arrays[i]);
    snprintf(created, sizeof(created), "%lld", (long long)created_ns);
    const char *const values[] = {texts[0], texts[1], texts[2], texts[3], texts[4], created};
    enum status st = store_ask(store, "look up receipts", "receipts", values, 6, &result, err);
    for (size_t i = 0; i < 5; i++)
        free(texts[i]);
    if (st != ST_OK)
        return st;
    /* Rows come in any order, one for each question. */
    enum receipt_fate *fates = alloc_items((size_t)PQntuples(result) + 1, sizeof(*fates));
    for (int i = 0; i < PQntuples(result); i++)
        fates[store_number(result, i, 0)] = (enum receipt_fate)store_number(result, i, 1);
    int64_t place = 0;
    for (struct receipt_question *q = questions; q != NULL; q = q->next)
        q->fate = fates[++place];
    free(fates);
    PQclear(result);
    return ST_OK;
}
