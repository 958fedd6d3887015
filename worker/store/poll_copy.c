/* poll_copy - writes a poll's definition to the database.
 * SPDX-License-Identifier: MIT */
#include "store/poll_copy.h"

#include "base/log.h"
#include "store/code_store.h"
#include <stdlib.h>

static enum status put_definition(struct ballot_store *store, const char *id, const void *definition, size_t len,
                                  struct errmsg *err)
{
    struct poll *poll;
    enum status st = wire_decode_poll(definition, len, &poll, err);

    if (st != ST_OK) {
        log_warn("cannot read a poll's definition", LOG_S("key", id), LOG_S("error", err->text));
        return ST_OK; /* a later try would fail, too */
    }
    st = ballot_store_put_poll(store, poll, definition, len, err);
    if (st == ST_OK && poll->deleted && poll->voting_codes > 0)
        st = code_store_drop(store, poll->id, err);
    poll_release(poll);
    return st;
}

const struct bucket_copy_kind poll_copy_kind = {BUS_BUCKET_POLLS, "polls", put_definition, ballot_store_count_polls,
                                                ballot_store_each_poll};

enum status poll_copy_fetch(void *bus, struct ballot_store *store, const char *poll_id, struct errmsg *err)
{
    struct bus_value value;
    enum status st = bus_bucket_get(bus, BUS_BUCKET_POLLS, poll_id, &value, err);

    if (st == ST_OK)
        st = put_definition(store, poll_id, value.bytes.data, value.bytes.len, err);
    else if (st == ST_NOT_FOUND)
        st = ST_OK; /* the poll does not exist */
    free(value.bytes.data);
    return st;
}
