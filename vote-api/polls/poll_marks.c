/* poll_marks - a mark is a batch without ballots.
 * SPDX-License-Identifier: MIT */
#include "polls/poll_marks.h"

#include "ballot/keys.h"
#include "base/log.h"
#include <stdlib.h>
#include <string.h>

static enum status publish_mark(struct bus *bus, const struct ballot_batch *mark, const char *message, const char *poll,
                                struct errmsg *err)
{
    struct bytes bytes;
    uint64_t sequence;

    wire_encode_batch(mark, &bytes);
    enum status st = wire_check_batch(&bytes, mark, err);
    if (st == ST_OK)
        st = bus_publish_acked(bus, BUS_SUBJECT_FENCE, NULL, bytes.data, bytes.len, &sequence, err);
    free(bytes.data);
    if (st == ST_OK)
        log_info(message, LOG_S("poll", poll), LOG_I("term", mark->term), LOG_I("sequence", sequence));
    return st;
}

enum status poll_marks_publish_fence(struct bus *bus, const char *poll, unsigned term, struct errmsg *err)
{
    struct ballot_batch mark = {.term = term};

    voter_id_random(mark.id);
    memcpy(mark.fence_poll, poll, strlen(poll) + 1);
    return publish_mark(bus, &mark, "poll fenced", poll, err);
}

enum status poll_marks_publish_gate(struct bus *bus, const char *poll, unsigned term, struct errmsg *err)
{
    struct ballot_batch mark = {.term = term};

    voter_id_random(mark.id);
    memcpy(mark.gate_poll, poll, strlen(poll) + 1);
    return publish_mark(bus, &mark, "poll opened again", poll, err);
}
