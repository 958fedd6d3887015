/* timeline - the turnout of a poll over time, as JSON and as CSV. Pure.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_TIMELINE_H
#define SCRUTIN_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

#define TIMELINE_BUCKET_S 5 /* the database counts in these: timeline_bucket() in db/migrations */
#define TIMELINE_STEP_MAX_S 31536000
/* The most buckets in an answer: without ?step=, as many as a chart can show, and with it. A poll that lasted longer
 * gets a longer step. */
#define TIMELINE_BUCKETS 360
#define TIMELINE_BUCKETS_MAX 2000

struct timeline_bucket {
    int64_t at_s; /* its start, in seconds since 1970 */
    int64_t received, counted;
};

/* A timeline with a step and nothing else is that of a poll without ballots. A timeline from the database has gaps: it
 * has only buckets with ballots. */
struct timeline {
    int64_t step_s;
    struct timeline_bucket *buckets; /* by time */
    size_t n_buckets, room;
    int64_t peak_s, peak_received; /* the 5 seconds that received the most ballots; 0: there are no ballots */
    int64_t revisions;
};

/* Appends a bucket. It must be later than the last one, by a multiple of the step. */
void timeline_add(struct timeline *timeline, int64_t at_s, int64_t received, int64_t counted);
/* Makes the same timeline with longer steps and without gaps. The new step is a multiple of the source's step, at least
 * step_s, and the shortest that gives at most buckets_max buckets. */
void timeline_fold(const struct timeline *source, int64_t step_s, int64_t buckets_max, struct timeline *out);
void timeline_fini(struct timeline *timeline);

/* The caller frees the text. */
char *timeline_render_json(const struct timeline *timeline, const char *poll, size_t *len);
char *timeline_render_csv(const struct timeline *timeline, size_t *len);

#endif
