/* tally_slot - the number under which one worker writes tallies, ledgers and timelines.
 * SPDX-License-Identifier: MIT
 *
 * Every row of these tables belongs to one slot, so workers never wait for each other's rows. An advisory lock reserves
 * the slot until the session ends. */
#ifndef WORKER_TALLY_SLOT_H
#define WORKER_TALLY_SLOT_H

#include "pg/pg_session.h"

#define TALLY_SLOT_MAX 63
/* First key of our two-part advisory locks. The second key is a slot, or 0 while an epoch is registered. */
#define TALLY_SLOT_LOCK_CLASS 1396917844

/* Takes the lowest free slot, 1..TALLY_SLOT_MAX, for this session.
 *
 * ST_NO_SLOT  as many workers run already; other errors as pg_session_run */
MUST_CHECK enum status tally_slot_take(struct pg_session *session, int *slot, struct errmsg *err);

#endif
