/* snapshot - makes the bytes of JSON, event and CSV from the facts.
 * SPDX-License-Identifier: MIT */
#include "tally/snapshot.h"

#include "base/alloc.h"
#include "base/clock.h"
#include <jansson.h>
#include <stdio.h>

#define MEAN_DIGITS 5 /* of the mean of scores: 3.1416 */

const char *result_state_name(enum result_state state)
{
    static const char *const names[] = {"draft", "scheduled", "open", "counting", "final"};

    return names[state];
}

static enum result_state state_of(const struct snapshot_facts *facts, const struct snapshot *last)
{
    switch (poll_state_at(facts->poll, facts->now_us / 1000)) {
    case POLL_DRAFT:
        return RESULT_DRAFT;
    case POLL_SCHEDULED:
        return RESULT_SCHEDULED;
    case POLL_OPEN:
        return RESULT_OPEN;
    default: /* each vote-api publishes a fence: a later fence must not make a final result unfinal */
        if (last != NULL && last->state == RESULT_FINAL && last->poll->term == facts->poll->term)
            return RESULT_FINAL;
        return facts->tally->fence != 0 && facts->tally->term >= facts->poll->term && facts->fence_passed
                   ? RESULT_FINAL
                   : RESULT_COUNTING;
    }
}

/* --- JSON */

static json_t *render_time(int64_t ms)
{
    char text[CLOCK_TEXT];

    if (ms == 0)
        return json_null();
    clock_format_ms(ms, text);
    return json_string(text);
}

static json_t *render_poll(const struct poll *poll)
{
    json_t *options = json_array(), *json;

    for (size_t i = 0; i < poll->n_options; i++)
        json_array_append_new(options,
                              json_pack("{s:s, s:s}", "id", poll->options[i].id, "label", poll->options[i].label));
    json = json_pack("{s:s, s:s, s:s, s:o, s:i, s:i, s:b, s:b, s:o, s:o, s:s, s:s}", "id", poll->id, "title",
                     poll->title, "method", poll_method_name(poll->method), "options", options, "min_choices",
                     (int)poll->min_choices, "max_choices", (int)poll->max_choices, "revisable", poll->revisable,
                     "reopenable", poll->reopenable, "opens_at", render_time(poll->opens_at_ms), "closes_at",
                     render_time(poll->closes_at_ms), "results_visibility", poll_visibility_name(poll->visibility),
                     "voter_policy", poll_voter_policy_name(poll->voter_policy));
    if (poll->voter_policy == VOTERS_CODE)
        json_object_set_new(json, "voting_codes", json_integer(poll->voting_codes));
    return json;
}

static json_t *render_ledger(const struct snapshot_facts *facts)
{
    const struct tally *tally = facts->tally;

    return json_pack("{s:I, s:I, s:I, s:I, s:o}", "received", (json_int_t)tally->received, "counted",
                     (json_int_t)tally->counted, "superseded", (json_int_t)tally->superseded, "rejected",
                     (json_int_t)tally->rejected, "pending",
                     facts->pending < 0 ? json_null() : json_integer(facts->pending));
}

/* Makes the event with the present version of the snapshot. */
static void render_event(struct snapshot *snapshot, const struct snapshot_facts *facts)
{
    char updated_at[CLOCK_TEXT], id[40];

    clock_format_ms(snapshot->updated_at_ms, updated_at);
    json_t *runoff = outcome_render_runoff(&snapshot->outcome, snapshot->poll);

    /* `total` is the number of ballots that count. In a plurality poll it is also the sum of the counts. */
    json_t *json = json_pack("{s:o, s:s, s:I, s:o, s:o*, s:I, s:o, s:s}", "poll", render_poll(snapshot->poll), "state",
                             result_state_name(snapshot->state), "version", (json_int_t)snapshot->version, "results",
                             outcome_render_results(&snapshot->outcome, snapshot->poll), "runoff", runoff, "total",
                             (json_int_t)facts->tally->counted, "ledger", render_ledger(facts), "updated_at",
                             updated_at);
    char *body = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(MEAN_DIGITS));
    int id_len = snprintf(id, sizeof(id), "id: %lld\ndata: ", (long long)snapshot->version);

    json_decref(json);
    free(snapshot->event);
    snapshot->body_len = strlen(body);
    snapshot->event_len = (size_t)id_len + snapshot->body_len + 2;
    snapshot->event = alloc_bytes(snapshot->event_len);
    memcpy(snapshot->event, id, (size_t)id_len);
    memcpy(snapshot->event + id_len, body, snapshot->body_len);
    memcpy(snapshot->event + id_len + snapshot->body_len, "\n\n", 2);
    snapshot->body = snapshot->event + id_len;
    free(body);
}

struct snapshot *snapshot_make(const struct snapshot_facts *facts, const struct snapshot *last)
{
    struct snapshot *snapshot = alloc_items(1, sizeof(*snapshot));
    const struct poll *poll = facts->poll;

    atomic_init(&snapshot->refs, 1);
    snapshot->poll = poll_retain(poll);
    snapshot->state = state_of(facts, last);
    snapshot->is_public = facts->is_public;
    snapshot->pending = facts->pending;
    outcome_init(&snapshot->outcome, poll, facts->tally, facts->ranked);

    if (last != NULL) { /* with the version and time of `last`, equal content gives equal bytes */
        snapshot->version = last->version;
        snapshot->updated_at_ms = last->updated_at_ms;
        render_event(snapshot, facts);
        if (last->version > facts->above && poll->term == last->poll->term && snapshot->is_public == last->is_public &&
            snapshot->event_len == last->event_len && memcmp(snapshot->event, last->event, last->event_len) == 0) {
            snapshot_release(snapshot);
            return NULL;
        }
    }
    snapshot->version = facts->now_us;
    if (last != NULL && snapshot->version <= last->version)
        snapshot->version = last->version + 1;
    if (snapshot->version <= facts->above)
        snapshot->version = facts->above + 1;
    snapshot->updated_at_ms = facts->now_us / 1000;
    snprintf(snapshot->etag, sizeof(snapshot->etag), "\"%lld\"", (long long)snapshot->version);
    render_event(snapshot, facts);
    return snapshot;
}

struct snapshot *snapshot_retain(struct snapshot *snapshot)
{
    atomic_fetch_add_explicit(&snapshot->refs, 1, memory_order_relaxed);
    return snapshot;
}

void snapshot_release(struct snapshot *snapshot)
{
    if (snapshot == NULL || atomic_fetch_sub_explicit(&snapshot->refs, 1, memory_order_acq_rel) != 1)
        return;
    poll_release(snapshot->poll);
    outcome_fini(&snapshot->outcome);
    free(snapshot->event);
    free(snapshot);
}

/* --- CSV */

char *snapshot_render_csv(const struct snapshot *snapshot, size_t *len)
{
    char *text = NULL;
    FILE *to = alloc_stream(&text, len);

    outcome_write_csv(&snapshot->outcome, snapshot->poll, to);
    alloc_stream_close(to);
    return text;
}
