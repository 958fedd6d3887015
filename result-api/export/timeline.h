/* timeline - the turnout of a poll over time, as JSON and as CSV. Pure.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_TIMELINE_H
#define SCRUTIN_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

#define TIMELINE_BUCKET_S 5 /* what the database counts in: timeline_bucket() in db/migrations */
#define TIMELINE_STEP_MAX_S 31536000
#define TIMELINE_BUCKETS 360      /* of an answer, at most, where no step was asked for: what a chart can show */
#define TIMELINE_BUCKETS_MAX 2000 /* where one was; a poll that went on for longer gets a bigger step */

struct timeline_bucket {
    int64_t at_s; /* its start, since 1970 */
    int64_t received, counted;
};

/* With a step and nothing else it is that of a poll without ballots. The database's own has gaps: its buckets are those
 * that have ballots. */
struct timeline {
    int64_t step_s;
    struct timeline_bucket *buckets; /* by time */
    size_t n_buckets, room;
    int64_t peak_s, peak_received; /* the bucket of TIMELINE_BUCKET_S that received most; 0 ballots: there is none */
    int64_t revisions;
};

/* Appends a bucket, which is later than the last one by whole steps. */
void timeline_add(struct timeline *timeline, int64_t at_s, int64_t received, int64_t counted);
/* The same turnout in bigger steps and without gaps: the smallest step from step_s on that is a whole number of the
 * source's and makes at most buckets_max buckets. */
void timeline_fold(const struct timeline *source, int64_t step_s, int64_t buckets_max, struct timeline *out);
void timeline_fini(struct timeline *timeline);

/* The caller frees the text. */
char *timeline_render_json(const struct timeline *timeline, const char *poll, size_t *len);
char *timeline_render_csv(const struct timeline *timeline, size_t *len);

#endif
