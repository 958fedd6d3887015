/* batch_read - decodes a batch and refuses marks that came on the wrong subject.
 * SPDX-License-Identifier: MIT */
#include "ballot/batch_read.h"

enum status batch_read(const void *data, size_t len, bool marks_belong, struct ballot_batch *out, struct errmsg *reason)
{
    enum status st = wire_decode_batch(data, len, out, reason);

    if (st == ST_OK && out->n_ballots == 0 && !marks_belong) {
        ballot_batch_free(out);
        st = fail(reason, ST_DECODE, "a fence or a gate came on the subject of ballots");
    }
    if (st != ST_OK)
        *out = (struct ballot_batch){.n_ballots = 0};
    return st;
}
