/* downloads - who has a file of ballots on its way, and who may begin one.
 * SPDX-License-Identifier: MIT
 *
 * There are few downloads. An address has one for each poll and half of all at most, so that one client does not have
 * all of them. When they are all taken, who is refused leaves a wish, and a file whose client is slow gives its
 * download up for it. Thread-safe. */
#ifndef SCRUTIN_DOWNLOADS_H
#define SCRUTIN_DOWNLOADS_H

#include "ballot/poll_definition.h"
#include "http/address.h"
#include <stddef.h>

struct downloads;

/* One that was taken; the first member of whoever takes it. */
struct download {
    struct download *next;
    struct address of; /* the client's network */
    char poll[POLL_ID_MAX + 1];
};

enum downloads_answer { DOWNLOADS_STARTED, DOWNLOADS_POLL_HAS_ONE, DOWNLOADS_ADDRESS_HAS_HALF, DOWNLOADS_FULL };

/* The process's: they are never freed. */
struct downloads *downloads_new(size_t max);
/* Takes a download, which the caller has zeroed. The download is lent until downloads_finish. */
enum downloads_answer downloads_start(struct downloads *downloads, struct download *download,
                                      const struct address *client, const char *poll);
void downloads_finish(struct downloads *downloads, struct download *download);
/* Whether somebody was refused since the last time because all downloads were taken; the asker gives up its own then.
 */
bool downloads_take_refusal(struct downloads *downloads);

#endif
