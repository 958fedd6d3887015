/* audit - takes a snapshot, compares it with the stream, then recounts each poll.
 * SPDX-License-Identifier: MIT */
#include "audit.h"

#include "audit_compare.h"
#include "audit_stream.h"
#include "ballot/batch_read.h"
#include "ballot/ordinal.h"
#include "ballot/poll_keys.h"
#include "base/clock.h"
#include "base/grow.h"
#include <time.h>

/* Messages are compared in chunks, so memory does not grow with the stream. The last batch may exceed a limit. */
#define CHUNK_MESSAGES 500
#define CHUNK_BALLOTS 8000
#define CHUNK_BYTES (8 << 20)
#define SETTLE_LOOK_MS 200

struct audit {
    const struct audit_options *options;
    struct audit_report *report;
    struct audit_stream stream;
    struct poll_keys indexes; /* poll id → 1 + its place in report->polls */
    struct audit_message *messages;
    size_t n_messages, room_messages, n_ballots, n_bytes;
    struct audit_ballot *ballots;
    size_t room_ballots;
    struct marks book;        /* marks of the stream, and the database's marks from before the stream's first message */
    struct audit_mark *marks; /* of the database, by ordinal */
    size_t n_marks;
};

/* --- the ballots of a chunk and the rows of their voters */

