-- Polls that nobody voted in make room again.
-- SPDX-License-Identifier: MIT

-- Since when a poll could have had ballots and had none, as its definition says (worker/poll_sweep.h); null: it is kept
-- for good. Rows of before have null until their poll is edited.
ALTER TABLE polls ADD COLUMN unused_since timestamptz;

-- Whether nothing depends on a poll: it has no ballots, and everything before the fence that closed it is applied, so
-- it never will have any.
CREATE FUNCTION poll_is_free(of_poll polls) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT of_poll.fence IS NOT NULL
       AND coalesce(applied_floor((of_poll.fence >> 52)::smallint) >= ((of_poll.fence >> 12) & ((1::bigint << 40) - 1)), false)
       AND NOT EXISTS (SELECT FROM ledger WHERE poll = of_poll.key AND received > 0)
       AND NOT EXISTS (SELECT FROM ballots WHERE poll = of_poll.key);
END;

-- The one way to remove a poll's row: deleted polls on which nothing depends. Its marks stay, as the stream has them.
CREATE FUNCTION forget_poll(of_id text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM polls AS p WHERE p.id = of_id AND p.deleted AND poll_is_free(p);
    RETURN FOUND;
END $$;

REVOKE ALL ON FUNCTION forget_poll(text), poll_is_free(polls) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_poll(text), poll_is_free(polls) TO scrutin_worker;
