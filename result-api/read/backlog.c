/* backlog - a sorted array of sequences that are not applied, and the sum of ballots for each poll.
 * SPDX-License-Identifier: MIT */
#include "read/backlog.h"

#include "ballot/ordinal.h"
#include "base/grow.h"
#include <assert.h>

struct backlog_poll {
    char id[POLL_ID_MAX + 1];
    uint64_t pending;
    size_t refs;    /* parts that point here */
    uint64_t stamp; /* of the last message that named this poll */
    size_t part;    /* index of the poll in that message */
};

/* The ballots of one poll in one message. */
struct backlog_part {
    struct backlog_poll *poll;
    uint64_t n;
};

struct backlog_entry {
    uint64_t sequence;
    bool dead;
    uint32_t n_parts;
    union {
        struct backlog_part one;
        struct backlog_part *many; /* if n_parts > 1; the entry owns them */
    } parts;
};

/* --- entries */

static struct backlog_part *parts_of(struct backlog_entry *entry)
{
    return entry->n_parts > 1 ? entry->parts.many : &entry->parts.one;
}

static void kill_entry(struct backlog *backlog, struct backlog_entry *entry, backlog_on_change on_change, void *arg)
{
    struct backlog_part *parts = parts_of(entry);

    for (uint32_t i = 0; i < entry->n_parts; i++) {
        struct backlog_poll *poll = parts[i].poll;
        poll->pending -= parts[i].n;
        if (on_change != NULL)
            on_change(arg, poll->id);
        if (--poll->refs == 0) {
            map_remove_text(&backlog->polls, poll->id);
            free(poll);
        }
    }
    if (entry->n_parts > 1)
        free(parts);
    entry->n_parts = 0;
    entry->dead = true;
    backlog->n_dead++;
}

/* Removes dead entries when they are at least half of all, so that the cost for each entry stays constant. */
static void remove_dead(struct backlog *backlog)
{
    struct backlog_entry *entries = backlog->entries;

    while (backlog->head < backlog->n && entries[backlog->head].dead) {
        backlog->head++;
        backlog->n_dead--;
    }
    if (backlog->head + backlog->n_dead <= backlog->n / 2 && backlog->head < backlog->n)
        return;
    size_t kept = 0;
    for (size_t i = backlog->head; i < backlog->n; i++)
        if (!entries[i].dead)
            entries[kept++] = entries[i];
    backlog->head = 0;
    backlog->n = kept;
    backlog->n_dead = 0;
    if (kept < backlog->room / 4 && backlog->room > 1024) {
        backlog->room /= 2;
        backlog->entries = alloc_resize(entries, backlog->room, sizeof(*entries));
    }
}

static struct backlog_entry *append_entry(struct backlog *backlog, uint64_t sequence)
{
    assert(backlog->n == backlog->head || backlog->entries[backlog->n - 1].sequence < sequence);
    GROW(backlog->entries, backlog->room, backlog->n + 1);
    struct backlog_entry *entry = &backlog->entries[backlog->n++];
    *entry = (struct backlog_entry){.sequence = sequence};
    return entry;
}

