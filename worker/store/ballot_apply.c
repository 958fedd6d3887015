/* ballot_apply - one transaction: claim batches, upsert ballots, ledger, timeline, rejections, marks, commit.
 * SPDX-License-Identifier: MIT */
#include "store/ballot_store_internal.h"

#include "ballot/ordinal.h"
#include "base/grow.h"

#include <assert.h>

#define FLOOR_EVERY 256 /* transactions between two updates of the stored floor */

/* Claiming. */

static int compare_sequences(const void *left, const void *right)
{
    struct stream_batch *const *a = left, *const *b = right;
    return ((*a)->seq > (*b)->seq) - ((*a)->seq < (*b)->seq);
}

static void order_batches(struct ballot_store *store, struct stream_batch *batches, size_t n)
{
    GROW(store->ordered, store->room_ordered, n);
    for (size_t i = 0; i < n; i++) {
        batches[i].known = false;
        store->ordered[i] = &batches[i];
    }
    if (n > 1)
        qsort(store->ordered, n, sizeof(*store->ordered), compare_sequences);
}

static void send_claim(struct ballot_store *store, unsigned epoch, size_t n)
{
    static const uint8_t no_id[BATCH_ID];
    struct pg_array *column = store->columns;
    pg_array_begin(&column[0], PG_INT8, n);
    pg_array_begin(&column[1], PG_UUID, n);
    pg_array_begin(&column[2], PG_INT4, n);
    pg_array_begin(&column[3], PG_BOOL, n);
    for (size_t i = 0; i < n; i++) {
        const struct ballot_batch *batch = store->ordered[i]->batch;
        pg_array_add_int8(&column[0], (int64_t)store->ordered[i]->seq);
        pg_array_add_bytes(&column[1], batch == NULL ? no_id : batch->id, BATCH_ID);
        pg_array_add_int4(&column[2], batch == NULL ? 0 : (int32_t)batch->n_ballots);
        pg_array_add_bool(&column[3], batch == NULL);
    }
    struct pg_args args = {0};
    pg_args_add_int2(&args, (int16_t)epoch);
    pg_args_add_int2(&args, (int16_t)store->slot);
    for (size_t i = 0; i < 4; i++)
        pg_args_add_array(&args, &column[i]);
    pg_link_send(store->session.link, "claim", &args);
}

static void send_counted(struct ballot_store *store)
{
    const struct batch_set *set = &store->set;
    pg_array_begin(&store->columns[0], PG_INT4, set->n_lines);
    for (size_t i = 0; i < set->n_lines; i++)
        pg_array_add_int4(&store->columns[0], set->lines[i].poll);
    struct pg_args args = {0};
    pg_args_add_int2(&args, (int16_t)store->slot);
    pg_args_add_array(&args, &store->columns[0]);
    pg_link_send(store->session.link, "counted", &args);
}

/* Marks the batches that the claim did not insert as known. Its rows come by sequence. Returns how many it inserted. */
static size_t mark_known(struct ballot_store *store, size_t n, size_t claim)
{
    size_t row = 0, rows = pg_link_rows(store->session.link, claim);
    for (size_t i = 0; i < n; i++) {
        struct stream_batch *batch = store->ordered[i];
        if (row < rows && (uint64_t)pg_link_number(store->session.link, claim, row, 0) == batch->seq)
            row++;
        else
            batch->known = true;
    }
    assert(row == rows);
    return rows;
}

static void read_counted(struct ballot_store *store, size_t counted)
{
    for (size_t row = 0; row < pg_link_rows(store->session.link, counted); row++) {
        struct ledger_line *line = batch_set_line(&store->set,
                                                  (int32_t)pg_link_number(store->session.link, counted, row, 0));
        if (line != NULL)
            line->counted_before = pg_link_number(store->session.link, counted, row, 1);
    }
}

static bool is_touched(const struct ballot_store *store, const char *id)
{
    for (size_t i = 0; i < store->n_touched; i++)
        if (strcmp(store->touched_ids[i], id) == 0)
            return true;
    return false;
}

static void add_touched(struct ballot_store *store, const char *id)
{
    size_t n = store->n_touched++;
    memcpy(store->touched[n], id, strlen(id) + 1);
    store->touched_ids[n] = store->touched[n];
}

