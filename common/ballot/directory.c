/* directory - polls in a hash table by id, and in a list by age, under one readers' lock.
 * SPDX-License-Identifier: MIT */
#include "ballot/directory.h"

#include "base/alloc.h"
#include <assert.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>

struct slot {
    struct poll *poll; /* NULL: it is free */
    uint64_t round;    /* when the poll was put there last, also the same again */
};

struct directory {
    pthread_rwlock_t lock;
    uint8_t seed[crypto_shorthash_KEYBYTES]; /* strangers choose ids: they must not choose their slots as well */
    struct slot *slots;   /* open addressing, linear probing; where polls are removed, it is filled anew */
    size_t n_slots;       /* a power of two */
    struct poll **by_age; /* oldest first, so that a new poll is appended; borrows the references of slots */
    uint64_t round;       /* of the watch through the bucket */
    size_t n_polls;
    _Atomic uint64_t version;
};

struct directory *directory_new(void)
{
    struct directory *directory = alloc_items(1, sizeof(*directory));
    int failed = pthread_rwlock_init(&directory->lock, NULL);
    assert(failed == 0);
    (void)failed;
    randombytes_buf(directory->seed, sizeof(directory->seed));
    directory->n_slots = 64;
    directory->slots = alloc_items(directory->n_slots, sizeof(struct slot));
    directory->by_age = alloc_items(directory->n_slots, sizeof(struct poll *));
    return directory;
}

void directory_free(struct directory *directory)
{
    if (directory == NULL)
        return;
    for (size_t i = 0; i < directory->n_polls; i++)
        poll_release(directory->by_age[i]);
    pthread_rwlock_destroy(&directory->lock);
    free(directory->slots);
    free(directory->by_age);
    free(directory);
}

/* The slot that holds the poll with this id, or the free one where it belongs. */
static struct slot *find_slot(const struct directory *directory, const char *id, size_t len)
{
    uint8_t hash[crypto_shorthash_BYTES];
    uint64_t start;

    crypto_shorthash(hash, (const uint8_t *)id, len, directory->seed);
    memcpy(&start, hash, sizeof(start));
    for (size_t i = (size_t)start & (directory->n_slots - 1);; i = (i + 1) & (directory->n_slots - 1)) {
        const struct poll *poll = directory->slots[i].poll;
        if (poll == NULL || (strlen(poll->id) == len && memcmp(poll->id, id, len) == 0))
            return &directory->slots[i];
    }
}

/* Less than, equal to or more than 0 where a is older than, the same as or newer than b. */
static int compare_age(const struct poll *a, const struct poll *b)
{
    if (a->created_at_ms != b->created_at_ms)
        return a->created_at_ms < b->created_at_ms ? -1 : 1;
    return strcmp(a->id, b->id);
}

