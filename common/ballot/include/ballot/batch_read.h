/* batch_read - reads a message of the stream as a batch, by the rule that the worker and the audit share.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_BATCH_READ_H
#define SCRUTIN_BATCH_READ_H

#include "ballot/wire.h"

/* marks_belong: the message came on the subject of fences and gates. A mark on any other subject is refused, because
 * readers look for marks on that subject only, and some of them would miss it.
 *
 * ST_DECODE: the message can never be applied, and *out is empty. On ST_OK the caller frees *out with
 * ballot_batch_free. */
MUST_CHECK enum status batch_read(const void *data, size_t len, bool marks_belong, struct ballot_batch *out,
                                  struct errmsg *reason);

#endif
