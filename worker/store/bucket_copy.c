/* bucket_copy - notes changed values, writes them to the database, and fills a bucket that lost values.
 * SPDX-License-Identifier: MIT */
#include "store/bucket_copy.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/map.h"
#include <pthread.h>
#include <sodium.h>

#define DIGEST 16 /* bytes */

/* A key of the bucket. Entries are never freed: the watch reads every key again with each round. */
struct entry {
    struct entry *next; /* in the list of noted entries */
    bool is_noted;      /* `value` must be written */
    bool is_kept;       /* the database has the value with this digest */
    struct bytes value; /* while noted */
    uint8_t digest[DIGEST];
    char key[BUCKET_KEY_MAX + 1];
};

struct bucket_copy {
    struct bus *bus;
    const struct bucket_copy_kind *kind;
    unsigned connection; /* of the store, at the last run */
    pthread_mutex_t lock;
    struct map entries; /* by key */
    struct entry *first, **last;
    bool synced;        /* the watch has ended a round since the last run */
    size_t bucket_size; /* values that the round found */
};

/* --- entries, under the lock */

static struct entry *get_entry(struct bucket_copy *copy, const char *key)
{
    struct entry *entry = map_get_text(&copy->entries, key);

    if (entry == NULL) {
        entry = alloc_items(1, sizeof(*entry));
        strcpy(entry->key, key);
        map_put_text(&copy->entries, entry->key, entry);
    }
    return entry;
}

static void note_entry(struct bucket_copy *copy, struct entry *entry)
{
    entry->is_noted = true;
    entry->next = NULL;
    *copy->last = entry;
    copy->last = &entry->next;
}

/* --- on the watch's thread */

static void make_digest(const void *data, size_t len, uint8_t digest[DIGEST])
{
    crypto_generichash(digest, DIGEST, data, len, NULL, 0);
}

/* The watch reads the whole bucket every minute. Values that the database has are skipped: one statement for each of
 * ten thousand polls would keep ballots waiting for seconds. Only the newest value of a key is kept. */
static void on_value(void *arg, const char *key, const void *data, size_t len, uint64_t revision)
{
    struct bucket_copy *copy = arg;
    uint8_t digest[DIGEST];

    if (strlen(key) > BUCKET_KEY_MAX) {
        log_warn("bucket key is too long", LOG_S("bucket", copy->kind->name), LOG_S("key", key));
        return;
    }
    make_digest(data, len, digest);
    pthread_mutex_lock(&copy->lock);
    struct entry *entry = get_entry(copy, key);
    if (entry->is_noted || !entry->is_kept || memcmp(entry->digest, digest, DIGEST) != 0) {
        if (!entry->is_noted)
            note_entry(copy, entry);
        free(entry->value.data);
        entry->value = (struct bytes){(uint8_t *)alloc_text(data, len), len};
    }
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
    copy->last = &copy->first;
    pthread_mutex_init(&copy->lock, NULL);
    *out = copy;
    return bus_watch_bucket(bus, kind->bucket, &watch, err);
}

/* --- refilling */

struct refill {
    const struct bucket_copy *copy;
    size_t put;
    bool gave_up; /* a broker that does not answer costs seconds for each value; the next round goes on */
};

static void refill_row(void *arg, const char *key, const void *value, size_t len)
{
    struct refill *refill = arg;
    struct errmsg err;

    if (refill->gave_up)
        return;
    enum status st = bus_bucket_put(refill->copy->bus, refill->copy->kind->bucket, key, value, len, 0, &err);
    refill->put += st == ST_OK;
    refill->gave_up = st != ST_OK && st != ST_CONFLICT; /* a conflict: the bucket has the key */
    if (refill->gave_up)
        log_warn("cannot write a value back to its bucket", LOG_S("bucket", refill->copy->kind->name),
                 LOG_S("key", key), LOG_S("error", err.text));
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
        log_warn("bucket had lost values; filled it from the database", LOG_S("bucket", copy->kind->name),
                 LOG_I("values", refill.put));
    return st;
}

/* --- on the store's thread */

/* Takes the next entry to write; the caller owns its value. NULL: there is none. */
static struct entry *take_first(struct bucket_copy *copy, struct bytes *value)
{
    pthread_mutex_lock(&copy->lock);
    struct entry *entry = copy->first;
    if (entry != NULL) {
        copy->first = entry->next;
        if (copy->first == NULL)
            copy->last = &copy->first;
        entry->is_noted = entry->is_kept = false;
        *value = entry->value;
        entry->value = (struct bytes){NULL, 0};
    }
    pthread_mutex_unlock(&copy->lock);
    return entry;
}

/* Notes a value again that could not be written, unless there is a newer one. Takes ownership of the value. */
static void put_back(struct bucket_copy *copy, struct entry *entry, struct bytes *value)
{
    pthread_mutex_lock(&copy->lock);
    if (!entry->is_noted) {
        note_entry(copy, entry);
        entry->value = *value;
        value->data = NULL;
    }
    pthread_mutex_unlock(&copy->lock);
    free(value->data);
}

/* Notes that the database has this value, and frees it. */
static void mark_kept(struct bucket_copy *copy, struct entry *entry, struct bytes *value)
{
    uint8_t digest[DIGEST];

    make_digest(value->data, value->len, digest);
    pthread_mutex_lock(&copy->lock);
    memcpy(entry->digest, digest, DIGEST);
    entry->is_kept = true;
    pthread_mutex_unlock(&copy->lock);
    free(value->data);
}

/* A new connection may lead to another database, or to one that was restored: it may lack every value. */
static void forget_kept_after_reconnect(struct bucket_copy *copy, const struct ballot_store *store)
{
    unsigned connection = ballot_store_connections(store);
    size_t cursor = 0;

    pthread_mutex_lock(&copy->lock);
    for (struct entry *entry; connection != copy->connection && (entry = map_next(&copy->entries, &cursor)) != NULL;)
        entry->is_kept = false;
    copy->connection = connection;
    pthread_mutex_unlock(&copy->lock);
}

enum status bucket_copy_run(struct bucket_copy *copy, struct ballot_store *store, struct errmsg *err)
{
    struct entry *entry;
    struct bytes value;

    forget_kept_after_reconnect(copy, store);
    while ((entry = take_first(copy, &value)) != NULL) {
        enum status st = copy->kind->put(store, entry->key, value.data, value.len, err);
        if (st != ST_OK) {
            put_back(copy, entry, &value);
            return st;
        }
        mark_kept(copy, entry, &value);
    }
    pthread_mutex_lock(&copy->lock);
    bool synced = copy->synced;
    size_t bucket_size = copy->bucket_size;
    copy->synced = false;
    pthread_mutex_unlock(&copy->lock);
    return synced ? refill_bucket(copy, store, bucket_size, err) : ST_OK;
}