static struct audit_poll *poll_of_key(struct audit *audit, int32_t key)
{
    struct audit_report *report = audit->report;
    size_t low = 0, high = report->n_polls;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (report->polls[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low < report->n_polls && report->polls[low].key == key ? &report->polls[low] : NULL;
}

static void on_fate(void *arg, int32_t key, enum audit_fate fate, int64_t count, int64_t standing, size_t example)
{
    static const enum audit_kind kinds[] = {
        [AUDIT_FATE_MISSING] = AUDIT_BALLOT_MISSING, [AUDIT_FATE_OLDER] = AUDIT_BALLOT_OLDER,
        [AUDIT_FATE_ALTERED] = AUDIT_BALLOT_ALTERED, [AUDIT_FATE_REJECTED_STANDS] = AUDIT_BALLOT_REJECTED,
        [AUDIT_FATE_LATE] = AUDIT_BALLOT_LATE,       [AUDIT_FATE_EARLY] = AUDIT_BALLOT_EARLY,
    };
    struct audit *audit = arg;
    struct audit_poll *poll = poll_of_key(audit, key);
    const struct audit_ballot *ballot = &audit->ballots[example];

    if (poll != NULL)
        poll->standing += standing;
    if (fate != AUDIT_FATE_STANDS && fate != AUDIT_FATE_REPLACED && fate != AUDIT_FATE_REJECTED)
        audit_report_add(audit->report, kinds[fate], (uint64_t)count, poll, ordinal_sequence(ballot->ordinal),
                         "%lld ballot%s, for example number %u of this batch", (long long)count, count == 1 ? "" : "s",
                         ordinal_index(ballot->ordinal));
}

static int compare_marks(const void *left, const void *right)
{
    const struct audit_mark *a = left, *b = right;
    return (a->mark.ordinal > b->mark.ordinal) - (a->mark.ordinal < b->mark.ordinal);
}

/* If the message is a mark, adds it to the book and checks that the database has it. Workers store only marks that
 * change something, so another mark may be missing there. */
static void check_mark(struct audit *audit, const struct audit_message *message)
{
    const struct ballot_batch *batch = &message->batch;
    struct audit_mark wanted;
    const char *id = marks_read_batch(batch, ordinal_make(audit->report->now.epoch, message->seq, 0), &wanted.mark);

    if (id == NULL)
        return;
    marks_add_batch(&audit->book, batch, wanted.mark.ordinal);
    struct audit_mark *mark = audit->n_marks == 0 ? NULL
                                                  : bsearch(&wanted, audit->marks, audit->n_marks,
                                                            sizeof(*audit->marks), compare_marks);
    if (mark != NULL)
        mark->seen = true;
    bool equal = mark != NULL && strcmp(mark->poll, id) == 0 && mark->mark.term == wanted.mark.term &&
                 mark->mark.opens == wanted.mark.opens;
    if (!message->applied || equal || (audit->report->poll != NULL && strcmp(audit->report->poll, id) != 0))
        return;
    if (mark != NULL || marks_state(&audit->book, id).newest == wanted.mark.ordinal)
        audit_report_add(audit->report, AUDIT_MARK, 1, NULL, message->seq, "%s of poll %s: the database has %s",
                         wanted.mark.opens ? "gate" : "fence", id,
                         mark == NULL ? "no mark here" : "a different mark here");
}

/* Lists the ballots in applied messages, and counts them for their polls. */
static size_t list_ballots(struct audit *audit)
{
    const char *only = audit->report->poll;
    size_t n = 0;

    GROW(audit->ballots, audit->room_ballots, audit->n_ballots);
    for (size_t i = 0; i < audit->n_messages; i++) {
        const struct audit_message *message = &audit->messages[i];
        check_mark(audit, message);
        for (size_t k = 0; k < message->batch.n_ballots && message->applied; k++) {
            const struct ballot *ballot = &message->batch.ballots[k];
            if (only != NULL && strcmp(ballot->poll, only) != 0)
                continue;
            const struct poll_key *index = poll_keys_find(&audit->indexes, ballot->poll);
            struct audit_poll *poll = index == NULL ? NULL : &audit->report->polls[index->key - 1];
            audit->ballots[n] = (struct audit_ballot){
                .poll = poll == NULL ? POLL_KEY_MISSING : poll->key,
                .revisable = ballot_is_revisable(ballot, poll != NULL && poll->revisable),
                .ordinal = ordinal_make(audit->report->now.epoch, message->seq, (unsigned)k),
                .ballot = ballot,
            };
            audit->ballots[n].is_open = marks_is_open(&audit->book, ballot->poll, audit->ballots[n].ordinal,
                                                      ballot->term);
            n++;
            if (poll != NULL)
                poll->streamed++;
        }
    }
    return n;
}

static void forget_chunk(struct audit *audit)
{
    for (size_t i = 0; i < audit->n_messages; i++)
        ballot_batch_free(&audit->messages[i].batch);
    audit->n_messages = audit->n_ballots = audit->n_bytes = 0;
}

static enum status compare_chunk(struct audit *audit, struct errmsg *err)
{
    const struct audit_applied *rows;
    size_t n_rows;

    if (audit->n_messages == 0)
        return ST_OK;
    enum status st = audit_db_applied(audit->options->db, audit->report->now.epoch, audit->messages[0].seq,
                                      audit->messages[audit->n_messages - 1].seq, &rows, &n_rows, err);
    if (st == ST_OK) {
        audit_compare_batches(audit->report, audit->messages, audit->n_messages, rows, n_rows);
        size_t n = list_ballots(audit);
        if (n > 0)
            st = audit_db_ballots(audit->options->db, audit->ballots, n, on_fate, audit, err);
    }
    forget_chunk(audit);
    return st;
}

/* --- the stream */

static void add_message(struct audit *audit, const struct delivery *delivery)
{
    GROW(audit->messages, audit->room_messages, audit->n_messages + 1);
    struct audit_message *message = &audit->messages[audit->n_messages++];
    *message = (struct audit_message){.seq = delivery->sequence};
    message->readable = batch_read(delivery->data, delivery->len, delivery_is_mark(delivery), &message->batch, NULL) ==
                        ST_OK;
    audit->n_ballots += message->batch.n_ballots;
    audit->n_bytes += delivery->len;
}

static enum status read_stream(struct audit *audit, struct errmsg *err)
{
    struct delivery delivery;
    enum status st;

    while ((st = audit_stream_next(&audit->stream, &delivery, err)) == ST_OK) {
        if (audit->report->messages == 0 && audit->n_messages == 0)
            audit->report->stream_first = delivery.sequence;
        add_message(audit, &delivery);
        delivery_free(&delivery);
        if (audit->n_messages >= CHUNK_MESSAGES || audit->n_ballots >= CHUNK_BALLOTS || audit->n_bytes >= CHUNK_BYTES)
            st = compare_chunk(audit, err);
        if (st != ST_OK)
            return st;
    }
    return st == ST_NOT_FOUND ? compare_chunk(audit, err) : st;
}

/* --- before and after */

/* Every two seconds workers store messages that the broker forgot to deliver. So they may be about to close a gap in
 * the acknowledged messages. */
static enum status await_settled(const struct audit_options *options, int64_t created_ns, uint64_t acknowledged,
                                 struct errmsg *err)
{
    int64_t until = clock_mono_ms() + options->settle_ms;
    const struct timespec pause = {0, SETTLE_LOOK_MS * 1000000};
    uint64_t floor;

    for (;;) {
        enum status st = audit_db_floor(options->db, created_ns, &floor, err);
        if (st != ST_OK || floor >= acknowledged || clock_mono_ms() >= until)
            return st;
        nanosleep(&pause, NULL);
    }
}

/* Takes the snapshot, and reads the state of the stream before and after it. The snapshot must have what was
 * acknowledged before, and can have nothing that the stream does not have afterwards. */
static enum status take_snapshot(struct audit *audit, struct errmsg *err)
{
    const struct audit_options *options = audit->options;
    struct audit_report *report = audit->report;
    struct bus_stream_info before, after;
    struct bus_consumer_info consumer;

    enum status st = bus_stream_info(options->bus, &before, err);
    if (st != ST_OK)
        return st;
    st = bus_consumer_info(options->bus, &consumer, err);
    report->has_consumer = st != ST_NOT_FOUND;
    if (st == ST_OK)
        st = await_settled(options, before.created_ns, consumer.ack_floor, err);
    if (st == ST_OK || st == ST_NOT_FOUND)
        st = audit_db_begin(options->db, before.created_ns, report, err);
    if (st == ST_OK)
        st = bus_stream_info(options->bus, &after, err);
    if (st != ST_OK)
        return st;
    if (after.created_ns != before.created_ns)
        return fail(err, ST_CONFLICT, "the stream was deleted and created again just now: run the audit again");
    report->line = consumer.ack_floor > report->now.floor ? consumer.ack_floor : report->now.floor;
    report->stream_first = after.first_sequence > 0 ? after.first_sequence : 1;
    report->stream_last = after.last_sequence;
    audit->stream = (struct audit_stream){
        .bus = options->bus, .report = report, .next = report->stream_first, .last = report->stream_last};
    if (report->now.last > report->stream_last)
        audit_report_add(report, AUDIT_NOT_IN_STREAM, report->now.last - report->stream_last, NULL, report->now.last,
                         "the stream ends at sequence %llu", (unsigned long long)report->stream_last);
    return ST_OK;
}

static enum status list_polls(struct audit *audit, struct errmsg *err)
{
    struct audit_report *report = audit->report;
    enum status st = audit_db_polls(audit->options->db, report, err);

    if (st != ST_OK)
        return st;
    for (size_t i = 0; i < report->n_polls && report->poll != NULL; i++)
        if (strcmp(report->polls[i].id, report->poll) == 0) {
            report->polls[0] = report->polls[i];
            report->n_polls = 1;
        }
    if (report->poll != NULL && (report->n_polls != 1 || strcmp(report->polls[0].id, report->poll) != 0))
        return fail(err, ST_NOT_FOUND, "the database has no poll %.40s", report->poll);
    for (size_t i = 0; i < report->n_polls; i++)
        if (report->polls[i].id[0] != '\0')
            poll_keys_put(&audit->indexes, report->polls[i].id, (int32_t)i + 1, report->polls[i].revisable);
    return ST_OK;
}

/* Reads the marks of the database. Those from before the stream's first message go into the book; the others are
 * compared with the stream later. */
static enum status list_marks(struct audit *audit, struct errmsg *err)
{
    int64_t lowest = ordinal_make(audit->report->now.epoch, audit->report->stream_first, 0);
    enum status st = audit_db_marks(audit->options->db, &audit->marks, &audit->n_marks, err);

    for (size_t i = 0; i < audit->n_marks && audit->marks[i].mark.ordinal < lowest; i++) {
        marks_add(&audit->book, audit->marks[i].poll, &audit->marks[i].mark);
        audit->marks[i].seen = true;
    }
    return st;
}

/* After the stream was read. If no mark is pending, the database must know the state of each poll. */
static void check_marks(struct audit *audit)
{
    struct audit_report *report = audit->report;

    for (size_t i = 0; i < audit->n_marks; i++)
        if (!audit->marks[i].seen && (report->poll == NULL || strcmp(report->poll, audit->marks[i].poll) == 0))
            audit_report_add(report, AUDIT_MARK, 1, NULL, ordinal_sequence(audit->marks[i].mark.ordinal),
                             "%s of poll %s: the stream does not have it",
                             audit->marks[i].mark.opens ? "gate" : "fence", audit->marks[i].poll);
    if (report->pending_marks > 0 || report->counts[AUDIT_MISSING] > 0)
        return;
    for (size_t i = 0; i < report->n_polls; i++) {
        struct audit_poll *poll = &report->polls[i];
        struct marks_state state = marks_state(&audit->book, poll->id);
        if (poll->fence != state.fence || poll->term != state.term)
            audit_report_add(report, AUDIT_MARK, 1, poll, ordinal_sequence(state.fence),
                             "term %u, %s by the stream; term %u, %s in the database", state.term,
                             state.fence == 0 ? "open" : "closed", poll->term, poll->fence == 0 ? "open" : "closed");
    }
}

static enum status check_books(struct audit *audit, struct errmsg *err)
{
    struct audit_report *report = audit->report;
    struct audit_db *db = audit->options->db;
    int64_t lowest = ordinal_make(report->now.epoch, report->stream_first, 0), unknown;
    enum status st = ST_OK;

    report->is_whole = report->stream_first == 1 && report->counts[AUDIT_STREAM_GAP] == 0;
    for (size_t i = 0; i < report->n_older; i++)
        report->is_whole = report->is_whole && report->older[i].ballots == 0;
    for (size_t i = 0; i < report->n_polls && st == ST_OK; i++) {
        st = audit_db_books(db, report, &report->polls[i], lowest, err);
        if (st == ST_OK)
            audit_compare_books(report, &report->polls[i]);
    }
    if (st != ST_OK || report->poll != NULL)
        return st;
    st = audit_db_unknown(db, &unknown, err);
    if (st == ST_OK)
        audit_compare_total(report, unknown);
    return st;
}

enum status audit_run(const struct audit_options *options, struct audit_report *report, struct errmsg *err)
{
    struct audit audit = {.options = options, .report = report};

    report->poll = options->poll;
    poll_keys_init(&audit.indexes);
    enum status st = take_snapshot(&audit, err);
    if (st == ST_OK)
        st = list_polls(&audit, err);
    if (st == ST_OK)
        st = audit_db_gaps(options->db, report, err);
    if (st == ST_OK)
        st = audit_db_twice(options->db, report, err);
    if (st == ST_OK)
        st = list_marks(&audit, err);
    if (st == ST_OK)
        st = read_stream(&audit, err);
    if (st == ST_OK) {
        check_marks(&audit);
        st = check_books(&audit, err);
    }
    if (st == ST_OK && options->receipts != NULL)
        st = audit_check_receipts(options, report, err);
    if (st == ST_OK)
        st = audit_db_end(options->db, err);
    forget_chunk(&audit);
    audit_stream_close(&audit.stream);
    poll_keys_fini(&audit.indexes);
    marks_fini(&audit.book);
    free(audit.marks);
    free(audit.messages);
    free(audit.ballots);
    return st;
}
