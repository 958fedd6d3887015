/* places - a short list under a lock.
 * SPDX-License-Identifier: MIT */
#include "export/places.h"

#include "base/alloc.h"
#include <pthread.h>
#include <string.h>

struct places {
    size_t max;
    pthread_mutex_t lock; /* all below */
    struct place *first;
    size_t n;
    bool is_wished;
};

struct places *places_new(size_t max)
{
    struct places *places = alloc_items(1, sizeof(*places));

    places->max = max;
    pthread_mutex_init(&places->lock, NULL);
    return places;
}

static enum places_answer judge(const struct places *places, const struct place *wanted)
{
    size_t of_one = 0;

    for (const struct place *place = places->first; place != NULL; place = place->next) {
        if (memcmp(&place->of, &wanted->of, sizeof(place->of)) != 0)
            continue;
        if (strcmp(place->poll, wanted->poll) == 0)
            return PLACES_POLL_HAS_ONE;
        of_one++;
    }
    if (of_one >= (places->max + 1) / 2)
        return PLACES_ADDRESS_HAS_HALF;
    return places->n >= places->max ? PLACES_FULL : PLACES_TAKEN;
}

enum places_answer places_take(struct places *places, struct place *place, const struct address *client,
                               const char *poll)
{
    place->of = address_network(client);
    memcpy(place->poll, poll, strlen(poll) + 1);
    pthread_mutex_lock(&places->lock);
    enum places_answer answer = judge(places, place);
    if (answer == PLACES_TAKEN) {
        place->next = places->first;
        places->first = place;
        places->n++;
    }
    places->is_wished |= answer == PLACES_FULL;
    pthread_mutex_unlock(&places->lock);
    return answer;
}

void places_leave(struct places *places, struct place *place)
{
    pthread_mutex_lock(&places->lock);
    struct place **at = &places->first;
    while (*at != place)
        at = &(*at)->next;
    *at = place->next;
    places->n--;
    places->is_wished = false; /* there is room for whoever comes again */
    pthread_mutex_unlock(&places->lock);
}

bool places_grant_wish(struct places *places)
{
    pthread_mutex_lock(&places->lock);
    bool is_wished = places->is_wished;
    places->is_wished = false;
    pthread_mutex_unlock(&places->lock);
    return is_wished;
}
