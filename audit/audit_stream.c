/* audit_stream - reads in order. Finds out whether a missing message was lost on the way or in the stream.
 * SPDX-License-Identifier: MIT */
#include "audit_stream.h"

#define WAIT_MS 2000 /* for one message */
#define TRIES 5      /* for one message */

void audit_stream_close(struct audit_stream *stream)
{
    bus_reader_close(stream->reader);
    stream->reader = NULL;
}

/* Continues with message `to`, because earlier ones do not come: they were removed because of their age, or are lost.
 */
static enum status skip_to(struct audit_stream *stream, uint64_t to, struct errmsg *err)
{
    struct bus_stream_info info;
    enum status st = bus_stream_info(stream->bus, &info, err);

    if (st != ST_OK)
        return st;
    if (to > stream->last + 1)
        to = stream->last + 1;
    uint64_t from = stream->next > info.first_sequence ? stream->next : info.first_sequence;
    if (from < to)
        audit_report_add(stream->report, AUDIT_STREAM_GAP, to - from, NULL, from,
                         "the stream has no messages from here to %llu", (unsigned long long)to - 1);
    stream->next = to > info.first_sequence ? to : info.first_sequence;
    return ST_OK;
}

/* After none came: asks the stream whether it has the message. */
static enum status look_for_next(struct audit_stream *stream, struct errmsg *err)
{
    struct delivery delivery;
    enum status st = bus_fetch_message(stream->bus, stream->next, &delivery, err);

    if (st == ST_NOT_FOUND)
        return skip_to(stream, stream->next + 1, err);
    if (st == ST_OK)
        st = fail(err, ST_BUS_TIMEOUT, "the broker does not deliver message %llu, although the stream has it",
                  (unsigned long long)stream->next);
    delivery_free(&delivery);
    return st;
}

static enum status try_next(struct audit_stream *stream, struct delivery *out, struct errmsg *err)
{
    bool opened = stream->reader == NULL;
    enum status st = ST_OK;

    if (opened)
        st = bus_reader_open(stream->bus, stream->next, &stream->reader, err);
    if (st == ST_OK)
        st = bus_reader_next(stream->reader, WAIT_MS, out, err);
    if (st == ST_NOT_FOUND)
        st = look_for_next(stream, err);
    else if (st == ST_OK && opened && out->sequence > stream->next)
        st = skip_to(stream, out->sequence, err);
    if (st != ST_OK) {
        delivery_free(out);
        audit_stream_close(stream); /* the next try opens it again at the same message */
    }
    return st;
}

enum status audit_stream_next(struct audit_stream *stream, struct delivery *out, struct errmsg *err)
{
    enum status st = ST_OK;

    *out = (struct delivery){NULL};
    for (int i = 0; i < TRIES && stream->next <= stream->last; i++) {
        uint64_t wanted = stream->next;
        st = try_next(stream, out, err);
        if (st == ST_OK && out->message != NULL) {
            stream->next = out->sequence + 1;
            if (out->sequence <= stream->last)
                return ST_OK;
            delivery_free(out);
        } else if (stream->next > wanted) {
            i = -1; /* messages were skipped: all tries again for the next one */
        }
    }
    return stream->next > stream->last ? ST_NOT_FOUND : st;
}
