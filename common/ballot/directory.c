/* directory - polls in a map by id, and in a list by age, under one readers-writer lock.
 * SPDX-License-Identifier: MIT */
#include "ballot/directory.h"

#include "base/grow.h"
#include "base/map.h"
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

struct held {
    struct poll *poll;
    uint64_t round; /* when somebody last put this poll, changed or not */
};

struct directory {
    pthread_rwlock_t lock;
    struct map by_id;    /* struct poll; owns the references */
    struct held *by_age; /* oldest first, so that a new poll comes last */
    size_t n_polls, room;
    uint64_t round; /* of the watch through the bucket */
    _Atomic uint64_t version;
};

struct directory *directory_new(void)
{
    struct directory *directory = alloc_items(1, sizeof(*directory));
    int failed = pthread_rwlock_init(&directory->lock, NULL);
    assert(failed == 0);
    (void)failed;
    return directory;
}

void directory_free(struct directory *directory)
{
    if (directory == NULL)
        return;
    for (size_t i = 0; i < directory->n_polls; i++)
        poll_release(directory->by_age[i].poll);
    pthread_rwlock_destroy(&directory->lock);
    map_fini(&directory->by_id);
    free(directory->by_age);
    free(directory);
}

/* Less than 0 if a is older than b, 0 if they are the same poll, more than 0 if a is newer. */
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
        if (compare_age(directory->by_age[middle].poll, poll) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void insert_age(struct directory *directory, struct poll *poll)
{
    size_t at = find_age(directory, poll);
    GROW(directory->by_age, directory->room, directory->n_polls + 1);
    struct held *place = directory->by_age + at;
    memmove(place + 1, place, (directory->n_polls - at) * sizeof(*place));
    *place = (struct held){poll, directory->round};
    directory->n_polls++;
}

static void remove_age(struct directory *directory, const struct poll *poll)
{
    size_t at = find_age(directory, poll);
    struct held *place = directory->by_age + at;
    assert(at < directory->n_polls && place->poll == poll);
    directory->n_polls--;
    memmove(place, place + 1, (directory->n_polls - at) * sizeof(*place));
}

bool directory_put(struct directory *directory, struct poll *poll)
{
    struct poll *drop = poll;
    bool changed = false;

    assert(poll_id_is_valid(poll->id, strlen(poll->id)));
    pthread_rwlock_wrlock(&directory->lock);
    struct poll *held = map_get_text(&directory->by_id, poll->id);
    if (held == NULL || held->updated_at_ms < poll->updated_at_ms) {
        drop = held;
        if (held != NULL)
            remove_age(directory, held);
        map_put_text(&directory->by_id, poll->id, poll);
        insert_age(directory, poll);
        atomic_fetch_add_explicit(&directory->version, 1, memory_order_release);
        changed = true;
    } else {
        directory->by_age[find_age(directory, held)].round = directory->round;
    }
    pthread_rwlock_unlock(&directory->lock);
    poll_release(drop);
    return changed;
}

void directory_end_round(struct directory *directory)
{
    size_t kept = 0;

    pthread_rwlock_wrlock(&directory->lock);
    for (size_t i = 0; i < directory->n_polls; i++) {
        const struct held held = directory->by_age[i];
        if (!held.poll->deleted || held.round == directory->round) {
            directory->by_age[kept++] = held;
            continue;
        }
        map_remove_text(&directory->by_id, held.poll->id);
        poll_release(held.poll);
    }
    if (kept != directory->n_polls)
        atomic_fetch_add_explicit(&directory->version, 1, memory_order_release);
    directory->n_polls = kept;
    directory->round++;
    pthread_rwlock_unlock(&directory->lock);
}

struct poll *directory_find(struct directory *directory, const char *id, size_t len)
{
    struct poll *poll = NULL;

    if (len == 0 || len > POLL_ID_MAX)
        return NULL;
    pthread_rwlock_rdlock(&directory->lock);
    const struct poll *held = map_get(&directory->by_id, id, len);
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
        const struct poll *last = map_get_text(&directory->by_id, after);
        at = last != NULL ? find_age(directory, last) : 0;
    }
    while (at != 0 && n < max) {
        const struct poll *poll = directory->by_age[--at].poll;
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
        fn(arg, directory->by_age[i].poll);
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