/* Known batches count, too: the worker that applied them may have died before it rang the doorbell. */
static void note_touched(struct ballot_store *store)
{
    const struct batch_set *set = &store->set;
    GROW(store->touched, store->room_touched, set->n_lines + set->n_marks);
    GROW(store->touched_ids, store->room_touched_ids, set->n_lines + set->n_marks);
    store->n_touched = 0;
    for (size_t i = 0; i < set->n_lines; i++)
        add_touched(store, set->lines[i].id);
    for (size_t i = 0; i < set->n_marks; i++)
        if (!is_touched(store, set->marks[i].poll_id))
            add_touched(store, set->marks[i].poll_id);
}

/* Begins the transaction, and leaves only new batches in the set. */
static enum status claim_batches(struct ballot_store *store, unsigned epoch, struct stream_batch *batches, size_t n,
                                 struct apply_result *result, struct errmsg *err)
{
    order_batches(store, batches, n);
    for (size_t i = 0; i < n; i++)
        if (batches[i].batch != NULL)
            marks_add_batch(&store->book, batches[i].batch, ordinal_make(epoch, batches[i].seq, 0));
    batch_set_fill(&store->set, &store->keys, &store->book, epoch, batches, n);
    note_touched(store);
    pg_link_send(store->session.link, "begin", NULL);
    send_claim(store, epoch, n);
    send_counted(store);
    enum status st = pg_session_run(&store->session, "claiming batches", err);
    if (st != ST_OK)
        return st;
    result->batches = mark_known(store, n, 1);
    if (result->batches < n)
        batch_set_fill(&store->set, &store->keys, &store->book, epoch, batches, n);
    read_counted(store, 2);
    return ST_OK;
}

/* Storing. */

static void send_upsert(struct ballot_store *store, const struct candidate *candidates, size_t n)
{
    static const enum pg_type types[] = {PG_INT4, PG_UUID, PG_INT8, PG_TIMESTAMPTZ, PG_TEXT};
    struct pg_array *column = store->columns;
    for (size_t i = 0; i < 5; i++)
        pg_array_begin(&column[i], types[i], n);
    for (size_t i = 0; i < n; i++) {
        const struct candidate *candidate = &candidates[i];
        pg_array_add_int4(&column[0], candidate->poll);
        pg_array_add_bytes(&column[1], candidate->voter, sizeof(candidate->voter));
        pg_array_add_int8(&column[2], candidate->precedence);
        pg_array_add_int8(&column[3], pg_time_from_ms(candidate->ballot->cast_at_ms));
        pg_array_add_bytes(&column[4], candidate->ballot->choices, candidate->ballot->choices_len);
    }
    struct pg_args args = {0};
    for (size_t i = 0; i < 5; i++)
        pg_args_add_array(&args, &column[i]);
    pg_link_send(store->session.link, "upsert", &args);
}

static void send_ledger(struct ballot_store *store)
{
    const struct batch_set *set = &store->set;
    struct pg_array *column = store->columns;
    pg_array_begin(&column[0], PG_INT4, set->n_lines);
    for (size_t i = 1; i < 4; i++)
        pg_array_begin(&column[i], PG_INT8, set->n_lines);
    for (size_t i = 0; i < set->n_lines; i++) {
        pg_array_add_int4(&column[0], set->lines[i].poll);
        pg_array_add_int8(&column[1], set->lines[i].received);
        pg_array_add_int8(&column[2], set->lines[i].rejected);
        pg_array_add_int8(&column[3], set->lines[i].counted_before);
    }
    struct pg_args args = {0};
    pg_args_add_int2(&args, (int16_t)store->slot);
    for (size_t i = 0; i < 4; i++)
        pg_args_add_array(&args, &column[i]);
    pg_link_send(store->session.link, "ledger", &args);
}

static void send_timeline(struct ballot_store *store)
{
    const struct batch_set *set = &store->set;
    struct pg_array *column = store->columns;
    if (set->n_moments == 0)
        return;
    pg_array_begin(&column[0], PG_INT4, set->n_moments);
    pg_array_begin(&column[1], PG_TIMESTAMPTZ, set->n_moments);
    pg_array_begin(&column[2], PG_INT8, set->n_moments);
    for (size_t i = 0; i < set->n_moments; i++) {
        pg_array_add_int4(&column[0], set->moments[i].poll);
        pg_array_add_int8(&column[1], pg_time_from_ms(set->moments[i].second * 1000));
        pg_array_add_int8(&column[2], set->moments[i].received);
    }
    struct pg_args args = {0};
    pg_args_add_int2(&args, (int16_t)store->slot);
    for (size_t i = 0; i < 3; i++)
        pg_args_add_array(&args, &column[i]);
    pg_link_send(store->session.link, "timeline", &args);
}

