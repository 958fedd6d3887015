/* poll_definition - lifetime, state and names of a poll.
 * SPDX-License-Identifier: MIT */
#include "ballot/poll_definition.h"

#include "base/alloc.h"
#include <assert.h>

static const char *const method_names[] = {"plurality", "approval", "ranked", "score"};
static const char *const visibility_names[] = {"always", "after_vote", "after_close"};
static const char *const voter_policy_names[] = {"open", "code"};
static const char *const state_names[] = {"draft", "scheduled", "open", "closed"};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct poll *poll_new(void)
{
    struct poll *poll = alloc_items(1, sizeof(*poll));
    atomic_init(&poll->refs, 1);
    return poll;
}

struct poll *poll_retain(const struct poll *poll)
{
    /* The count is the only field that changes after the poll was made. */
    struct poll *p = (struct poll *)(uintptr_t)poll;
    unsigned before = atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    assert(before != 0);
    (void)before;
    return p;
}

void poll_release(const struct poll *poll)
{
    if (poll == NULL)
        return;
    struct poll *p = (struct poll *)(uintptr_t)poll;
    unsigned before = atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel);
    assert(before != 0);
    if (before != 1)
        return;
    for (size_t i = 0; i < p->n_options; i++)
        free(p->options[i].label);
    free(p->options);
    free(p->title);
    free(p->description);
    free(p);
}

struct poll *poll_copy(const struct poll *poll)
{
    struct poll *copy = poll_new();

    memcpy(copy->id, poll->id, sizeof(copy->id));
    copy->title = alloc_copy(poll->title);
    copy->description = alloc_copy(poll->description);
    copy->method = poll->method;
    copy->min_choices = poll->min_choices;
    copy->max_choices = poll->max_choices;
    copy->revisable = poll->revisable;
    copy->reopenable = poll->reopenable;
    copy->draft = poll->draft;
    copy->term = poll->term;
    copy->opening_term = poll->opening_term;
    copy->deleted = poll->deleted;
    copy->has_manager = poll->has_manager;
    copy->made_with_key = poll->made_with_key;
    copy->expiring = poll->expiring;
    copy->opens_at_ms = poll->opens_at_ms;
    copy->closes_at_ms = poll->closes_at_ms;
    copy->visibility = poll->visibility;
    copy->voter_policy = poll->voter_policy;
    copy->voting_codes = poll->voting_codes;
    memcpy(copy->key_id, poll->key_id, sizeof(copy->key_id));
    memcpy(copy->manage_hash, poll->manage_hash, sizeof(copy->manage_hash));
    copy->created_at_ms = poll->created_at_ms;
    copy->updated_at_ms = poll->updated_at_ms;
    copy->n_options = poll->n_options;
    copy->options = alloc_items(poll->n_options, sizeof(*copy->options));
    for (size_t i = 0; i < poll->n_options; i++) {
        memcpy(copy->options[i].id, poll->options[i].id, sizeof(copy->options[i].id));
        copy->options[i].label = alloc_copy(poll->options[i].label);
    }
    return copy;
}

/* NULL is an empty text: a message cannot tell them apart. */
static bool text_equal(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

bool poll_options_equal(const struct poll *a, const struct poll *b)
{
    if (a->n_options != b->n_options)
        return false;
    for (size_t i = 0; i < a->n_options; i++)
        if (strcmp(a->options[i].id, b->options[i].id) != 0 || !text_equal(a->options[i].label, b->options[i].label))
            return false;
    return true;
}

bool poll_equal(const struct poll *a, const struct poll *b)
{
    return strcmp(a->id, b->id) == 0 && text_equal(a->title, b->title) && text_equal(a->description, b->description) &&
           poll_options_equal(a, b) && a->method == b->method && a->min_choices == b->min_choices &&
           a->max_choices == b->max_choices && a->revisable == b->revisable && a->reopenable == b->reopenable &&
           a->draft == b->draft && a->deleted == b->deleted && a->term == b->term &&
           a->opening_term == b->opening_term && a->opens_at_ms == b->opens_at_ms &&
           a->closes_at_ms == b->closes_at_ms && a->visibility == b->visibility && a->voter_policy == b->voter_policy &&
           a->voting_codes == b->voting_codes && a->made_with_key == b->made_with_key && a->expiring == b->expiring &&
           strcmp(a->key_id, b->key_id) == 0 && a->has_manager == b->has_manager &&
           (!a->has_manager || memcmp(a->manage_hash, b->manage_hash, POLL_MANAGE_HASH) == 0) &&
           a->created_at_ms == b->created_at_ms && a->updated_at_ms == b->updated_at_ms;
}

enum poll_state poll_state_at(const struct poll *poll, int64_t now_ms)
{
    if (poll->draft && !poll->deleted)
        return POLL_DRAFT;
    /* Look for closed before scheduled: a poll may close before it has opened. */
    if (poll->deleted || (poll->closes_at_ms != 0 && now_ms >= poll->closes_at_ms))
        return POLL_CLOSED;
    if (now_ms < poll->opens_at_ms)
        return POLL_SCHEDULED;
    return POLL_OPEN;
}

const struct poll_option *poll_find_option(const struct poll *poll, const char *id, size_t len)
{
    for (size_t i = 0; i < poll->n_options; i++) {
        const struct poll_option *option = &poll->options[i];
        if (strlen(option->id) == len && memcmp(option->id, id, len) == 0)
            return option;
    }
    return NULL;
}

bool poll_id_is_valid(const char *id, size_t len)
{
    if (len == 0 || len > POLL_ID_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!((id[i] >= 'a' && id[i] <= 'z') || (id[i] >= '0' && id[i] <= '9') || id[i] == '-'))
            return false;
    return true;
}

static int find_name(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return -1;
}

const char *poll_method_name(enum poll_method method)
{
    assert((size_t)method < COUNT_OF(method_names));
    return method_names[method];
}

const char *poll_state_name(enum poll_state state)
{
    assert((size_t)state < COUNT_OF(state_names));
    return state_names[state];
}

const char *poll_visibility_name(enum poll_visibility visibility)
{
    assert((size_t)visibility < COUNT_OF(visibility_names));
    return visibility_names[visibility];
}

const char *poll_voter_policy_name(enum poll_voter_policy policy)
{
    assert((size_t)policy < COUNT_OF(voter_policy_names));
    return voter_policy_names[policy];
}

int poll_method_from_name(const char *name)
{
    return find_name(method_names, COUNT_OF(method_names), name);
}

int poll_visibility_from_name(const char *name)
{
    return find_name(visibility_names, COUNT_OF(visibility_names), name);
}

int poll_voter_policy_from_name(const char *name)
{
    return find_name(voter_policy_names, COUNT_OF(voter_policy_names), name);
}
