/* code_store - writes one row for each value of the bucket.
 * SPDX-License-Identifier: MIT */
#include "store/code_store.h"

#include "ballot/wire.h"
#include "base/log.h"
#include "store/ballot_store_internal.h"
#include <stdlib.h>

const struct bucket_copy_kind code_store_kind = {BUS_BUCKET_CODES, "codes", code_store_put, code_store_count,
                                                 code_store_each};

static enum status run_statement(struct ballot_store *store, const char *statement, const struct pg_args *args,
                                 const char *doing, struct errmsg *err)
{
    enum status st = ballot_store_connect(store, err);

    if (st != ST_OK)
        return st;
    pg_link_send(store->session.link, statement, args);
    return pg_session_run(&store->session, doing, err);
}

enum status code_store_put(struct ballot_store *store, const char *key, const void *value, size_t len,
                           struct errmsg *err)
{
    struct pg_args has = {0}, put = {0};
    struct code_chunk chunk;
    enum status st = wire_decode_codes(value, len, &chunk, err);

    if (st != ST_OK) {
        log_warn("cannot read voting codes", LOG_S("key", key), LOG_S("error", err->text));
        return ST_OK; /* a later try would fail, too */
    }
    free(chunk.memory);
    pg_args_add_text(&has, key);
    st = run_statement(store, "codes_has", &has, "looking for voting codes", err);
    if (st != ST_OK || pg_link_rows(store->session.link, 0) > 0)
        return st;
    pg_args_add_text(&put, key);
    pg_args_add_text(&put, chunk.poll);
    pg_args_add_bytes(&put, value, len);
    return run_statement(store, "codes_put", &put, "storing voting codes", err);
}

enum status code_store_drop(struct ballot_store *store, const char *poll, struct errmsg *err)
{
    struct pg_args args = {0};

    pg_args_add_text(&args, poll);
    return run_statement(store, "codes_drop", &args, "removing voting codes", err);
}

enum status code_store_count(struct ballot_store *store, size_t *n, struct errmsg *err)
{
    enum status st = run_statement(store, "codes_count", NULL, "counting voting codes", err);

    *n = st == ST_OK ? (size_t)pg_link_number(store->session.link, 0, 0, 0) : 0;
    return st;
}

enum status code_store_each(struct ballot_store *store, bucket_copy_row on_row, void *arg, struct errmsg *err)
{
    enum status st = run_statement(store, "codes_each", NULL, "reading voting codes", err);

    for (size_t row = 0; st == ST_OK && row < pg_link_rows(store->session.link, 0); row++) {
        size_t len;
        const char *value = pg_link_bytes(store->session.link, 0, row, 1, &len);
        on_row(arg, pg_link_bytes(store->session.link, 0, row, 0, NULL), value, len);
    }
    return st;
}
