/* ballot_store - connection, epochs of the stream, marks, the directory of polls. ballot_apply.c stores ballots.
 * SPDX-License-Identifier: MIT */
#include "store/ballot_store_internal.h"

#include "ballot/ordinal.h"
#include "base/alloc.h"
#include "store/ballot_store_sql.h"
#include "store/poll_unused.h"

/* Connection. */

/* The server answers before the link gives up: then the reason is known. */
#define ANSWER_MS 30000
#define CONNECT_S 5

/* A worker that stops in the middle of a transaction (SIGSTOP, a lost machine) loses its session before others have
 * waited long for its locks. synchronous_commit is only ever raised. */
static const char *const session_settings[] = {
    "SET idle_in_transaction_session_timeout = '5s'",
    "SET statement_timeout = '25s'",
    "SET tcp_keepalives_idle = 30",
    "SET tcp_keepalives_interval = 10",
    "SET tcp_keepalives_count = 3",
    "SET jit = off",
    "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') IN ('off', 'local')",
};

static const struct pg_statement statements[] = {
#define STATEMENT_ROW(name, sql) {#name, sql},
    BALLOT_STORE_STATEMENTS(STATEMENT_ROW)
#undef STATEMENT_ROW
};

enum status ballot_store_connect(struct ballot_store *store, struct errmsg *err)
{
    unsigned connections = store->session.connections;
    enum status st = pg_session_open(&store->session, err);
    if (st != ST_OK || store->session.connections == connections)
        return st;
    poll_keys_fini(&store->keys);
    st = tally_slot_take(&store->session, &store->slot, err);
    if (st != ST_OK)
        pg_session_close(&store->session);
    return st;
}

enum status ballot_store_open(struct ballot_store **out, const char *conninfo, const char *name, struct errmsg *err)
{
    *out = NULL;
    struct ballot_store *store = alloc_items(1, sizeof(*store));
    store->conninfo = alloc_copy(conninfo);
    store->name = alloc_copy(name);
    store->session_options = (struct pg_session_options){
        .link = {.conninfo = store->conninfo, .name = store->name, .connect_s = CONNECT_S, .answer_ms = ANSWER_MS},
        .settings = session_settings,
        .n_settings = sizeof(session_settings) / sizeof(session_settings[0]),
        .statements = statements,
        .n_statements = sizeof(statements) / sizeof(statements[0])};
    store->session.options = &store->session_options;
    enum status st = ballot_store_connect(store, err);
    if (st == ST_OK) {
        *out = store;
        store = NULL;
    }
    ballot_store_close(store);
    return st;
}

void ballot_store_close(struct ballot_store *store)
{
    if (store == NULL)
        return;
    pg_session_close(&store->session);
    poll_keys_fini(&store->keys);
    batch_set_fini(&store->set);
    marks_fini(&store->book);
    for (size_t i = 0; i < BALLOT_STORE_COLUMNS_MAX; i++)
        pg_array_fini(&store->columns[i]);
    free(store->ordered);
    free(store->touched);
    free(store->touched_ids);
    free(store->conninfo);
    free(store->name);
    free(store);
}

unsigned ballot_store_connections(const struct ballot_store *store)
{
    return store->session.connections;
}

int ballot_store_slot(const struct ballot_store *store)
{
    return store->session.link == NULL ? 0 : store->slot;
}

enum status ballot_store_ping(struct ballot_store *store, struct errmsg *err)
{
    enum status st = ballot_store_connect(store, err);
    if (st != ST_OK)
        return st;
    pg_link_send(store->session.link, "ping", NULL);
    return pg_session_run(&store->session, "checking the database", err);
}

/* Epochs. */

enum status ballot_store_register_epoch(struct ballot_store *store, int64_t created_ns, unsigned *epoch,
                                        struct errmsg *err)
{
    enum status st = ballot_store_connect(store, err);
    if (st != ST_OK)
        return st;
    struct pg_args lock = {0}, created = {0};
    pg_args_add_int4(&lock, TALLY_SLOT_LOCK_CLASS);
    pg_args_add_int8(&created, created_ns);
    pg_link_send(store->session.link, "begin", NULL);
    pg_link_send(store->session.link, "epoch_lock", &lock);
    pg_link_send(store->session.link, "epoch_add", &created);
    pg_link_send(store->session.link, "epoch_newest", NULL);
    pg_link_send(store->session.link, "commit", NULL);
    st = pg_session_run(&store->session, "registering the stream", err);
    if (st != ST_OK) {
        pg_session_roll_back(&store->session);
        return st;
    }
    int64_t newest_ns = pg_link_rows(store->session.link, 3) == 0 ? 0 : pg_link_number(store->session.link, 3, 0, 1);
    if (newest_ns != created_ns)
        return fail(
            err, ST_EPOCH,
            "this stream was created at %lld ns since 1970, but the database knows a newer stream, created at "
            "%lld. Ballots of this stream would lose against its ballots. Connect to the newer stream, or delete "
            "this one and create it again",
            (long long)created_ns, (long long)newest_ns);
    *epoch = (unsigned)pg_link_number(store->session.link, 3, 0, 0);
    return ST_OK;
}

