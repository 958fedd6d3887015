/* poll_edit - fields first, then the state, then what of it is too late.
 * SPDX-License-Identifier: MIT */
#include "polls/poll_edit.h"

#include "base/clock.h"
#include "polls/poll_form.h"
#include <string.h>

struct edit {
    const struct poll *old;
    const json_t *body;
    int64_t now_ms;
    enum poll_state state; /* of old */
    struct poll *poll;     /* the copy that is edited */
    enum problem *problem;
    struct json_error *err;
};

static bool has(const struct edit *edit, const char *field)
{
    return json_object_get(edit->body, field) != NULL;
}

static bool refuse(const struct edit *edit, enum problem problem, const char *field, const char *sentence)
{
    *edit->problem = problem;
    return poll_form_refuse(edit->err, field, sentence);
}

/* --- what is fixed from the opening on */

/* The first field that differs and may no longer, or NULL. */
static const char *find_fixed(const struct poll *old, const struct poll *poll)
{
    if (!poll_options_equal(old, poll))
        return "options";
    if (old->method != poll->method)
        return "method";
    if (old->min_choices != poll->min_choices)
        return "min_choices";
    if (old->max_choices != poll->max_choices)
        return "max_choices";
    if (old->revisable != poll->revisable)
        return "revisable";
    if (old->reopenable != poll->reopenable)
        return "reopenable";
    if (old->voter_policy != poll->voter_policy)
        return "voter_policy";
    if (old->opens_at_ms != poll->opens_at_ms)
        return "opens_at";
    return NULL;
}

static bool check_fixed(const struct edit *edit)
{
    const char *field = find_fixed(edit->old, edit->poll);
    char pointer[JSON_POINTER_MAX], at[CLOCK_TEXT];
    const struct poll *old = edit->old;

    if (field == NULL)
        return true;
    clock_format_ms(old->opens_at_ms != 0 ? old->opens_at_ms : old->created_at_ms, at);
    json_pointer_append(pointer, "", field);
    json_error_set(
        edit->err, pointer,
        "This is fixed since the poll opened (%s), because ballots may have been cast by it; make a new poll.", at);
    *edit->problem = PROBLEM_POLL_HAS_OPENED;
    return false;
}

/* --- numbers of choices */

/* Who named no number meant the method's own: 1 with plurality, else up to all options, as many as there are now. */
static void follow_options(const struct edit *edit)
{
    const struct poll *old = edit->old;
    struct poll *poll = edit->poll;
    bool other_method = poll->method != old->method;
    bool named_all = old->method != METHOD_PLURALITY && old->max_choices == old->n_options;

    if (!has(edit, "max_choices") && (other_method || named_all))
        poll->max_choices = poll->method == METHOD_PLURALITY ? 1 : (unsigned)poll->n_options;
    if (!has(edit, "min_choices") && other_method)
        poll->min_choices = 1;
}

/* --- the state */

static bool make_draft(const struct edit *edit)
{
    if (edit->state == POLL_OPEN || edit->state == POLL_CLOSED)
        return refuse(edit, PROBLEM_POLL_HAS_OPENED, "state", "A poll that opened is no draft any more.");
    edit->poll->draft = true;
    return true;
}

static bool make_scheduled(const struct edit *edit)
{
    if (edit->state == POLL_OPEN || edit->state == POLL_CLOSED)
        return refuse(edit, PROBLEM_POLL_HAS_OPENED, "state", "A poll that opened cannot be scheduled any more.");
    if (edit->poll->opens_at_ms <= edit->now_ms)
        return refuse(edit, PROBLEM_INVALID_FIELD, "opens_at",
                      "A scheduled poll opens at a time that is still to come.");
    edit->poll->draft = false;
    return true;
}

static bool reopen(const struct edit *edit)
{
    struct poll *poll = edit->poll;

    if (!poll->reopenable)
        return refuse(edit, PROBLEM_POLL_NOT_REOPENABLE, "state",
                      "This poll was made without \"reopenable\": once closed it stays closed.");
    if (poll->term == POLL_TERM_MAX)
        return refuse(edit, PROBLEM_POLL_NOT_REOPENABLE, "state",
                      "This poll was opened again as often as a poll may be.");
    poll->term++;
    poll->opening_term = 0;
    if (!has(edit, "closes_at"))
        poll->closes_at_ms = 0;
    if (poll->opens_at_ms > edit->now_ms) /* it was closed before it ever opened */
        poll->opens_at_ms = edit->now_ms;
    return true;
}

