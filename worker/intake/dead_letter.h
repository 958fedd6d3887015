/* dead_letter - where messages go that can never be applied.
 * SPDX-License-Identifier: MIT */
#ifndef WORKER_DEAD_LETTER_H
#define WORKER_DEAD_LETTER_H

#include "bus/bus.h"

/* Publishes the delivery's bytes with the headers Scrutin-Reason and Scrutin-Sequence, and waits for the broker's
 * acknowledgement: only then may the delivery be ended. A second copy of the same sequence is dropped by the broker. */
MUST_CHECK enum status dead_letter_publish(struct bus *bus, int64_t created_ns, const struct delivery *delivery,
                                           const char *reason, struct errmsg *err);

#endif
