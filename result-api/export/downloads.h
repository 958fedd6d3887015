/* downloads - which clients are downloading ballots now, and who may begin.
 * SPDX-License-Identifier: MIT
 *
 * Only a few downloads may run at once. An address may have one download of each poll, and half of all places. When all
 * places are taken, a refusal is remembered: then a download whose client is slow gives up its place.
 * Thread-safe. */
#ifndef SCRUTIN_DOWNLOADS_H
#define SCRUTIN_DOWNLOADS_H

#include "ballot/poll_definition.h"
#include "http/address.h"
#include <stddef.h>

struct downloads;

/* One download. The caller has its memory. */
struct download {
    struct download *next;
    struct address of; /* the client, with IPv6 its /64 */
    char poll[POLL_ID_MAX + 1];
};

enum downloads_answer { DOWNLOADS_STARTED, DOWNLOADS_POLL_HAS_ONE, DOWNLOADS_ADDRESS_HAS_HALF, DOWNLOADS_FULL };

/* They live as long as the process. */
struct downloads *downloads_new(size_t max);
/* Starts a download, which the caller has zeroed. The list keeps a pointer to it until downloads_finish. */
enum downloads_answer downloads_start(struct downloads *downloads, struct download *download,
                                      const struct address *client, const char *poll);
void downloads_finish(struct downloads *downloads, struct download *download);
/* Says whether somebody was refused with DOWNLOADS_FULL since the last call, and forgets it. If so, the caller must
 * give up its own download. */
bool downloads_take_refusal(struct downloads *downloads);

#endif
