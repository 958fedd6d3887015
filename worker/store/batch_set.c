/* batch_set - sorts ballots into candidates and rejections, and adds up ledger lines and the timeline.
 * SPDX-License-Identifier: MIT */
#include "store/batch_set.h"

#include "ballot/ordinal.h"
#include "base/grow.h"
#include "base/utf8.h"

#include <stdlib.h>

void batch_set_fini(struct batch_set *set)
{
    free(set->candidates);
    free(set->winners);
    free(set->lines);
    free(set->moments);
    free(set->rejections);
    free(set->marks);
    *set = (struct batch_set){0};
}

/* Copies whole UTF-8 sequences only: the database refuses half of one. */
static void copy_reason(char out[REASON_MAX + 1], const char *reason)
{
    size_t len = strlen(reason), kept = 0, step;
    while (kept < len && (step = utf8_sequence_len(reason + kept, len - kept)) != 0 && kept + step <= REASON_MAX)
        kept += step;
    memcpy(out, reason, kept);
    out[kept] = '\0';
}

static void add_rejection(struct batch_set *set, int64_t ordinal, const char *poll_id, int32_t poll, const char *reason)
{
    GROW(set->rejections, set->room_rejections, set->n_rejections + 1);
    struct rejection *rejection = &set->rejections[set->n_rejections++];
    *rejection = (struct rejection){.ordinal = ordinal, .poll_id = poll_id, .poll = poll};
    copy_reason(rejection->reason, reason);
}

/* A sender with a broken clock may give a time that no table can hold. It must not keep other ballots from being
 * stored. */
static int64_t second_of(int64_t unix_ms)
{
    int64_t second = unix_ms / 1000;
    if (second < 0)
        return 0;
    return second < MOMENT_SECOND_MAX ? second : MOMENT_SECOND_MAX;
}

/* Ballots come in the order in which they were cast, so most have the same second as the one before. */
static void add_moment(struct batch_set *set, int32_t poll, int64_t second)
{
    struct moment *last = set->n_moments == 0 ? NULL : &set->moments[set->n_moments - 1];
    if (last != NULL && last->poll == poll && last->second == second) {
        last->received++;
        return;
    }
    GROW(set->moments, set->room_moments, set->n_moments + 1);
    set->moments[set->n_moments++] = (struct moment){.poll = poll, .second = second, .received = 1};
}

static int compare_moments(const void *left, const void *right)
{
    const struct moment *a = left, *b = right;
    if (a->poll != b->poll)
        return a->poll < b->poll ? -1 : 1;
    return (a->second > b->second) - (a->second < b->second);
}

static void merge_moments(struct batch_set *set)
{
    size_t kept = 0;
    if (set->n_moments < 2)
        return;
    qsort(set->moments, set->n_moments, sizeof(*set->moments), compare_moments);
    for (size_t i = 1; i < set->n_moments; i++) {
        if (compare_moments(&set->moments[kept], &set->moments[i]) == 0)
            set->moments[kept].received += set->moments[i].received;
        else
            set->moments[++kept] = set->moments[i];
    }
    set->n_moments = kept + 1;
}

static void add_ballots(struct batch_set *set, const struct poll_keys *keys, const struct marks *book, unsigned epoch,
                        uint64_t seq, const struct ballot_batch *batch)
{
    bool is_open = true;                /* whether `poll` is, in `term`, at this message */
    const struct poll_key *poll = NULL; /* of the ballot before: most batches hold one poll */
    unsigned term = 0;                  /* of the ballot before */
    GROW(set->candidates, set->room_candidates, set->n_candidates + batch->n_ballots);
    for (size_t i = 0; i < batch->n_ballots; i++) {
        const struct ballot *ballot = &batch->ballots[i];
        int64_t ordinal = ordinal_make(epoch, seq, (unsigned)i);
        if (poll == NULL || term != ballot->term || strcmp(poll->id, ballot->poll) != 0) {
            poll = poll_keys_find(keys, ballot->poll);
            term = ballot->term;
            is_open = marks_is_open(book, ballot->poll, ordinal, term);
        }
        if (poll == NULL)
            abort(); /* the caller must look up every poll: our own mistake must not reject a ballot */
        if (poll->key == POLL_KEY_MISSING) {
            add_rejection(set, ordinal, ballot->poll, POLL_KEY_MISSING, "unknown poll");
            continue;
        }
        add_moment(set, poll->key, second_of(ballot->cast_at_ms));
        if (!is_open) {
            add_rejection(set, ordinal, ballot->poll, poll->key, "after the fence");
            continue;
        }
        struct candidate *candidate = &set->candidates[set->n_candidates++];
        *candidate = (struct candidate){
            .poll = poll->key,
            .precedence = ordinal_precedence(ordinal, ballot_is_revisable(ballot, poll->revisable)),
            .ballot = ballot};
        memcpy(candidate->voter, ballot->voter, sizeof(candidate->voter));
    }
}

