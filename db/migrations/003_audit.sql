-- What lets anyone check the books: each of these views is empty when all is well.
-- SPDX-License-Identifier: MIT

-- The tally of every choice beside a recount of the ballots, where they differ.
CREATE VIEW tally_mismatch (poll, choice, tally, recount) AS
WITH recounted AS (
    SELECT poll, choice, sum(n) AS n
      FROM (SELECT poll, choices, count(*) AS n FROM ballots GROUP BY poll, choices) AS groups,
           string_to_table(choices, ' ') AS choice
     GROUP BY poll, choice
), kept AS (
    SELECT poll, choice, sum(n) AS n FROM tally GROUP BY poll, choice
)
SELECT coalesce(k.poll, r.poll), coalesce(k.choice, r.choice),
       coalesce(k.n, 0)::bigint, coalesce(r.n, 0)::bigint
  FROM kept AS k FULL JOIN recounted AS r ON k.poll = r.poll AND k.choice = r.choice
 WHERE coalesce(k.n, 0) <> coalesce(r.n, 0);

-- Polls whose ledger does not add up, or counts another number of ballots than there are.
CREATE VIEW ledger_mismatch (poll, received, counted, superseded, rejected, recount) AS
WITH recounted AS (
    SELECT poll, count(*) AS n FROM ballots GROUP BY poll
), kept AS (
    SELECT poll, sum(received) AS received, sum(counted) AS counted,
           sum(superseded) AS superseded, sum(rejected) AS rejected
      FROM ledger GROUP BY poll
)
SELECT coalesce(k.poll, r.poll), coalesce(k.received, 0)::bigint, coalesce(k.counted, 0)::bigint,
       coalesce(k.superseded, 0)::bigint, coalesce(k.rejected, 0)::bigint, coalesce(r.n, 0)
  FROM kept AS k FULL JOIN recounted AS r ON k.poll = r.poll
 WHERE coalesce(k.counted, 0) <> coalesce(r.n, 0)
    OR coalesce(k.received, 0) <> coalesce(k.counted + k.superseded + k.rejected, 0);

-- Runs of sequences that nobody has applied although a later one is. A gap above the newest
-- applied sequence cannot be seen from here: the stream knows its last sequence.
CREATE VIEW missing_batches (epoch, first_seq, last_seq) AS
SELECT epoch, before + 1, seq - 1
  FROM (SELECT epoch, seq, lag(seq, 1, 0::bigint) OVER (PARTITION BY epoch ORDER BY seq) AS before
          FROM applied_batches) AS pairs
 WHERE seq > before + 1;

-- The highest sequence up to which every message of the epoch is applied; null when the
-- epoch is unknown. Starts at the stored floor, so it costs what came in since then.
CREATE FUNCTION applied_floor(of_epoch smallint) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(
               (SELECT before
                  FROM (SELECT seq, lag(seq, 1, e.floor) OVER (ORDER BY seq) AS before
                          FROM applied_batches
                         WHERE epoch = of_epoch AND seq > e.floor) AS pairs
                 WHERE seq > before + 1 ORDER BY seq LIMIT 1),
               (SELECT max(seq) FROM applied_batches WHERE epoch = of_epoch AND seq > e.floor),
               e.floor)
      FROM stream_epochs AS e WHERE e.epoch = of_epoch;
END;

-- The ballots of the default poll as the classic systems show them.
CREATE VIEW votes (id, vote) AS
SELECT b.voter::text, b.choices
  FROM ballots AS b
  JOIN polls AS p ON p.key = b.poll
 WHERE p.id = coalesce(nullif(current_setting('scrutin.default_poll', true), ''), 'demo');