enum status ballot_store_find_missing(struct ballot_store *store, unsigned epoch, uint64_t last, uint64_t *out,
                                      size_t max, size_t *n, struct errmsg *err)
{
    *n = 0;
    enum status st = ballot_store_connect(store, err);
    if (st != ST_OK)
        return st;
    struct pg_args args = {0};
    pg_args_add_int2(&args, (int16_t)epoch);
    pg_args_add_int8(&args, (int64_t)last);
    pg_args_add_int8(&args, (int64_t)max);
    pg_link_send(store->session.link, "epoch_missing", &args);
    st = pg_session_run(&store->session, "looking for missing batches", err);
    if (st != ST_OK)
        return st;
    *n = pg_link_rows(store->session.link, 0);
    for (size_t i = 0; i < *n; i++)
        out[i] = (uint64_t)pg_link_number(store->session.link, 0, i, 0);
    return ST_OK;
}

/* Marks. */

enum status ballot_store_find_floor(struct ballot_store *store, unsigned epoch, uint64_t *floor, struct errmsg *err)
{
    enum status st = ballot_store_connect(store, err);
    if (st != ST_OK)
        return st;
    struct pg_args args = {0};
    pg_args_add_int2(&args, (int16_t)epoch);
    pg_link_send(store->session.link, "floor", &args);
    st = pg_session_run(&store->session, "reading the floor of the epoch", err);
    if (st == ST_OK)
        *floor = (uint64_t)pg_link_number(store->session.link, 0, 0, 0);
    return st;
}

enum status ballot_store_read_marks(struct ballot_store *store, unsigned epoch, uint64_t *complete, struct errmsg *err)
{
    /* Read the floor first: then the table has every mark up to the floor, even if other workers write meanwhile. */
    enum status st = ballot_store_find_floor(store, epoch, complete, err);
    if (st != ST_OK)
        return st;
    pg_link_send(store->session.link, "marks_each", NULL);
    st = pg_session_run(&store->session, "reading the marks", err);
    if (st != ST_OK)
        return st;
    marks_fini(&store->book);
    for (size_t row = 0; row < pg_link_rows(store->session.link, 0); row++) {
        const struct mark mark = {.ordinal = pg_link_number(store->session.link, 0, row, 1),
                                  .term = (unsigned)pg_link_number(store->session.link, 0, row, 2),
                                  .opens = pg_link_number(store->session.link, 0, row, 3) != 0};
        marks_add(&store->book, pg_link_bytes(store->session.link, 0, row, 0, NULL), &mark);
    }
    return ST_OK;
}

void ballot_store_add_mark(struct ballot_store *store, unsigned epoch, uint64_t sequence,
                           const struct ballot_batch *batch)
{
    marks_add_batch(&store->book, batch, ordinal_make(epoch, sequence, 0));
}

/* Polls. */

static void add_time(struct pg_args *args, int64_t unix_ms)
{
    if (unix_ms == 0)
        pg_args_add_null(args);
    else
        pg_args_add_int8(args, pg_time_from_ms(unix_ms));
}

/* Stores the result of the statement poll_find in the keys. */
static void keep_key(struct ballot_store *store, const char *id, size_t statement)
{
    if (pg_link_rows(store->session.link, statement) == 0)
        poll_keys_put(&store->keys, id, POLL_KEY_MISSING, false);
    else
        poll_keys_put(&store->keys, id, (int32_t)pg_link_number(store->session.link, statement, 0, 0),
                      pg_link_number(store->session.link, statement, 0, 1) != 0);
}

