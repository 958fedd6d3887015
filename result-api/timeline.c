/* timeline - buckets in a row, written.
 * SPDX-License-Identifier: MIT */
#include "timeline.h"

#include "alloc.h"
#include "clock.h"
#include "csv.h"
#include <jansson.h>

#define RATE_DIGITS 6 /* of the peak's ballots a second */

static void append(struct timeline *timeline, struct timeline_bucket bucket)
{
    if (timeline->n_buckets == timeline->room) {
        timeline->room = timeline->room == 0 ? 64 : timeline->room * 2;
        timeline->buckets = alloc_resize(timeline->buckets, timeline->room, sizeof(*timeline->buckets));
    }
    timeline->buckets[timeline->n_buckets++] = bucket;
}

void timeline_add(struct timeline *timeline, int64_t at_s, int64_t received, int64_t counted)
{
    if (timeline->n_buckets > 0)
        for (int64_t gap = timeline->buckets[timeline->n_buckets - 1].at_s + timeline->step_s; gap < at_s;
             gap += timeline->step_s)
            append(timeline, (struct timeline_bucket){.at_s = gap});
    append(timeline, (struct timeline_bucket){at_s, received, counted});
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
    FILE *to = open_memstream(&text, len);

    if (to == NULL)
        abort();
    fputs("at,received,counted" CSV_END, to);
    for (size_t i = 0; i < timeline->n_buckets; i++) {
        const struct timeline_bucket *bucket = &timeline->buckets[i];
        clock_format_ms(bucket->at_s * 1000, at);
        fprintf(to, "%s,%lld,%lld" CSV_END, at, (long long)bucket->received, (long long)bucket->counted);
    }
    if (fclose(to) != 0)
        abort();
    return text;
}