/* One line for each run of the sorted candidates. */
static void count_lines(struct batch_set *set)
{
    for (size_t i = 0; i < set->n_candidates; i++) {
        const struct candidate *candidate = &set->candidates[i];
        if (set->n_lines == 0 || set->lines[set->n_lines - 1].poll != candidate->poll) {
            GROW(set->lines, set->room_lines, set->n_lines + 1);
            set->lines[set->n_lines++] = (struct ledger_line){.poll = candidate->poll, .id = candidate->ballot->poll};
        }
        set->lines[set->n_lines - 1].received++;
    }
}

/* The line of this poll; adds one if there is none. */
static struct ledger_line *get_or_add_line(struct batch_set *set, int32_t poll, const char *id)
{
    size_t at = set->n_lines;
    while (at > 0 && set->lines[at - 1].poll >= poll)
        at--;
    if (at < set->n_lines && set->lines[at].poll == poll)
        return &set->lines[at];
    GROW(set->lines, set->room_lines, set->n_lines + 1);
    struct ledger_line *line = set->lines + at;
    memmove(line + 1, line, (set->n_lines - at) * sizeof(*line));
    *line = (struct ledger_line){.poll = poll, .id = id};
    set->n_lines++;
    return line;
}

/* Ballots after the fence count as received, too. */
static void count_rejections(struct batch_set *set)
{
    struct ledger_line *line = NULL; /* of the rejection before: most are of one poll */
    for (size_t i = 0; i < set->n_rejections; i++) {
        const struct rejection *rejection = &set->rejections[i];
        if (rejection->poll == POLL_KEY_MISSING)
            continue;
        if (line == NULL || line->poll != rejection->poll)
            line = get_or_add_line(set, rejection->poll, rejection->poll_id);
        line->received++;
        line->rejected++;
    }
}

static void add_mark(struct batch_set *set, const struct ballot_batch *batch, int64_t ordinal)
{
    struct met_mark met;
    met.poll_id = marks_read_batch(batch, ordinal, &met.mark);
    if (met.poll_id == NULL)
        return;
    GROW(set->marks, set->room_marks, set->n_marks + 1);
    set->marks[set->n_marks++] = met;
}

void batch_set_fill(struct batch_set *set, const struct poll_keys *keys, const struct marks *book, unsigned epoch,
                    const struct stream_batch *batches, size_t n)
{
    set->n_candidates = set->n_winners = set->n_lines = set->n_moments = set->n_rejections = set->n_marks = 0;
    for (size_t i = 0; i < n; i++) {
        const struct ballot_batch *batch = batches[i].batch;
        if (batch == NULL || batches[i].known)
            continue;
        add_ballots(set, keys, book, epoch, batches[i].seq, batch);
        add_mark(set, batch, ordinal_make(epoch, batches[i].seq, 0));
    }
    collapse_sort(set->candidates, set->n_candidates);
    count_lines(set);
    count_rejections(set);
    merge_moments(set);
}

void batch_set_pick(struct batch_set *set)
{
    GROW(set->winners, set->room_winners, set->n_candidates);
    set->n_winners = collapse_pick(set->candidates, set->n_candidates, set->winners);
    set->n_candidates -= set->n_winners;
}

static int compare_lines(const void *left, const void *right)
{
    const struct ledger_line *a = left, *b = right;
    return (a->poll > b->poll) - (a->poll < b->poll);
}

struct ledger_line *batch_set_line(struct batch_set *set, int32_t poll)
{
    struct ledger_line wanted = {.poll = poll};
    if (set->n_lines == 0)
        return NULL;
    return bsearch(&wanted, set->lines, set->n_lines, sizeof(*set->lines), compare_lines);
}

void batch_set_reject(struct batch_set *set, const struct candidate *candidate, const char *reason)
{
    int64_t ordinal = candidate->precedence < 0 ? -candidate->precedence : candidate->precedence;
    add_rejection(set, ordinal, candidate->ballot->poll, candidate->poll, reason);
    struct ledger_line *line = batch_set_line(set, candidate->poll);
    if (line == NULL)
        abort(); /* every candidate has a line */
    line->rejected++;
}
