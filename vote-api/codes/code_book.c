/* code_book - a map of polls, and for each poll a compact table of hashes, under one lock for readers.
 * SPDX-License-Identifier: MIT */
#include "codes/code_book.h"

#include "base/alloc.h"
#include "base/map.h"
#include <pthread.h>
#include <stdatomic.h>

#define SLOTS_MIN 64

/* The codes of one poll. A slot of zeroes is free; the probability that a keyed hash is all zeroes is 2^-128. */
struct code_set {
    uint8_t (*slots)[CODE_HASH];
    size_t n_slots; /* 0 or a power of two */
    size_t n;
    char poll[POLL_ID_MAX + 1];
};

struct code_book {
    pthread_mutex_t writing; /* a writer holds it; it takes `lock` only for changes that readers could see */
    pthread_rwlock_t lock;
    struct map sets; /* struct code_set, by poll */
    atomic_size_t total;
};

/* By default readers go first, and steady readers would then keep writers waiting for seconds. */
static void init_lock(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t attributes;

    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
}

struct code_book *code_book_new(void)
{
    struct code_book *book = alloc_items(1, sizeof(*book));

    pthread_mutex_init(&book->writing, NULL);
    init_lock(&book->lock);
    return book;
}

void code_book_free(struct code_book *book)
{
    struct code_set *set;
    size_t cursor = 0;

    if (book == NULL)
        return;
    while ((set = map_next(&book->sets, &cursor)) != NULL) {
        free(set->slots);
        free(set);
    }
    map_fini(&book->sets);
    pthread_rwlock_destroy(&book->lock);
    pthread_mutex_destroy(&book->writing);
    free(book);
}

/* --- sets by poll */

static struct code_set *find_set(const struct code_book *book, const char *poll)
{
    return map_get_text(&book->sets, poll);
}

/* For the writer. */
static struct code_set *make_set(struct code_book *book, const char *poll)
{
    struct code_set *set = alloc_items(1, sizeof(*set));

    strncpy(set->poll, poll, POLL_ID_MAX);
    pthread_rwlock_wrlock(&book->lock);
    map_put_text(&book->sets, set->poll, set);
    pthread_rwlock_unlock(&book->lock);
    return set;
}

/* --- codes of a set */

/* The slot that holds the hash, or the free slot where it belongs. The hash is keyed, so nobody can choose its slot. */
static uint8_t *find_slot(uint8_t (*slots)[CODE_HASH], size_t n_slots, const uint8_t hash[CODE_HASH])
{
    static const uint8_t none[CODE_HASH];
    uint64_t start;

    memcpy(&start, hash, sizeof(start));
    for (size_t i = (size_t)start & (n_slots - 1);; i = (i + 1) & (n_slots - 1))
        if (memcmp(slots[i], hash, CODE_HASH) == 0 || memcmp(slots[i], none, CODE_HASH) == 0)
            return slots[i];
}

/* Returns whether it is new. */
static bool insert_hash(uint8_t (*slots)[CODE_HASH], size_t n_slots, const uint8_t hash[CODE_HASH])
{
    uint8_t *slot = find_slot(slots, n_slots, hash);

    if (memcmp(slot, hash, CODE_HASH) == 0)
        return false;
    memcpy(slot, hash, CODE_HASH);
    return true;
}

/* Makes room for n more hashes. For the writer. The new table is filled before readers see it. */
static void reserve_slots(struct code_book *book, struct code_set *set, size_t n)
{
    static const uint8_t none[CODE_HASH];
    size_t n_slots = set->n_slots != 0 ? set->n_slots : SLOTS_MIN;

    while ((set->n + n) * 4 > n_slots * 3)
        n_slots *= 2;
    if (n_slots == set->n_slots)
        return;
    uint8_t(*slots)[CODE_HASH] = alloc_items(n_slots, CODE_HASH);
    uint8_t(*old)[CODE_HASH] = set->slots;
    for (size_t i = 0; i < set->n_slots; i++)
        if (memcmp(old[i], none, CODE_HASH) != 0)
            insert_hash(slots, n_slots, old[i]);
    pthread_rwlock_wrlock(&book->lock);
    set->slots = slots;
    set->n_slots = n_slots;
    pthread_rwlock_unlock(&book->lock);
    free(old);
}

void code_book_add(struct code_book *book, const char *poll, const uint8_t *hashes, size_t n)
{
    pthread_mutex_lock(&book->writing);
    struct code_set *set = find_set(book, poll);
    if (set == NULL)
        set = make_set(book, poll);
    for (size_t done = 0; done < n;) {
        size_t end = n - done < CODE_BOOK_SLICE ? n : done + CODE_BOOK_SLICE, before = set->n;
        reserve_slots(book, set, end - done);
        pthread_rwlock_wrlock(&book->lock);
        for (; done < end; done++)
            set->n += insert_hash(set->slots, set->n_slots, hashes + done * CODE_HASH);
        pthread_rwlock_unlock(&book->lock);
        atomic_fetch_add_explicit(&book->total, set->n - before, memory_order_relaxed);
    }
    pthread_mutex_unlock(&book->writing);
}

void code_book_drop(struct code_book *book, const char *poll)
{
    uint8_t(*old)[CODE_HASH] = NULL;

    pthread_mutex_lock(&book->writing);
    struct code_set *set = find_set(book, poll);
    if (set != NULL) {
        atomic_fetch_sub_explicit(&book->total, set->n, memory_order_relaxed);
        pthread_rwlock_wrlock(&book->lock);
        old = set->slots;
        set->slots = NULL;
        set->n_slots = set->n = 0;
        pthread_rwlock_unlock(&book->lock);
    }
    pthread_mutex_unlock(&book->writing);
    free(old);
}

/* --- looking */

bool code_book_has(struct code_book *book, const char *poll, const uint8_t hash[CODE_HASH])
{
    pthread_rwlock_rdlock(&book->lock);
    const struct code_set *set = find_set(book, poll);
    bool has = set != NULL && set->n != 0 && memcmp(find_slot(set->slots, set->n_slots, hash), hash, CODE_HASH) == 0;
    pthread_rwlock_unlock(&book->lock);
    return has;
}

size_t code_book_count(struct code_book *book, const char *poll)
{
    pthread_rwlock_rdlock(&book->lock);
    const struct code_set *set = find_set(book, poll);
    size_t n = set != NULL ? set->n : 0;
    pthread_rwlock_unlock(&book->lock);
    return n;
}

size_t code_book_total(struct code_book *book)
{
    return atomic_load_explicit(&book->total, memory_order_relaxed);
}
