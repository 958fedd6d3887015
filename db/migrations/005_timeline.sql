-- The turnout over time, kept like the tally: by the worker and by triggers, in the transaction of the ballots.
-- SPDX-License-Identifier: MIT

-- What one slot added to a stretch of time; a reader sums the slots. `received` is every ballot of the poll by the time it
-- was cast, as in the ledger; `counted` the ballots that stand by theirs, so that a revision moves from the one to the
-- other and the sum of a bucket equals a recount of the ballots. Buckets without ballots have no row.
CREATE TABLE timeline (
    poll     integer     NOT NULL,
    bucket   timestamptz NOT NULL, -- its start
    slot     smallint    NOT NULL CHECK (slot BETWEEN 0 AND 63),
    received bigint      NOT NULL DEFAULT 0,
    counted  bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (poll, bucket, slot)
);

-- The newest rows are rewritten many times a second, like the ledger's, the others hardly ever.
ALTER TABLE timeline SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

-- The start of the bucket that a time falls into: 5 seconds, counted from 1970.
CREATE FUNCTION timeline_bucket(at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN date_bin('5 seconds', at, TIMESTAMPTZ '1970-01-01 00:00:00Z');

-- The functions of 002 with one more part each. It counts the changed rows a second time, by their time: that costs less
-- than splitting the groups by time, because there are more of them then for every other part.

CREATE OR REPLACE FUNCTION ballots_count_inserted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    WITH groups AS MATERIALIZED (
        SELECT poll, choices, count(*) AS n FROM new_ballots GROUP BY poll, choices
    ), counted AS (
        INSERT INTO ledger AS l (poll, slot, counted)
        SELECT poll, scrutin_slot(), sum(n) FROM groups GROUP BY poll ORDER BY poll
        ON CONFLICT (poll, slot) DO UPDATE SET counted = l.counted + excluded.counted
    ), timed AS (
        INSERT INTO timeline AS t (poll, bucket, slot, counted)
        SELECT poll, timeline_bucket(cast_at) AS bucket, scrutin_slot(), count(*)
          FROM new_ballots GROUP BY poll, bucket ORDER BY poll, bucket
        ON CONFLICT (poll, bucket, slot) DO UPDATE SET counted = t.counted + excluded.counted
    )
    INSERT INTO tally AS t (poll, choice, slot, n)
    SELECT poll, choice, scrutin_slot(), sum(n)
      FROM groups, string_to_table(choices, ' ') AS choice
     GROUP BY poll, choice ORDER BY poll, choice
    ON CONFLICT (poll, choice, slot) DO UPDATE SET n = t.n + excluded.n;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION ballots_count_updated() RETURNS trigger
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
    ), timed AS (
        INSERT INTO timeline AS t (poll, bucket, slot, counted)
        SELECT poll, bucket, scrutin_slot(), sum(n)
          FROM (SELECT poll, timeline_bucket(cast_at) AS bucket, count(*) AS n
                  FROM new_ballots GROUP BY poll, bucket
                UNION ALL
                SELECT poll, timeline_bucket(cast_at) AS bucket, -count(*)
                  FROM old_ballots GROUP BY poll, bucket) AS both_sides
         GROUP BY poll, bucket HAVING sum(n) <> 0 ORDER BY poll, bucket
        ON CONFLICT (poll, bucket, slot) DO UPDATE SET counted = t.counted + excluded.counted
    )
    INSERT INTO tally AS t (poll, choice, slot, n)
    SELECT poll, choice, scrutin_slot(), sum(n)
      FROM groups, string_to_table(choices, ' ') AS choice
     GROUP BY poll, choice HAVING sum(n) <> 0 ORDER BY poll, choice
    ON CONFLICT (poll, choice, slot) DO UPDATE SET n = t.n + excluded.n;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION ballots_count_deleted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    WITH groups AS MATERIALIZED (
        SELECT poll, choices, -count(*) AS n FROM old_ballots GROUP BY poll, choices
    ), counted AS (
        INSERT INTO ledger AS l (poll, slot, counted)
        SELECT poll, scrutin_slot(), sum(n) FROM groups GROUP BY poll ORDER BY poll
        ON CONFLICT (poll, slot) DO UPDATE SET counted = l.counted + excluded.counted
    ), timed AS (
        INSERT INTO timeline AS t (poll, bucket, slot, counted)
        SELECT poll, timeline_bucket(cast_at) AS bucket, scrutin_slot(), -count(*)
          FROM old_ballots GROUP BY poll, bucket ORDER BY poll, bucket
        ON CONFLICT (poll, bucket, slot) DO UPDATE SET counted = t.counted + excluded.counted
    )
    INSERT INTO tally AS t (poll, choice, slot, n)
    SELECT poll, choice, scrutin_slot(), sum(n)
      FROM groups, string_to_table(choices, ' ') AS choice
     GROUP BY poll, choice ORDER BY poll, choice
    ON CONFLICT (poll, choice, slot) DO UPDATE SET n = t.n + excluded.n;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION ballots_count_truncated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM tally;
    UPDATE ledger SET counted = 0;
    UPDATE timeline SET counted = 0;
    RETURN NULL;
END $$;

-- What was there before: the ballots that stand say when they were cast. Of those that do not, nobody wrote down when, so
-- they go with the poll's newest ballot.
INSERT INTO timeline (poll, bucket, slot, received, counted)
SELECT poll, timeline_bucket(cast_at) AS bucket, 0, count(*), count(*) FROM ballots GROUP BY poll, bucket;

INSERT INTO timeline AS t (poll, bucket, slot, received)
SELECT l.poll, timeline_bucket(coalesce((SELECT max(b.cast_at) FROM ballots AS b WHERE b.poll = l.poll), now())), 0,
       sum(l.superseded + l.rejected)
  FROM ledger AS l GROUP BY l.poll HAVING sum(l.superseded + l.rejected) > 0
ON CONFLICT (poll, bucket, slot) DO UPDATE SET received = t.received + excluded.received;

-- Empty when all is well: buckets that differ from a recount of the ballots, and, with no bucket, polls whose timeline
-- received another number of ballots than their ledger.
CREATE VIEW timeline_mismatch (poll, bucket, timeline, recount) AS
WITH recounted AS (
    SELECT poll, timeline_bucket(cast_at) AS bucket, count(*) AS n FROM ballots GROUP BY poll, bucket
), kept AS (
    SELECT poll, bucket, sum(counted) AS n FROM timeline GROUP BY poll, bucket
), received AS (
    SELECT poll, sum(received) AS n FROM timeline GROUP BY poll
), booked AS (
    SELECT poll, sum(received) AS n FROM ledger GROUP BY poll
)
SELECT coalesce(k.poll, r.poll), coalesce(k.bucket, r.bucket), coalesce(k.n, 0)::bigint, coalesce(r.n, 0)
  FROM kept AS k FULL JOIN recounted AS r ON k.poll = r.poll AND k.bucket = r.bucket
 WHERE coalesce(k.n, 0) <> coalesce(r.n, 0)
UNION ALL
SELECT coalesce(t.poll, b.poll), NULL, coalesce(t.n, 0)::bigint, coalesce(b.n, 0)::bigint
  FROM received AS t FULL JOIN booked AS b ON t.poll = b.poll
 WHERE coalesce(t.n, 0) <> coalesce(b.n, 0);

REVOKE ALL ON timeline, timeline_mismatch FROM PUBLIC;
GRANT SELECT ON timeline, timeline_mismatch TO scrutin_worker, scrutin_result;
GRANT INSERT (poll, bucket, slot, received), UPDATE (received) ON timeline TO scrutin_worker;
