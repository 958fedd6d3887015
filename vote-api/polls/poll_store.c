/* poll_store - checks what it encoded before it writes it.
 * SPDX-License-Identifier: MIT */
#include "polls/poll_store.h"

#include <stdlib.h>

enum status poll_store_put(const struct vote_api *api, const struct poll *poll, uint64_t revision, struct errmsg *err)
{
    struct bytes bytes;

    wire_encode_poll(poll, &bytes);
    enum status st = wire_check_poll(&bytes, poll, err);
    if (st == ST_OK)
        st = bus_bucket_put(api->bus, BUS_BUCKET_POLLS, poll->id, bytes.data, bytes.len, revision, err);
    free(bytes.data);
    if (st == ST_OK)
        directory_put(api->watch.polls, poll_retain(poll));
    return st;
}