static void send_rejections(struct ballot_store *store)
{
    const struct batch_set *set = &store->set;
    struct pg_array *column = store->columns;
    if (set->n_rejections == 0)
        return;
    pg_array_begin(&column[0], PG_INT8, set->n_rejections);
    pg_array_begin(&column[1], PG_TEXT, set->n_rejections);
    pg_array_begin(&column[2], PG_TEXT, set->n_rejections);
    for (size_t i = 0; i < set->n_rejections; i++) {
        const struct rejection *rejection = &set->rejections[i];
        pg_array_add_int8(&column[0], rejection->ordinal);
        pg_array_add_bytes(&column[1], rejection->poll_id, strlen(rejection->poll_id));
        pg_array_add_bytes(&column[2], rejection->reason, strlen(rejection->reason));
    }
    struct pg_args args = {0};
    for (size_t i = 0; i < 3; i++)
        pg_args_add_array(&args, &column[i]);
    pg_link_send(store->session.link, "reject", &args);
}

/* Stores the marks that changed something: the book has no others. */
static void send_marks(struct ballot_store *store)
{
    static const enum pg_type types[] = {PG_INT8, PG_TEXT, PG_INT4, PG_BOOL};
    const struct batch_set *set = &store->set;
    struct pg_array *column = store->columns;
    size_t n = 0;
    for (size_t i = 0; i < set->n_marks; i++)
        n += marks_has(&store->book, set->marks[i].poll_id, set->marks[i].mark.ordinal);
    if (n == 0)
        return;
    for (size_t i = 0; i < 4; i++)
        pg_array_begin(&column[i], types[i], n);
    for (size_t i = 0; i < set->n_marks; i++) {
        const struct met_mark *met = &set->marks[i];
        if (!marks_has(&store->book, met->poll_id, met->mark.ordinal))
            continue;
        pg_array_add_int8(&column[0], met->mark.ordinal);
        pg_array_add_bytes(&column[1], met->poll_id, strlen(met->poll_id));
        pg_array_add_int4(&column[2], (int32_t)met->mark.term);
        pg_array_add_bool(&column[3], met->mark.opens);
    }
    struct pg_args args = {0};
    for (size_t i = 0; i < 4; i++)
        pg_args_add_array(&args, &column[i]);
    pg_link_send(store->session.link, "mark", &args);
}

/* Updates the polls whose marks are in this transaction to what the book says. The book may know marks that are not
 * applied yet; then the row is ahead, and later statements do not set it back. A poll may be in the arrays twice, with
 * the same values. */
static void send_fences(struct ballot_store *store)
{
    static const enum pg_type types[] = {PG_TEXT, PG_INT8, PG_INT4, PG_INT8};
    const struct batch_set *set = &store->set;
    struct pg_array *column = store->columns;
    if (set->n_marks == 0)
        return;
    for (size_t i = 0; i < 4; i++)
        pg_array_begin(&column[i], types[i], set->n_marks);
    for (size_t i = 0; i < set->n_marks; i++) {
        const char *id = set->marks[i].poll_id;
        struct marks_state state = marks_state(&store->book, id);
        pg_array_add_bytes(&column[0], id, strlen(id));
        pg_array_add_int8(&column[1], state.fence);
        pg_array_add_int4(&column[2], (int32_t)state.term);
        pg_array_add_int8(&column[3], state.newest);
    }
    struct pg_args args = {0};
    for (size_t i = 0; i < 4; i++)
        pg_args_add_array(&args, &column[i]);
    pg_link_send(store->session.link, "fence", &args);
}

/* Sends the other rows and commits. The ledger is the statement at `position` of the pipeline. */
static enum status finish_transaction(struct ballot_store *store, size_t position, struct apply_result *result,
                                      struct errmsg *err)
{
    send_ledger(store);
    send_timeline(store);
    send_rejections(store);
    send_marks(store);
    send_fences(store);
    pg_link_send(store->session.link, "commit", NULL);
    enum status st = pg_session_run(&store->session, "storing ballots", err);
    if (st == ST_OK)
        result->counted = (size_t)pg_link_number(store->session.link, position, 0, 0);
    return st;
}

