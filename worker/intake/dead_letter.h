/* dead_letter - moves messages that can never be applied to the stream DEAD_LETTERS.
 * SPDX-License-Identifier: MIT */
#ifndef WORKER_DEAD_LETTER_H
#define WORKER_DEAD_LETTER_H

#include "bus/bus.h"

/* Publishes the delivery with headers that give reason, sequence, subject and size, and waits for the broker's
 * acknowledgement: only after ST_OK may the delivery be ended. The broker drops a second copy of the same sequence.
 * created_ns is the stream's. Blocks; on the intake's thread. */
MUST_CHECK enum status dead_letter_publish(struct bus *bus, int64_t created_ns, const struct delivery *delivery,
                                           const char *reason, struct errmsg *err);

#endif
