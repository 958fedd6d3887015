/* poll_copy - bucket to database, and back when the bucket was lost.
 * SPDX-License-Identifier: MIT */
#include "poll_copy.h"

#include "log.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct noted {
    struct noted *next;
    struct bytes definition;
    char id[POLL_ID_MAX + 1];
};

struct poll_copy {
    struct bus *bus;
    pthread_mutex_t lock;
    struct noted *first;
    bool synced;        /* a round is over since the last look */
    size_t bucket_size; /* values that it had */
};

static void on_value(void *arg, const char *key, const void *data, size_t len, uint64_t revision)
{
    struct poll_copy *copy = arg;
    struct noted *noted = calloc(1, sizeof(*noted));

    if (noted == NULL || (noted->definition.data = malloc(len + 1)) == NULL)
        abort();
    memcpy(noted->definition.data, data, len);
    noted->definition.len = len;
    strncpy(noted->id, key, POLL_ID_MAX);
    pthread_mutex_lock(&copy->lock);
    /* Of one poll the newest definition is enough. */
    for (struct noted **at = &copy->first; *at != NULL; at = &(*at)->next) {
        if (strcmp((*at)->id, noted->id) == 0) {
            struct noted *old = *at;
            *at = old->next;
            free(old->definition.data);
            free(old);
            break;
        }
    }
    noted->next = copy->first;
    copy->first = noted;
    pthread_mutex_unlock(&copy->lock);
}

static void on_synced(void *arg, size_t n)
{
    struct poll_copy *copy = arg;

    pthread_mutex_lock(&copy->lock);
    copy->synced = true;
    copy->bucket_size = n;
    pthread_mutex_unlock(&copy->lock);
}

enum status poll_copy_open(struct bus *bus, struct poll_copy **out, struct errmsg *err)
{
    struct poll_copy *copy = calloc(1, sizeof(*copy));

    if (copy == NULL)
        abort();
    copy->bus = bus;
    pthread_mutex_init(&copy->lock, NULL);
    *out = copy;
    const struct bus_watch watch = {on_value, on_synced, copy};
    return bus_watch_bucket(bus, BUS_BUCKET_POLLS, &watch, err);
}

static enum status put(struct ballot_store *store, const char *id, const void *definition, size_t len,
                       struct errmsg *err)
{
    struct poll *poll;
    enum status st = wire_decode_poll(definition, len, &poll, err);

    if (st != ST_OK) {
        log_warn("poll not readable", LOG_S("key", id), LOG_S("error", err->text));
        return ST_OK; /* nothing that a later try could mend */
    }
    st = ballot_store_put_poll(store, poll, definition, len, err);
    poll_release(poll);
    return st;
}

/* --- refilling */

struct refill {
    struct bus *bus;
    size_t polls, put;
};

static void count_poll(void *arg, const char *id, const void *definition, size_t len)
{
    ((struct refill *)arg)->polls++;
}

static void refill_poll(void *arg, const char *id, const void *definition, size_t len)
{
    struct refill *refill = arg;
    struct errmsg err;
    enum status st = bus_bucket_put(refill->bus, BUS_BUCKET_POLLS, id, definition, len, 0, &err);

    if (st == ST_OK)
        refill->put++;
    else if (st != ST_CONFLICT) /* it is there */
        log_warn("poll not put back", LOG_S("poll", id), LOG_S("error", err.text));
}

static enum status refill_bucket(struct poll_copy *copy, struct ballot_store *store, size_t bucket_size,
                                 struct errmsg *err)
{
    struct refill refill = {.bus = copy->bus};
    enum status st = ballot_store_each_poll(store, count_poll, &refill, err);

    if (st != ST_OK || refill.polls <= bucket_size)
        return st;
    st = ballot_store_each_poll(store, refill_poll, &refill, err);
    if (refill.put > 0)
        log_warn("bucket of polls was incomplete; filled from the database", LOG_I("polls", refill.put));
    return st;
}

/* --- on the store's thread */

static struct noted *take_first(struct poll_copy *copy)
{
    pthread_mutex_lock(&copy->lock);
    struct noted *noted = copy->first;
    if (noted != NULL)
        copy->first = noted->next;
    pthread_mutex_unlock(&copy->lock);
    return noted;
}

enum status poll_copy_run(struct poll_copy *copy, struct ballot_store *store, struct errmsg *err)
{
    enum status st = ST_OK;
    struct noted *noted;

    while (st == ST_OK && (noted = take_first(copy)) != NULL) {
        st = put(store, noted->id, noted->definition.data, noted->definition.len, err);
        if (st != ST_OK) /* noted again, unless a newer one is */
            on_value(copy, noted->id, noted->definition.data, noted->definition.len, 0);
        free(noted->definition.data);
        free(noted);
    }
    pthread_mutex_lock(&copy->lock);
    bool synced = copy->synced;
    size_t bucket_size = copy->bucket_size;
    copy->synced = false;
    pthread_mutex_unlock(&copy->lock);
    if (st == ST_OK && synced)
        st = refill_bucket(copy, store, bucket_size, err);
    return st;
}

enum status poll_copy_fetch(void *arg, struct ballot_store *store, const char *poll_id, struct errmsg *err)
{
    struct poll_copy *copy = arg;
    struct bus_value value;
    enum status st = bus_bucket_get(copy->bus, BUS_BUCKET_POLLS, poll_id, &value, err);

    if (st == ST_OK)
        st = put(store, poll_id, value.bytes.data, value.bytes.len, err);
    else if (st == ST_NOT_FOUND)
        st = ST_OK; /* sure that there is none */
    free(value.bytes.data);
    return st;
}
