/* tally_slot - takes an advisory lock for a slot and tells the triggers of the database about it.
 * SPDX-License-Identifier: MIT */
#include "store/tally_slot.h"

#include <stdio.h>

enum status tally_slot_take(struct pg_session *session, int *slot, struct errmsg *err)
{
    char sql[200];

    /* LIMIT ends the scan at the first lock that is granted, so no other slot is locked. */
    snprintf(sql, sizeof(sql),
             "SELECT slot FROM generate_series(1, %d) AS slot WHERE pg_try_advisory_lock(%d, slot) LIMIT 1",
             TALLY_SLOT_MAX, TALLY_SLOT_LOCK_CLASS);
    pg_link_query(session->link, sql, NULL);
    enum status st = pg_session_run(session, "taking a tally slot", err);
    if (st != ST_OK)
        return st;
    if (pg_link_rows(session->link, 0) == 0)
        return fail(err, ST_NO_SLOT, "all %d tally slots are taken: stop another worker first", TALLY_SLOT_MAX);
    *slot = (int)pg_link_number(session->link, 0, 0, 0);
    snprintf(sql, sizeof(sql), "SET scrutin.slot = %d", *slot);
    pg_link_query(session->link, sql, NULL);
    return pg_session_run(session, "setting the tally slot", err);
}