static enum status apply_winners(struct ballot_store *store, struct apply_result *result, struct errmsg *err)
{
    batch_set_pick(&store->set);
    send_upsert(store, store->set.winners, store->set.n_winners);
    return finish_transaction(store, 1, result, err);
}

/* Stores n winners, in key order. Halves them until the ballots that the database refuses are alone. */
static enum status apply_winners_part(struct ballot_store *store, const struct candidate *winners, size_t n,
                                      struct errmsg *err)
{
    if (n == 0)
        return ST_OK;
    struct errmsg reason;
    pg_link_send(store->session.link, "savepoint", NULL);
    send_upsert(store, winners, n);
    pg_link_send(store->session.link, "release", NULL);
    enum status st = pg_link_sync(store->session.link, &reason);
    if (st != ST_DB_DATA) {
        if (st != ST_OK && err != NULL)
            *err = reason;
        return pg_session_end(&store->session, st, "storing ballots one by one", err);
    }
    pg_link_send(store->session.link, "undo", NULL);
    pg_link_send(store->session.link, "release", NULL);
    st = pg_session_run(&store->session, "going back to the savepoint", err);
    if (st != ST_OK)
        return st;
    if (n == 1) {
        batch_set_reject(&store->set, winners, reason.text);
        return ST_OK;
    }
    st = apply_winners_part(store, winners, n / 2, err);
    return st != ST_OK ? st : apply_winners_part(store, winners + n / 2, n - n / 2, err);
}

/* When a winner is refused, the next best ballot of its voter becomes the winner. */
static enum status apply_row_by_row(struct ballot_store *store, struct apply_result *result, struct errmsg *err)
{
    struct batch_set *set = &store->set;
    size_t refused;
    do {
        refused = set->n_rejections;
        batch_set_pick(set);
        enum status st = apply_winners_part(store, set->winners, set->n_winners, err);
        if (st != ST_OK)
            return st;
    } while (set->n_rejections > refused && set->n_candidates > 0);
    return finish_transaction(store, 0, result, err);
}

/* Stores the floor sometimes, so that nobody has to read all batches to find it. It does no harm if this fails. */
static void advance_floor(struct ballot_store *store, unsigned epoch)
{
    if (store->applies++ % FLOOR_EVERY != 0)
        return;
    struct pg_args args = {0};
    pg_args_add_int2(&args, (int16_t)epoch);
    pg_link_send(store->session.link, "epoch_floor", &args);
    enum status st = pg_session_run(&store->session, "advancing the floor", NULL);
    (void)st; /* pg_session_run closes a lost connection, and the next call opens another one */
}

static enum status apply_batches(struct ballot_store *store, unsigned epoch, struct stream_batch *batches, size_t n,
                                 bool by_rows, struct apply_result *result, struct errmsg *err)
{
    *result = (struct apply_result){0};
    enum status st = ballot_store_connect(store, err);
    if (st == ST_OK)
        st = ballot_store_resolve_polls(store, batches, n, err);
    if (st == ST_OK)
        st = claim_batches(store, epoch, batches, n, result, err);
    if (st == ST_OK)
        st = by_rows ? apply_row_by_row(store, result, err) : apply_winners(store, result, err);
    if (st != ST_OK) {
        pg_session_roll_back(&store->session);
        return st;
    }
    for (size_t i = 0; i < n; i++)
        if (!batches[i].known && batches[i].batch != NULL)
            result->ballots += batches[i].batch->n_ballots;
    result->rejected = store->set.n_rejections;
    result->superseded = result->ballots - result->rejected - result->counted;
    result->polls = store->touched_ids;
    result->n_polls = store->n_touched;
    advance_floor(store, epoch);
    return ST_OK;
}

enum status ballot_store_apply(struct ballot_store *store, unsigned epoch, struct stream_batch *batches, size_t n,
                               struct apply_result *result, struct errmsg *err)
{
    return apply_batches(store, epoch, batches, n, false, result, err);
}

enum status ballot_store_apply_rows(struct ballot_store *store, unsigned epoch, struct stream_batch *batches, size_t n,
                                    struct apply_result *result, struct errmsg *err)
{
    return apply_batches(store, epoch, batches, n, true, result, err);
}
