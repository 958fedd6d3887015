/* timeline - folds buckets into longer ones, and writes them.
 * SPDX-License-Identifier: MIT */
#include "export/timeline.h"

#include "base/clock.h"
#include "base/grow.h"
#include "tally/csv.h"
#include <jansson.h>
#include <stdbool.h>

#define RATE_DIGITS 6 /* of the ballots a second at the peak */

/* The steps of long timelines, in seconds. The last step is longer than all times that clock_format_ms can write. */
static const int64_t ladder[] = {5,      10,     15,     30,      60,      120,      300,        600,
                                 900,    1800,   3600,   7200,    14400,   21600,    43200,      86400,
                                 172800, 432000, 864000, 2592000, 7776000, 31536000, 3153600000, 315360000000};
#define LADDER (sizeof(ladder) / sizeof(ladder[0]))

void timeline_add(struct timeline *timeline, int64_t at_s, int64_t received, int64_t counted)
{
    GROW(timeline->buckets, timeline->room, timeline->n_buckets + 1);
    timeline->buckets[timeline->n_buckets++] = (struct timeline_bucket){at_s, received, counted};
}

/* Returns the start of the bucket that the time belongs to. */
static int64_t bucket_start(int64_t at_s, int64_t step_s)
{
    return at_s - (at_s % step_s + step_s) % step_s;
}

static bool fits_buckets(const struct timeline *source, int64_t step_s, int64_t buckets_max)
{
    int64_t low = bucket_start(source->buckets[0].at_s, step_s),
            high = bucket_start(source->buckets[source->n_buckets - 1].at_s, step_s);

    return (high - low) / step_s < buckets_max;
}

static int64_t choose_step(const struct timeline *source, int64_t step_s, int64_t buckets_max)
{
    int64_t whole = (step_s + source->step_s - 1) / source->step_s * source->step_s;

    for (size_t i = 0; source->n_buckets > 0 && !fits_buckets(source, whole, buckets_max) && i < LADDER; i++)
        if (ladder[i] > step_s)
            whole = (ladder[i] + source->step_s - 1) / source->step_s * source->step_s;
    return whole;
}

void timeline_fold(const struct timeline *source, int64_t step_s, int64_t buckets_max, struct timeline *out)
{
    *out = (struct timeline){.step_s = choose_step(source, step_s, buckets_max),
                             .peak_s = source->peak_s,
                             .peak_received = source->peak_received,
                             .revisions = source->revisions};
    for (size_t i = 0; i < source->n_buckets; i++) {
        const struct timeline_bucket *from = &source->buckets[i];
        int64_t at = bucket_start(from->at_s, out->step_s);
        if (out->n_buckets == 0)
            timeline_add(out, at, 0, 0);
        while (out->buckets[out->n_buckets - 1].at_s < at)
            timeline_add(out, out->buckets[out->n_buckets - 1].at_s + out->step_s, 0, 0);
        out->buckets[out->n_buckets - 1].received += from->received;
        out->buckets[out->n_buckets - 1].counted += from->counted;
    }
}

void timeline_fini(struct timeline *timeline)
{
    free(timeline->buckets);
    *timeline = (struct timeline){.buckets = NULL};
}

static json_t *render_bucket(const struct timeline_bucket *bucket)
{
    char at[CLOCK_TEXT];

    clock_format_ms(bucket->at_s * 1000, at);
    return json_pack("{s:s, s:I, s:I}", "at", at, "received", (json_int_t)bucket->received, "counted",
                     (json_int_t)bucket->counted);
}

static json_t *render_peak(const struct timeline *timeline)
{
    char at[CLOCK_TEXT];

    if (timeline->peak_received == 0)
        return json_null();
    clock_format_ms(timeline->peak_s * 1000, at);
    return json_pack("{s:s, s:f}", "at", at, "per_second", (double)timeline->peak_received / TIMELINE_BUCKET_S);
}

char *timeline_render_json(const struct timeline *timeline, const char *poll, size_t *len)
{
    json_t *buckets = json_array();

    for (size_t i = 0; i < timeline->n_buckets; i++)
        json_array_append_new(buckets, render_bucket(&timeline->buckets[i]));
    json_t *json = json_pack("{s:s, s:I, s:o, s:o, s:I}", "poll", poll, "step_s", (json_int_t)timeline->step_s,
                             "buckets", buckets, "peak", render_peak(timeline), "revisions",
                             (json_int_t)timeline->revisions);
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(RATE_DIGITS));
    json_decref(json);
    *len = strlen(text);
    return text;
}

char *timeline_render_csv(const struct timeline *timeline, size_t *len)
{
    char *text = NULL, at[CLOCK_TEXT];
    FILE *to = alloc_stream(&text, len);

    fputs("at,received,counted" CSV_END, to);
    for (size_t i = 0; i < timeline->n_buckets; i++) {
        const struct timeline_bucket *bucket = &timeline->buckets[i];
        clock_format_ms(bucket->at_s * 1000, at);
        fprintf(to, "%s,%lld,%lld" CSV_END, at, (long long)bucket->received, (long long)bucket->counted);
    }
    alloc_stream_close(to);
    return text;
}
