/* downloads - a short list under a lock.
 * SPDX-License-Identifier: MIT */
#include "export/downloads.h"

#include "base/alloc.h"
#include <pthread.h>
#include <string.h>

struct downloads {
    size_t max;
    pthread_mutex_t lock; /* guards the members below */
    struct download *first;
    size_t n;
    bool was_full; /* somebody was refused because of that */
};

struct downloads *downloads_new(size_t max)
{
    struct downloads *downloads = alloc_items(1, sizeof(*downloads));

    downloads->max = max;
    pthread_mutex_init(&downloads->lock, NULL);
    return downloads;
}

static enum downloads_answer judge_download(const struct downloads *downloads, const struct download *wanted)
{
    size_t of_address = 0;

    for (const struct download *download = downloads->first; download != NULL; download = download->next) {
        if (memcmp(&download->of, &wanted->of, sizeof(download->of)) != 0)
            continue;
        if (strcmp(download->poll, wanted->poll) == 0)
            return DOWNLOADS_POLL_HAS_ONE;
        of_address++;
    }
    if (of_address >= (downloads->max + 1) / 2)
        return DOWNLOADS_ADDRESS_HAS_HALF;
    return downloads->n >= downloads->max ? DOWNLOADS_FULL : DOWNLOADS_STARTED;
}

enum downloads_answer downloads_start(struct downloads *downloads, struct download *download,
                                      const struct address *client, const char *poll)
{
    download->of = address_of_client(client);
    memcpy(download->poll, poll, strlen(poll) + 1);
    pthread_mutex_lock(&downloads->lock);
    enum downloads_answer answer = judge_download(downloads, download);
    if (answer == DOWNLOADS_STARTED) {
        download->next = downloads->first;
        downloads->first = download;
        downloads->n++;
    }
    downloads->was_full |= answer == DOWNLOADS_FULL;
    pthread_mutex_unlock(&downloads->lock);
    return answer;
}

void downloads_finish(struct downloads *downloads, struct download *download)
{
    pthread_mutex_lock(&downloads->lock);
    struct download **at = &downloads->first;
    while (*at != download)
        at = &(*at)->next;
    *at = download->next;
    downloads->n--;
    downloads->was_full = false; /* the refused client finds room when it comes again */
    pthread_mutex_unlock(&downloads->lock);
}

bool downloads_take_refusal(struct downloads *downloads)
{
    pthread_mutex_lock(&downloads->lock);
    bool was_full = downloads->was_full;
    downloads->was_full = false;
    pthread_mutex_unlock(&downloads->lock);
    return was_full;
}
