/* bucket_copy - bucket to database, and back when the bucket was lost.
 * SPDX-License-Identifier: MIT */
#include "bucket_copy.h"

#include "alloc.h"
#include "log.h"
#include <pthread.h>

struct noted {
    struct noted *next;
    struct bytes value;
    char key[BUCKET_KEY_MAX + 1];
};

struct bucket_copy {
    struct bus *bus;
    const struct bucket_copy_kind *kind;
    pthread_mutex_t lock;
    struct noted *first;
    bool synced;        /* a round is over since the last look */
    size_t bucket_size; /* values that it had */
};

static void on_value(void *arg, const char *key, const void *data, size_t len, uint64_t revision)
{
    struct bucket_copy *copy = arg;

    if (strlen(key) > BUCKET_KEY_MAX) {
        log_warn("key too long", LOG_S("bucket", copy->kind->name), LOG_S("key", key));
        return;
    }
    struct noted *noted = alloc_items(1, sizeof(*noted));
    noted->value.data = (uint8_t *)alloc_text(data, len);
    noted->value.len = len;
    strcpy(noted->key, key);
    pthread_mutex_lock(&copy->lock);
    /* Of one key the newest value is enough. */
    for (struct noted **at = &copy->first; *at != NULL; at = &(*at)->next) {
        if (strcmp((*at)->key, noted->key) == 0) {
            struct noted *old = *at;
            *at = old->next;
            free(old->value.data);
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
    struct bucket_copy *copy = arg;

    pthread_mutex_lock(&copy->lock);
    copy->synced = true;
    copy->bucket_size = n;
    pthread_mutex_unlock(&copy->lock);
}

enum status bucket_copy_open(struct bus *bus, const struct bucket_copy_kind *kind, struct bucket_copy **out,
                             struct errmsg *err)
{
    struct bucket_copy *copy = alloc_items(1, sizeof(*copy));
    const struct bus_watch watch = {on_value, on_synced, copy};

    copy->bus = bus;
    copy->kind = kind;
    pthread_mutex_init(&copy->lock, NULL);
    *out = copy;
    return bus_watch_bucket(bus, kind->bucket, &watch, err);
}

/* --- refilling */

struct refill {
    const struct bucket_copy *copy;
    size_t put;
};

static void refill_row(void *arg, const char *key, const void *value, size_t len)
{
    struct refill *refill = arg;
    struct errmsg err;
    enum status st = bus_bucket_put(refill->copy->bus, refill->copy->kind->bucket, key, value, len, 0, &err);

    if (st == ST_OK)
        refill->put++;
    else if (st != ST_CONFLICT) /* it is there */
        log_warn("not put back", LOG_S("bucket", refill->copy->kind->name), LOG_S("key", key),
                 LOG_S("error", err.text));
}

static enum status refill_bucket(const struct bucket_copy *copy, struct ballot_store *store, size_t bucket_size,
                                 struct errmsg *err)
{
    struct refill refill = {.copy = copy};
    size_t n = 0;
    enum status st = copy->kind->count(store, &n, err);

    if (st != ST_OK || n <= bucket_size)
        return st;
    st = copy->kind->each(store, refill_row, &refill, err);
    if (refill.put > 0)
        log_warn("bucket was incomplete; filled from the database", LOG_S("bucket", copy->kind->name),
                 LOG_I("values", refill.put));
    return st;
}

/* --- on the store's thread */

static struct noted *take_first(struct bucket_copy *copy)
{
    pthread_mutex_lock(&copy->lock);
    struct noted *noted = copy->first;
    if (noted != NULL)
        copy->first = noted->next;
    pthread_mutex_unlock(&copy->lock);
    return noted;
}

/* Notes again what could not be written, unless there is a newer value. */
static void note_again(struct bucket_copy *copy, struct noted *noted)
{
    bool has_newer = false;

    pthread_mutex_lock(&copy->lock);
    for (const struct noted *other = copy->first; other != NULL && !has_newer; other = other->next)
        has_newer = strcmp(other->key, noted->key) == 0;
    if (!has_newer) {
        noted->next = copy->first;
        copy->first = noted;
    }
    pthread_mutex_unlock(&copy->lock);
    if (has_newer) {
        free(noted->value.data);
        free(noted);
    }
}

enum status bucket_copy_run(struct bucket_copy *copy, struct ballot_store *store, struct errmsg *err)
{
    struct noted *noted;

    while ((noted = take_first(copy)) != NULL) {
        enum status st = copy->kind->put(store, noted->key, noted->value.data, noted->value.len, err);
        if (st != ST_OK) {
            note_again(copy, noted);
            return st;
        }
        free(noted->value.data);
        free(noted);
    }
    pthread_mutex_lock(&copy->lock);
    bool synced = copy->synced;
    size_t bucket_size = copy->bucket_size;
    copy->synced = false;
    pthread_mutex_unlock(&copy->lock);
    return synced ? refill_bucket(copy, store, bucket_size, err) : ST_OK;
}
