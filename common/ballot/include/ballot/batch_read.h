/* batch_read - a message of the stream as the batch that it is, by the rule that workers and audit share.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_BATCH_READ_H
#define SCRUTIN_BATCH_READ_H

#include "ballot/wire.h"

/* marks_belong: the message came on the subject of fences and gates. A mark on any other subject is refused: readers
 * look for marks on their own subject only, so some of them would miss it.
 *
 * ST_DECODE: a dead letter; *out is then empty. On ST_OK the caller frees *out with ballot_batch_free. */
MUST_CHECK enum status batch_read(const void *data, size_t len, bool marks_belong, struct ballot_batch *out,
                                  struct errmsg *reason);

#endif