/* How many polls are older than this one. */
static size_t find_age(const struct directory *directory, const struct poll *poll)
{
    size_t low = 0, high = directory->n_polls;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_age(directory->by_age[middle], poll) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Fills a new table of slots with what the old one has. */
static void refill_slots(struct directory *directory, size_t n_slots)
{
    struct slot *old = directory->slots;
    size_t n_old = directory->n_slots;

    directory->n_slots = n_slots;
    directory->slots = alloc_items(n_slots, sizeof(struct slot));
    for (size_t i = 0; i < n_old; i++)
        if (old[i].poll != NULL)
            *find_slot(directory, old[i].poll->id, strlen(old[i].poll->id)) = old[i];
    free(old);
}

static void grow(struct directory *directory)
{
    refill_slots(directory, 2 * directory->n_slots);
    directory->by_age = alloc_resize(directory->by_age, directory->n_slots, sizeof(struct poll *));
}

static void insert_age(struct directory *directory, struct poll *poll)
{
    size_t at = find_age(directory, poll);
    struct poll **place = directory->by_age + at;
    memmove(place + 1, place, (directory->n_polls - at) * sizeof(*place));
    *place = poll;
    directory->n_polls++;
}

static void remove_age(struct directory *directory, const struct poll *poll)
{
    size_t at = find_age(directory, poll);
    struct poll **place = directory->by_age + at;
    assert(at < directory->n_polls && *place == poll);
    directory->n_polls--;
    memmove(place, place + 1, (directory->n_polls - at) * sizeof(*place));
}

bool directory_put(struct directory *directory, struct poll *poll)
{
    struct poll *drop = poll;
    bool changed = false;

    assert(poll_id_is_valid(poll->id, strlen(poll->id)));
    pthread_rwlock_wrlock(&directory->lock);
    if ((directory->n_polls + 1) * 4 > directory->n_slots * 3)
        grow(directory);
    struct slot *slot = find_slot(directory, poll->id, strlen(poll->id));
    slot->round = directory->round;
    if (slot->poll == NULL || slot->poll->updated_at_ms < poll->updated_at_ms) {
        drop = slot->poll;
        if (drop != NULL)
            remove_age(directory, drop);
        slot->poll = poll;
        insert_age(directory, poll);
        atomic_fetch_add_explicit(&directory->version, 1, memory_order_release);
        changed = true;
    }
    pthread_rwlock_unlock(&directory->lock);
    poll_release(drop);
    return changed;
}

void directory_end_round(struct directory *directory)
{
    size_t n_before;

    pthread_rwlock_wrlock(&directory->lock);
    n_before = directory->n_polls;
    for (size_t i = 0; i < directory->n_slots; i++) {
        struct slot *slot = &directory->slots[i];
        if (slot->poll == NULL || !slot->poll->deleted || slot->round == directory->round)
            continue;
        remove_age(directory, slot->poll);
        poll_release(slot->poll);
        slot->poll = NULL;
    }
    if (directory->n_polls != n_before) { /* the others may stand behind slots that are free now */
        refill_slots(directory, directory->n_slots);
        atomic_fetch_add_explicit(&directory->version, 1, memory_order_release);
    }
    directory->round++;
    pthread_rwlock_unlock(&directory->lock);
}

struct poll *directory_find(struct directory *directory, const char *id, size_t len)
{
    struct poll *poll = NULL;

    if (len == 0 || len > POLL_ID_MAX)
        return NULL;
    pthread_rwlock_rdlock(&directory->lock);
    struct poll *held = find_slot(directory, id, len)->poll;
    if (held != NULL)
        poll = poll_retain(held);
    pthread_rwlock_unlock(&directory->lock);
    return poll;
}

size_t directory_list(struct directory *directory, const char *after, struct poll **out, size_t max)
{
    size_t n = 0;

    pthread_rwlock_rdlock(&directory->lock);
    size_t at = directory->n_polls;
    if (*after != '\0') {
        size_t len = strlen(after);
        const struct poll *last = len <= POLL_ID_MAX ? find_slot(directory, after, len)->poll : NULL;
        at = last != NULL ? find_age(directory, last) : 0;
    }
    while (at != 0 && n < max) {
        const struct poll *poll = directory->by_age[--at];
        if (!poll->deleted && !poll->draft)
            out[n++] = poll_retain(poll);
    }
    pthread_rwlock_unlock(&directory->lock);
    return n;
}

void directory_each(struct directory *directory, void (*fn)(void *arg, const struct poll *poll), void *arg)
{
    pthread_rwlock_rdlock(&directory->lock);
    for (size_t i = 0; i < directory->n_polls; i++)
        fn(arg, directory->by_age[i]);
    pthread_rwlock_unlock(&directory->lock);
}

size_t directory_count(struct directory *directory)
{
    pthread_rwlock_rdlock(&directory->lock);
    size_t n = directory->n_polls;
    pthread_rwlock_unlock(&directory->lock);
    return n;
}

uint64_t directory_version(const struct directory *directory)
{
    return atomic_load_explicit(&directory->version, memory_order_acquire);
}