/* Index of the first entry whose sequence is at least this one. */
static size_t lower_bound(const struct backlog *backlog, uint64_t sequence)
{
    size_t low = backlog->head, high = backlog->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (backlog->entries[middle].sequence < sequence)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct backlog_entry *find_entry(struct backlog *backlog, uint64_t sequence)
{
    size_t at = lower_bound(backlog, sequence);

    if (at == backlog->n || backlog->entries[at].sequence != sequence || backlog->entries[at].dead)
        return NULL;
    return &backlog->entries[at];
}

static void forget_entries(struct backlog *backlog)
{
    for (size_t i = backlog->head; i < backlog->n; i++)
        if (!backlog->entries[i].dead)
            kill_entry(backlog, &backlog->entries[i], NULL, NULL);
    backlog->head = backlog->n = backlog->n_dead = 0;
    backlog->gaps_after = 0;
}

void backlog_fini(struct backlog *backlog)
{
    forget_entries(backlog);
    free(backlog->entries);
    free(backlog->parts);
    map_fini(&backlog->polls);
    *backlog = (struct backlog){.created_ns = 0};
}

/* --- which stream */

static void follow_stream(struct backlog *backlog, int64_t created_ns, unsigned epoch, uint64_t floor)
{
    forget_entries(backlog);
    backlog->created_ns = created_ns;
    backlog->epoch = epoch;
    backlog->read = backlog->examined = floor;
    backlog->caught_up = false;
}

bool backlog_set_epoch(struct backlog *backlog, unsigned epoch, int64_t created_ns, uint64_t floor)
{
    bool first = !backlog->anchored, restored = created_ns < backlog->told_ns;

    backlog->anchored = true;
    backlog->told_ns = created_ns;
    if (created_ns > backlog->created_ns || (first && created_ns == backlog->created_ns) || restored) {
        follow_stream(backlog, created_ns, epoch, floor);
        return true;
    }
    backlog->epoch = created_ns == backlog->created_ns ? epoch : epoch + 1;
    return false;
}

bool backlog_start(struct backlog *backlog, int64_t created_ns, uint64_t first_sequence)
{
    uint64_t floor = backlog_floor(backlog);

    if (!backlog->anchored || created_ns < backlog->created_ns)
        return false;
    if (created_ns > backlog->created_ns) /* the database will give this stream the next epoch */
        follow_stream(backlog, created_ns, backlog->epoch + 1, 0);
    else
        follow_stream(backlog, created_ns, backlog->epoch, floor);
    if (first_sequence > backlog->read + 1) /* messages that are too old are no longer in the stream */
        backlog->read = first_sequence - 1;
    return true;
}

void backlog_set_caught_up(struct backlog *backlog, bool caught_up)
{
    backlog->caught_up = caught_up;
}

/* --- from the reader of the stream */

static struct backlog_poll *find_poll(struct backlog *backlog, const char *id)
{
    struct backlog_poll *poll = map_get_text(&backlog->polls, id);

    if (poll == NULL) {
        poll = alloc_items(1, sizeof(*poll));
        memcpy(poll->id, id, strlen(id) + 1);
        map_put_text(&backlog->polls, poll->id, poll);
    }
    return poll;
}

/* Counts the ballots of the batch by poll into backlog->parts. Returns the number of parts. */
static uint32_t count_parts(struct backlog *backlog, const struct ballot_batch *batch)
{
    size_t n = 0;

    backlog->stamp++;
    for (size_t i = 0; i < batch->n_ballots; i++) {
        struct backlog_poll *poll = find_poll(backlog, batch->ballots[i].poll);
        if (poll->stamp != backlog->stamp) {
            GROW(backlog->parts, backlog->room_parts, n + 1);
            poll->stamp = backlog->stamp;
            poll->part = n;
            poll->refs++;
            backlog->parts[n++] = (struct backlog_part){poll, 0};
        }
        backlog->parts[poll->part].n++;
        poll->pending++;
    }
    return (uint32_t)n;
}

static void fill_entry(struct backlog *backlog, struct backlog_entry *entry, const struct ballot_batch *batch,
                       backlog_on_change on_change, void *arg)
{
    entry->n_parts = count_parts(backlog, batch);
    for (uint32_t i = 0; i < entry->n_parts && on_change != NULL; i++)
        on_change(arg, backlog->parts[i].poll->id);
    if (entry->n_parts > 1)
        entry->parts.many = alloc_items(entry->n_parts, sizeof(struct backlog_part));
    memcpy(parts_of(entry), backlog->parts, entry->n_parts * sizeof(struct backlog_part));
}

void backlog_read(struct backlog *backlog, uint64_t sequence, const struct ballot_batch *batch,
                  backlog_on_change on_change, void *arg)
{
    struct backlog_entry *entry;

    if (sequence <= backlog->read)
        return;
    /* Messages between the last one and this one are no longer in the stream, so no worker will ever apply them. */
    for (size_t i = lower_bound(backlog, backlog->read + 1); i < backlog->n; i++) {
        if (backlog->entries[i].sequence >= sequence)
            break;
        if (!backlog->entries[i].dead)
            kill_entry(backlog, &backlog->entries[i], on_change, arg);
    }
    backlog->read = sequence;
    entry = sequence <= backlog->examined ? find_entry(backlog, sequence) : append_entry(backlog, sequence);
    if (entry != NULL && batch != NULL && batch->n_ballots > 0)
        fill_entry(backlog, entry, batch, on_change, arg);
}

/* --- from the database */

void backlog_examine(struct backlog *backlog, uint64_t up_to, const uint64_t *applied, size_t n,
                     backlog_on_change on_change, void *arg)
{
    uint64_t next = (backlog->read > backlog->examined ? backlog->read : backlog->examined) + 1;

    for (size_t i = 0; i < n; i++) {
        struct backlog_entry *entry = find_entry(backlog, applied[i]);
        if (entry != NULL)
            kill_entry(backlog, entry, on_change, arg);
    }
    remove_dead(backlog);
    /* Each sequence from `next` on is applied, or is a gap that the reader will come to. */
    for (size_t i = 0; next <= up_to; next++) {
        while (i < n && applied[i] < next)
            i++;
        if (i < n && applied[i] == next)
            continue;
        if (backlog->limit != 0 && backlog_count(backlog) >= backlog->limit)
            up_to = next - 1;
        else
            append_entry(backlog, next);
    }
    if (up_to > backlog->examined)
        backlog->examined = up_to;
}

size_t backlog_gaps(struct backlog *backlog, uint64_t *out, size_t max)
{
    size_t start = lower_bound(backlog, backlog->gaps_after + 1), end = lower_bound(backlog, backlog->examined + 1);
    size_t n = 0;

    if (start > end)
        start = end;
    for (size_t i = start; i < end && n < max; i++)
        if (!backlog->entries[i].dead)
            out[n++] = backlog->entries[i].sequence;
    for (size_t i = backlog->head; i < start && n < max; i++)
        if (!backlog->entries[i].dead)
            out[n++] = backlog->entries[i].sequence;
    backlog->gaps_after = n > 0 ? out[n - 1] : 0;
    return n;
}

/* --- what follows from it */

int64_t backlog_pending(const struct backlog *backlog, const char *poll)
{
    const struct backlog_poll *found = map_get_text(&backlog->polls, poll);

    if (!backlog->caught_up)
        return -1;
    return found == NULL ? 0 : (int64_t)found->pending;
}

uint64_t backlog_floor(const struct backlog *backlog)
{
    for (size_t i = backlog->head; i < backlog->n; i++)
        if (!backlog->entries[i].dead)
            return backlog->entries[i].sequence - 1 < backlog->examined ? backlog->entries[i].sequence - 1
                                                                        : backlog->examined;
    return backlog->examined;
}

struct backlog_point backlog_point(const struct backlog *backlog)
{
    return (struct backlog_point){backlog->anchored, backlog->epoch, backlog_floor(backlog)};
}

bool backlog_has_passed(const struct backlog_point *point, int64_t fence)
{
    unsigned epoch = ordinal_epoch(fence);

    if (!point->known || epoch > point->epoch)
        return false;
    /* No message can come from a stream that no longer exists. */
    return epoch < point->epoch || ordinal_sequence(fence) <= point->floor;
}

size_t backlog_count(const struct backlog *backlog)
{
    return backlog->n - backlog->head - backlog->n_dead;
}
