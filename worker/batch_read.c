/* batch_read - decodes, and refuses marks that stand where nobody looks for them.
 * SPDX-License-Identifier: MIT */
#include "batch_read.h"

#include <string.h>

enum status batch_read(const struct delivery *delivery, struct ballot_batch *out, struct errmsg *reason)
{
    enum status st = wire_decode_batch(delivery->data, delivery->len, out, reason);

    /* Marks are looked for on their own subject; one anywhere else would count for some workers and not for others. */
    if (st == ST_OK && out->n_ballots == 0 && strcmp(delivery->subject, BUS_SUBJECT_FENCE) != 0) {
        ballot_batch_free(out);
        st = fail(reason, ST_DECODE, "a fence or a gate on another subject than " BUS_SUBJECT_FENCE);
    }
    if (st != ST_OK)
        *out = (struct ballot_batch){.n_ballots = 0};
    return st;
}
