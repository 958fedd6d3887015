/* channel - opens the channel of a poll, and closes it when nobody uses it any more.
 * SPDX-License-Identifier: MIT */
#include "live/channel.h"

#include "base/alloc.h"
#include "base/clock.h"

#define UNUSED_MS 60000 /* a page that is loaded again within this time finds the results at once */

struct channel *channel_open(struct feed *feed, const char *id)
{
    struct channel *channel = map_get_text(&feed->channels, id);

    if (channel == NULL) {
        channel = alloc_items(1, sizeof(*channel));
        memcpy(channel->id, id, strlen(id) + 1);
        h2o_linklist_init_anchor(&channel->waiters);
        h2o_linklist_init_anchor(&channel->idle);
        h2o_linklist_init_anchor(&channel->due);
        map_put_text(&feed->channels, channel->id, channel);
        refresh_queue_follow(feed->feeds->queue, id);
    }
    channel->used_ms = clock_mono_ms();
    return channel;
}

bool channel_is_unused(const struct channel *channel, int64_t now_ms)
{
    return channel->subscribers == 0 && channel->waiters.next == &channel->waiters &&
           now_ms - channel->used_ms >= UNUSED_MS;
}

void channel_close(struct feed *feed, struct channel *channel)
{
    map_remove_text(&feed->channels, channel->id);
    refresh_queue_unfollow(feed->feeds->queue, channel->id);
    if (h2o_linklist_is_linked(&channel->busy_link))
        h2o_linklist_unlink(&channel->busy_link);
    snapshot_release(channel->snapshot);
    free(channel);
}
