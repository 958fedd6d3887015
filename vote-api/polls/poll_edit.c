/* poll_edit - applies the fields, then the state, and then checks which changes come too late.
 * SPDX-License-Identifier: MIT */
#include "polls/poll_edit.h"

#include "base/clock.h"
#include "polls/poll_form.h"
#include <string.h>

struct edit {
    const struct poll *old;
    const json_t *body;
    int64_t now_ms;
    enum poll_state state; /* of old, now */
    struct poll *poll;     /* the copy that is edited */
    enum problem *problem;
    struct json_error *err;
};

static bool has_field(const struct edit *edit, const char *field)
{
    return json_object_get(edit->body, field) != NULL;
}

static bool refuse_edit(const struct edit *edit, enum problem problem, const char *field, const char *sentence)
{
    *edit->problem = problem;
    return poll_form_refuse(edit->err, field, sentence);
}

/* --- fields that are fixed from the opening on */

/* The first fixed field that differs, or NULL. */
static const char *find_fixed_field(const struct poll *old, const struct poll *poll)
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

static bool check_fixed_fields(const struct edit *edit)
{
    const char *field = find_fixed_field(edit->old, edit->poll);
    char pointer[JSON_POINTER_MAX], at[CLOCK_TEXT];
    const struct poll *old = edit->old;

    if (field == NULL)
        return true;
    clock_format_ms(old->opens_at_ms != 0 ? old->opens_at_ms : old->created_at_ms, at);
    json_pointer_append(pointer, "", field);
    json_error_set(edit->err, pointer,
                   "This is fixed since the poll opened at %s, because voters may have relied on it. Make a new poll.",
                   at);
    *edit->problem = PROBLEM_POLL_HAS_OPENED;
    return false;
}

/* --- numbers of choices */

/* Numbers that the manager left to the default follow the method and the options: 1 with plurality, else up to all
 * options. */
static void update_default_choices(const struct edit *edit)
{
    const struct poll *old = edit->old;
    struct poll *poll = edit->poll;
    bool other_method = poll->method != old->method;
    bool allowed_all = old->method != METHOD_PLURALITY && old->max_choices == old->n_options;

    if (!has_field(edit, "max_choices") && (other_method || allowed_all))
        poll->max_choices = poll->method == METHOD_PLURALITY ? 1 : (unsigned)poll->n_options;
    if (!has_field(edit, "min_choices") && other_method)
        poll->min_choices = 1;
}

/* --- the state */

static bool make_draft(const struct edit *edit)
{
    if (edit->state == POLL_OPEN || edit->state == POLL_CLOSED)
        return refuse_edit(edit, PROBLEM_POLL_HAS_OPENED, "state", "A poll that has opened cannot become a draft.");
    edit->poll->draft = true;
    return true;
}

static bool make_scheduled(const struct edit *edit)
{
    if (edit->state == POLL_OPEN || edit->state == POLL_CLOSED)
        return refuse_edit(edit, PROBLEM_POLL_HAS_OPENED, "state", "A poll that has opened cannot be scheduled.");
    if (edit->poll->opens_at_ms <= edit->now_ms)
        return refuse_edit(edit, PROBLEM_INVALID_FIELD, "opens_at",
                           "Send a time in the future: a scheduled poll opens then.");
    edit->poll->draft = false;
    return true;
}

static bool reopen_now(const struct edit *edit)
{
    struct poll *poll = edit->poll;

    if (!poll->reopenable)
        return refuse_edit(edit, PROBLEM_POLL_NOT_REOPENABLE, "state",
                           "This poll was made without \"reopenable\", so it stays closed. Make a new poll.");
    if (poll->term == POLL_TERM_MAX)
        return refuse_edit(edit, PROBLEM_POLL_NOT_REOPENABLE, "state",
                           "This poll was opened again as often as possible. Make a new poll.");
    poll->term++;
    poll->opening_term = 0;
    if (!has_field(edit, "closes_at"))
        poll->closes_at_ms = 0;
    if (poll->opens_at_ms > edit->now_ms) /* it was closed before it opened */
        poll->opens_at_ms = edit->now_ms;
    return true;
}

static bool open_now(const struct edit *edit)
{
    struct poll *poll = edit->poll;

    if (has_field(edit, "opens_at"))
        return refuse_edit(edit, PROBLEM_INVALID_FIELD, "opens_at",
                           "Leave this out: the state \"open\" opens the poll now.");
    if (edit->state == POLL_OPEN)
        return true;
    if (edit->state == POLL_CLOSED)
        return reopen_now(edit);
    poll->draft = false;
    poll->opens_at_ms = edit->now_ms;
    return true;
}

static bool close_now(const struct edit *edit)
{
    if (has_field(edit, "closes_at"))
        return refuse_edit(edit, PROBLEM_INVALID_FIELD, "closes_at",
                           "Leave this out: the state \"closed\" closes the poll now.");
    if (edit->state == POLL_DRAFT)
        return refuse_edit(edit, PROBLEM_POLL_NOT_OPEN, "state", "A draft cannot be closed. Open it or delete it.");
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
    return refuse_edit(edit, PROBLEM_INVALID_FIELD, "state", "Send draft, scheduled, open or closed.");
}

/* --- the whole body */

static bool check_times(const struct edit *edit)
{
    const struct poll *old = edit->old, *poll = edit->poll;
    const char *state = json_string_value(json_object_get(edit->body, "state"));
    bool closes_now = state != NULL && strcmp(state, "closed") == 0;
    bool changed = old->closes_at_ms != poll->closes_at_ms || old->opens_at_ms != poll->opens_at_ms ||
                   old->draft != poll->draft;

    if (edit->state == POLL_CLOSED && poll->term == old->term && poll->closes_at_ms != old->closes_at_ms)
        return refuse_edit(edit, PROBLEM_POLL_CLOSED, "closes_at",
                           "The poll has closed. If it is reopenable, {\"state\":\"open\"} opens it again.");
    return closes_now || !changed || poll_form_check_closing(poll, edit->now_ms, edit->err);
}

static bool apply_body(const struct edit *edit)
{
    bool opened = edit->state == POLL_OPEN || edit->state == POLL_CLOSED;

    if (!poll_form_read(edit->body, edit->poll, edit->err))
        return false;
    if (!opened)
        update_default_choices(edit);
    if (opened && !check_fixed_fields(edit))
        return false;
    if (!poll_form_check_method(edit->body, edit->poll, edit->err))
        return false;
    if (has_field(edit, "state") && !change_state(edit))
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
    poll->expiring = false; /* an edited poll is in use */
    poll_edit_touch(poll, now_ms);
    if (apply_body(&edit))
        return poll;
    poll_release(poll);
    return NULL;
}
