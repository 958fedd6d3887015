/* result_db_sql - the statements that result_db prepares, and those for large polls.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_RESULT_DB_SQL_H
#define SCRUTIN_RESULT_DB_SQL_H

#define SQL_EPOCH "SELECT epoch, created_ns, applied_floor(epoch) FROM stream_epochs ORDER BY epoch DESC LIMIT 1"

/* $1 ids of polls, $2 epoch, $3 sequence, $4 sequences, $5 number of rows. Rows: kind, place in $1, choice, numbers.
 * One statement sees one moment of the database, so the ledger fits the tally and the applied batches. The statement
 * reads at most $5 rows of a ranked poll's tally. If there are that many, it returns the row 'm' (large) instead. */
#define SQL_LOOK                                                                                                       \
    "WITH wanted AS MATERIALIZED ("                                                                                    \
    " SELECT w.i::int, p.key, p.fence, p.term, p.method = 'ranked' AS is_ranked"                                       \
    " FROM unnest($1::text[]) WITH ORDINALITY AS w (id, i) JOIN polls AS p ON p.id = w.id COLLATE \"C\""               \
    "), part AS MATERIALIZED (SELECT i, choice, n FROM wanted,"                                                        \
    "   LATERAL (SELECT choice, n FROM tally WHERE tally.poll = wanted.key LIMIT $5::bigint) AS t WHERE is_ranked"     \
    "), large AS MATERIALIZED (SELECT i FROM part GROUP BY i HAVING count(*) >= $5::bigint"                            \
    ") SELECT 'a', 0, NULL, seq, NULL::bigint, NULL::bigint, NULL::bigint FROM ("                                      \
    "   SELECT seq FROM applied_batches WHERE epoch = $2::smallint AND seq > $3::bigint ORDER BY seq LIMIT 20000"      \
    " ) AS newer"                                                                                                      \
    " UNION ALL SELECT 'a', 0, NULL, seq, NULL, NULL, NULL FROM applied_batches"                                       \
    "   WHERE epoch = $2::smallint AND seq = ANY ($4::bigint[])"                                                       \
    " UNION ALL SELECT 'e', 0, NULL, epoch, created_ns, NULL, NULL FROM ("                                             \
    "   SELECT epoch, created_ns FROM stream_epochs ORDER BY epoch DESC LIMIT 1) AS newest"                            \
    " UNION ALL SELECT 'f', i, NULL, fence, term, NULL, NULL FROM wanted WHERE fence IS NOT NULL"                      \
    " UNION ALL SELECT 'l', i, NULL, sum(received)::bigint, sum(counted)::bigint, sum(superseded)::bigint,"            \
    "   sum(rejected)::bigint FROM wanted JOIN ledger ON ledger.poll = wanted.key GROUP BY i"                          \
    " UNION ALL SELECT 'm', i, NULL, NULL, NULL, NULL, NULL FROM large"                                                \
    " UNION ALL SELECT 't', i, choice, sum(n)::bigint, NULL, NULL, NULL FROM part"                                     \
    "   WHERE i NOT IN (SELECT i FROM large) GROUP BY i, choice HAVING sum(n) <> 0"                                    \
    " UNION ALL SELECT 't', i, choice, sum(n)::bigint, NULL, NULL, NULL FROM wanted"                                   \
    "   JOIN tally ON tally.poll = wanted.key WHERE NOT is_ranked GROUP BY i, choice HAVING sum(n) <> 0"

/* Read one large poll, in two statements of one snapshot. $1: its id. */
#define SQL_BEGIN_SNAPSHOT "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
#define SQL_LEDGER                                                                                                     \
    "SELECT coalesce(max(p.fence), 0), coalesce(max(p.term), 0), coalesce(sum(received), 0)::bigint,"                  \
    " coalesce(sum(counted), 0)::bigint, coalesce(sum(superseded), 0)::bigint, coalesce(sum(rejected), 0)::bigint"     \
    " FROM polls AS p LEFT JOIN ledger ON ledger.poll = p.key WHERE p.id = $1::text COLLATE \"C\""
#define SQL_RANKINGS                                                                                                   \
    "SELECT choice, n FROM tally WHERE poll = (SELECT key FROM polls WHERE id = $1::text COLLATE \"C\") AND n <> 0"

#endif
