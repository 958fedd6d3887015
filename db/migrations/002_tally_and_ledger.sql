-- The tally and the ledger, and the triggers that keep them equal to the ballots.
-- SPDX-License-Identifier: MIT

-- What one slot added to a choice; a reader sums the slots. A ballot may come in through one
-- slot and be revised through another, so n may be negative: only the sum has a meaning.
CREATE TABLE tally (
    poll   integer  NOT NULL,
    choice text     COLLATE "C" NOT NULL,
    slot   smallint NOT NULL CHECK (slot BETWEEN 0 AND 63),
    n      bigint   NOT NULL,
    PRIMARY KEY (poll, choice, slot)
);

-- received = counted + superseded + rejected, of what is applied. The triggers below keep
-- `counted`; the worker adds to the others in the same transaction.
CREATE TABLE ledger (
    poll       integer  NOT NULL,
    slot       smallint NOT NULL CHECK (slot BETWEEN 0 AND 63),
    received   bigint   NOT NULL DEFAULT 0,
    counted    bigint   NOT NULL DEFAULT 0,
    superseded bigint   NOT NULL DEFAULT 0,
    rejected   bigint   NOT NULL DEFAULT 0,
    PRIMARY KEY (poll, slot)
);

-- A few rows, each rewritten many times a second. No indexed column ever changes, so an
-- update that finds room on its page is heap-only: it writes no index entry and the next
-- visit to the page removes the old version. Three quarters of a page are left free for that.
-- Vacuum comes by number of dead rows alone (a share of a small table is never reached at the
-- right moment) and without pauses, because a long reader is the one thing that can let the
-- old versions pile up.
ALTER TABLE tally SET (fillfactor = 25, autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE ledger SET (fillfactor = 25, autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

-- The slot of this session: 1 to 63 in a worker that holds it, 0 for everybody else.
CREATE FUNCTION scrutin_slot() RETURNS smallint
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(current_setting('scrutin.slot', true), ''), '0')::smallint;

-- The three functions share one shape: group the changed rows by whole selection first, which
-- leaves a handful of groups of any number of ballots, and split only these into choices.
-- Both upserts go in key order, so that two sessions without a slot cannot deadlock.
-- They run as the owner: the worker itself may not write the tally.

CREATE FUNCTION ballots_count_inserted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    WITH groups AS MATERIALIZED (
        SELECT poll, choices, count(*) AS n FROM new_ballots GROUP BY poll, choices
    ), counted AS (
        INSERT INTO ledger AS l (poll, slot, counted)
        SELECT poll, scrutin_slot(), sum(n) FROM groups GROUP BY poll ORDER BY poll
        ON CONFLICT (poll, slot) DO UPDATE SET counted = l.counted + excluded.counted
    )
    INSERT INTO tally AS t (poll, choice, slot, n)
    SELECT poll, choice, scrutin_slot(), sum(n)
      FROM groups, string_to_table(choices, ' ') AS choice
     GROUP BY poll, choice ORDER BY poll, choice
    ON CONFLICT (poll, choice, slot) DO UPDATE SET n = t.n + excluded.n;
    RETURN NULL;
END $$;

-- A revised ballot that keeps its choices cancels out and touches no tally row.
CREATE FUNCTION ballots_count_updated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    WITH groups AS MATERIALIZED (
        SELECT poll, choices, sum(n) AS n
          FROM (SELECT poll, choices, count(*) AS n FROM new_ballots GROUP BY poll, choices
                UNION ALL
                SELECT poll, choices, -count(*) FROM old_ballots GROUP BY poll, choices) AS both_sides
         GROUP BY poll, choices HAVING sum(n) <> 0
    ), counted AS (
        INSERT INTO ledger AS l (poll, slot, counted)
        SELECT poll, scrutin_slot(), sum(n)
          FROM groups GROUP BY poll HAVING sum(n) <> 0 ORDER BY poll
        ON CONFLICT (poll, slot) DO UPDATE SET counted = l.counted + excluded.counted
    )
    INSERT INTO tally AS t (poll, choice, slot, n)
    SELECT poll, choice, scrutin_slot(), sum(n)
      FROM groups, string_to_table(choices, ' ') AS choice
     GROUP BY poll, choice HAVING sum(n) <> 0 ORDER BY poll, choice
    ON CONFLICT (poll, choice, slot) DO UPDATE SET n = t.n + excluded.n;
    RETURN NULL;
END $$;

CREATE FUNCTION ballots_count_deleted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    WITH groups AS MATERIALIZED (
        SELECT poll, choices, -count(*) AS n FROM old_ballots GROUP BY poll, choices
    ), counted AS (
        INSERT INTO ledger AS l (poll, slot, counted)
        SELECT poll, scrutin_slot(), sum(n) FROM groups GROUP BY poll ORDER BY poll
        ON CONFLICT (poll, slot) DO UPDATE SET counted = l.counted + excluded.counted
    )
    INSERT INTO tally AS t (poll, choice, slot, n)
    SELECT poll, choice, scrutin_slot(), sum(n)
      FROM groups, string_to_table(choices, ' ') AS choice
     GROUP BY poll, choice ORDER BY poll, choice
    ON CONFLICT (poll, choice, slot) DO UPDATE SET n = t.n + excluded.n;
    RETURN NULL;
END $$;

CREATE FUNCTION ballots_count_truncated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM tally;
    UPDATE ledger SET counted = 0;
    RETURN NULL;
END $$;

CREATE TRIGGER count_inserted AFTER INSERT ON ballots
    REFERENCING NEW TABLE AS new_ballots
    FOR EACH STATEMENT EXECUTE FUNCTION ballots_count_inserted();
CREATE TRIGGER count_updated AFTER UPDATE ON ballots
    REFERENCING OLD TABLE AS old_ballots NEW TABLE AS new_ballots
    FOR EACH STATEMENT EXECUTE FUNCTION ballots_count_updated();
CREATE TRIGGER count_deleted AFTER DELETE ON ballots
    REFERENCING OLD TABLE AS old_ballots
    FOR EACH STATEMENT EXECUTE FUNCTION ballots_count_deleted();
CREATE TRIGGER count_truncated AFTER TRUNCATE ON ballots
    FOR EACH STATEMENT EXECUTE FUNCTION ballots_count_truncated();
