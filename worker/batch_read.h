/* batch_read - a message of the stream as the batch that it is, by the rule that workers and audit share.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_BATCH_READ_H
#define SCRUTIN_BATCH_READ_H

#include "bus.h"
#include "wire.h"

/* ST_DECODE: a dead letter; *out is then empty. On ST_OK the caller frees *out with ballot_batch_free. */
MUST_CHECK enum status batch_read(const struct delivery *delivery, struct ballot_batch *out, struct errmsg *reason);

#endif