enum status ballot_store_put_poll(struct ballot_store *store, const struct poll *poll, const void *definition,
                                  size_t len, struct errmsg *err)
{
    enum status st = ballot_store_connect(store, err);
    if (st != ST_OK)
        return st;
    struct pg_args args = {0}, id = {0};
    pg_args_add_text(&args, poll->id);
    pg_args_add_bytes(&args, definition, len);
    pg_args_add_text(&args, poll->title == NULL ? "" : poll->title);
    pg_args_add_text(&args, poll_method_name(poll->method));
    pg_args_add_bool(&args, poll->revisable);
    add_time(&args, poll->opens_at_ms);
    add_time(&args, poll->closes_at_ms);
    pg_args_add_bool(&args, poll->deleted);
    pg_args_add_int8(&args, pg_time_from_ms(poll->updated_at_ms));
    int64_t unused_since = poll_unused_since(poll);
    if (unused_since == POLL_UNUSED_KEPT)
        pg_args_add_null(&args);
    else
        pg_args_add_int8(&args, pg_time_from_ms(unused_since));
    const struct marks_state marks = marks_state(&store->book, poll->id);
    pg_args_add_int8(&args, marks.fence);
    pg_args_add_int4(&args, (int32_t)marks.term);
    pg_args_add_int8(&args, marks.newest);
    pg_args_add_text(&id, poll->id);
    pg_link_send(store->session.link, "poll_put", &args);
    pg_link_send(store->session.link, "poll_find", &id);
    st = pg_session_run(&store->session, "storing a poll", err);
    if (st == ST_OK)
        keep_key(store, poll->id, 1);
    return st;
}

enum status ballot_store_count_polls(struct ballot_store *store, size_t *n, struct errmsg *err)
{
    *n = 0;
    enum status st = ballot_store_connect(store, err);
    if (st != ST_OK)
        return st;
    pg_link_send(store->session.link, "poll_count", NULL);
    st = pg_session_run(&store->session, "counting the polls", err);
    if (st == ST_OK)
        *n = (size_t)pg_link_number(store->session.link, 0, 0, 0);
    return st;
}

enum status ballot_store_each_poll(struct ballot_store *store,
                                   void (*on_poll)(void *arg, const char *id, const void *definition, size_t len),
                                   void *arg, struct errmsg *err)
{
    enum status st = ballot_store_connect(store, err);
    if (st != ST_OK)
        return st;
    pg_link_send(store->session.link, "poll_each", NULL);
    st = pg_session_run(&store->session, "reading the polls", err);
    if (st != ST_OK)
        return st;
    for (size_t row = 0; row < pg_link_rows(store->session.link, 0); row++) {
        size_t len;
        const char *definition = pg_link_bytes(store->session.link, 0, row, 1, &len);
        on_poll(arg, pg_link_bytes(store->session.link, 0, row, 0, NULL), definition, len);
    }
    return ST_OK;
}

void ballot_store_on_unknown_poll(struct ballot_store *store,
                                  enum status (*on_unknown)(void *arg, struct ballot_store *store, const char *poll_id,
                                                            struct errmsg *err),
                                  void *arg)
{
    store->on_unknown = on_unknown;
    store->on_unknown_arg = arg;
}

/* Looks the poll up in the database, then with on_unknown. */
static enum status resolve_poll(struct ballot_store *store, const char *id, struct errmsg *err)
{
    if (poll_keys_find(&store->keys, id) != NULL)
        return ST_OK;
    struct pg_args args = {0};
    pg_args_add_text(&args, id);
    pg_link_send(store->session.link, "poll_find", &args);
    enum status st = pg_session_run(&store->session, "looking up a poll", err);
    if (st != ST_OK)
        return st;
    keep_key(store, id, 0);
    if (store->on_unknown == NULL || poll_keys_find(&store->keys, id)->key != POLL_KEY_MISSING)
        return ST_OK;
    const struct pg_link *link = store->session.link;
    st = store->on_unknown(store->on_unknown_arg, store, id, err);
    if (st == ST_OK && store->session.link != link) /* the keys of the other polls are lost with it */
        st = fail(err, ST_DB_DOWN, "the connection was lost while a poll was looked up");
    return st;
}

enum status ballot_store_resolve_polls(struct ballot_store *store, const struct stream_batch *batches, size_t n,
                                       struct errmsg *err)
{
    poll_keys_drop_missing(&store->keys);
    for (size_t i = 0; i < n; i++) {
        const struct ballot_batch *batch = batches[i].batch;
        if (batch == NULL)
            continue;
        const char *last = batch->gate_poll[0] != '\0' ? batch->gate_poll : batch->fence_poll;
        enum status st = last[0] == '\0' ? ST_OK : resolve_poll(store, last, err);
        for (size_t k = 0; k < batch->n_ballots && st == ST_OK; k++)
            if (strcmp(batch->ballots[k].poll, last) != 0)
                st = resolve_poll(store, last = batch->ballots[k].poll, err);
        if (st != ST_OK)
            return st;
    }
    return ST_OK;
}
