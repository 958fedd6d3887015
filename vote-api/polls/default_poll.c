/* default_poll - "A vs B?", plurality, open from the start.
 * SPDX-License-Identifier: MIT */
#include "polls/default_poll.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "polls/poll_store.h"
#include "polls/text_rules.h"
#include "settings.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Code points of a label: the title, "A vs B?", holds two of them. */
#define OPTION_MAX ((POLL_TITLE_MAX - 5) / 2)

/* An empty bucket may have been lost. Then a worker fills it from the database, and gets this time to do so first. */
#define WORKER_LEAD_S 2

/* --- settings */

static enum status check_label(const char *name, const char *label, struct errmsg *err)
{
    char fault[TEXT_FAULT_MAX];

    if (!utf8_is_valid(label, strlen(label), OPTION_MAX))
        return fail(err, ST_CONFIG, "%s must be UTF-8 with at most %d characters", name, OPTION_MAX);
    return text_check(label, TEXT_LINE, name, fault) ? ST_OK : fail(err, ST_CONFIG, "%s", fault);
}

enum status default_poll_check_settings(struct errmsg *err)
{
    if (settings.default_poll[0] != '\0' && !poll_id_is_valid(settings.default_poll, strlen(settings.default_poll)))
        return fail(err, ST_CONFIG, "DEFAULT_POLL must have 1 to %d characters: a-z, 0-9 and -", POLL_ID_MAX);
    enum status st = check_label("OPTION_A", settings.option_a, err);
    if (st == ST_OK)
        st = check_label("OPTION_B", settings.option_b, err);
    if (st != ST_OK)
        return st;
    char *a = text_fold(settings.option_a), *b = text_fold(settings.option_b);
    if (strcmp(a, b) == 0)
        st = fail(err, ST_CONFIG, "OPTION_A and OPTION_B read the same");
    free(a);
    free(b);
    return st;
}

/* --- the poll */

static struct poll *make_default_poll(const struct keyring *keyring)
{
    struct poll *poll = poll_new();

    snprintf(poll->id, sizeof(poll->id), "%s", settings.default_poll);
    snprintf(poll->key_id, sizeof(poll->key_id), "%s", keyring_newest(keyring));
    poll->title = alloc_bytes(strlen(settings.option_a) + strlen(settings.option_b) + 8);
    sprintf(poll->title, "%s vs %s?", settings.option_a, settings.option_b);
    poll->description = alloc_copy("");
    poll->revisable = true;
    poll->min_choices = poll->max_choices = 1;
    poll->created_at_ms = poll->updated_at_ms = clock_wall_ms();
    poll->n_options = 2;
    poll->options = alloc_items(2, sizeof(*poll->options));
    strcpy(poll->options[0].id, "a");
    poll->options[0].label = alloc_copy(settings.option_a);
    strcpy(poll->options[1].id, "b");
    poll->options[1].label = alloc_copy(settings.option_b);
    return poll;
}

void default_poll_ensure(const struct vote_api *api, size_t bucket_size)
{
    const struct timespec lead = {WORKER_LEAD_S, 0};
    const char *id = settings.default_poll;
    struct poll *poll = directory_find(api->watch.polls, id, strlen(id));
    struct errmsg err;

    if (poll == NULL && id[0] != '\0') {
        if (bucket_size == 0)
            nanosleep(&lead, NULL);
        poll = make_default_poll(api->keyring);
        enum status st = poll_store_put(api, poll, 0, &err);
        if (st == ST_OK)
            log_info("default poll made", LOG_S("poll", id));
        else if (st != ST_CONFLICT)
            log_warn("default poll not made", LOG_S("error", err.text));
    }
    poll_release(poll);
}