static bool open_now(const struct edit *edit)
{
    struct poll *poll = edit->poll;

    if (has(edit, "opens_at"))
        return refuse(edit, PROBLEM_INVALID_FIELD, "opens_at",
                      "The state \"open\" opens the poll now; leave this out.");
    if (edit->state == POLL_OPEN)
        return true;
    if (edit->state == POLL_CLOSED)
        return reopen(edit);
    poll->draft = false;
    poll->opens_at_ms = edit->now_ms;
    return true;
}

static bool close_now(const struct edit *edit)
{
    if (has(edit, "closes_at"))
        return refuse(edit, PROBLEM_INVALID_FIELD, "closes_at",
                      "The state \"closed\" closes the poll now; leave this out.");
    if (edit->state == POLL_DRAFT)
        return refuse(edit, PROBLEM_POLL_NOT_OPEN, "state", "A draft takes no ballots: open it, or delete it.");
    if (edit->state != POLL_CLOSED)
        edit->poll->closes_at_ms = edit->now_ms;
    return true;
}

static bool change_state(const struct edit *edit)
{
    static const struct {
        const char *name;
        bool (*change)(const struct edit *edit);
    } states[] = {{"draft", make_draft}, {"scheduled", make_scheduled}, {"open", open_now}, {"closed", close_now}};
    const char *name = json_string_value(json_object_get(edit->body, "state"));

    for (size_t i = 0; name != NULL && i < sizeof(states) / sizeof(states[0]); i++)
        if (strcmp(name, states[i].name) == 0)
            return states[i].change(edit);
    return refuse(edit, PROBLEM_INVALID_FIELD, "state", "The states to set are draft, scheduled, open and closed.");
}

/* --- all of it */

static bool check_times(const struct edit *edit)
{
    const struct poll *old = edit->old, *poll = edit->poll;
    const char *state = json_string_value(json_object_get(edit->body, "state"));
    bool closes_now = state != NULL && strcmp(state, "closed") == 0;
    bool changed = old->closes_at_ms != poll->closes_at_ms || old->opens_at_ms != poll->opens_at_ms ||
                   old->draft != poll->draft;

    if (edit->state == POLL_CLOSED && poll->term == old->term && poll->closes_at_ms != old->closes_at_ms)
        return refuse(edit, PROBLEM_POLL_CLOSED, "closes_at",
                      "The poll closed; {\"state\":\"open\"} opens it again where it is reopenable.");
    return closes_now || !changed || poll_form_check_closing(poll, edit->now_ms, edit->err);
}

static bool apply(const struct edit *edit)
{
    bool opened = edit->state == POLL_OPEN || edit->state == POLL_CLOSED;

    if (!poll_form_read(edit->body, edit->poll, edit->err))
        return false;
    if (!opened)
        follow_options(edit);
    if (opened && !check_fixed(edit))
        return false;
    if (!poll_form_check_method(edit->body, edit->poll, edit->err))
        return false;
    if (has(edit, "state") && !change_state(edit))
        return false;
    return check_times(edit);
}

struct poll *poll_edit(const struct poll *old, const json_t *body, int64_t now_ms, enum problem *problem,
                       struct json_error *err)
{
    struct poll *poll = poll_copy(old);
    const struct edit edit = {.old = old,
                              .body = body,
                              .now_ms = now_ms,
                              .state = poll_state_at(old, now_ms),
                              .poll = poll,
                              .problem = problem,
                              .err = err};

    *problem = PROBLEM_INVALID_FIELD;
    poll->expiring = false; /* somebody cares for it */
    poll->updated_at_ms = now_ms > old->updated_at_ms ? now_ms : old->updated_at_ms + 1;
    if (apply(&edit))
        return poll;
    poll_release(poll);
    return NULL;
}
