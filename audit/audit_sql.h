/* audit_sql - the statements of the audit, in one table. They only read.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_AUDIT_SQL_H
#define SCRUTIN_AUDIT_SQL_H

#include "ballot/receipt_fate.h"

/* STATEMENT(name, sql) */
#define AUDIT_STATEMENTS(STATEMENT)                                                                                    \
    STATEMENT(begin, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")                                               \
    STATEMENT(commit, "COMMIT")                                                                                        \
    STATEMENT(floor, "SELECT applied_floor(epoch) FROM stream_epochs WHERE created_ns = $1::bigint")                   \
    STATEMENT(epochs,                                                                                                  \
              "SELECT e.epoch, e.created_ns, e.floor, coalesce(a.last, 0), coalesce(a.batches, 0),"                    \
              " coalesce(a.ballots, 0), coalesce(a.dead, 0) FROM stream_epochs AS e"                                   \
              " LEFT JOIN (SELECT epoch, max(seq) AS last, count(*) AS batches, sum(ballots)::bigint AS ballots,"      \
              " count(*) FILTER (WHERE dead) AS dead FROM applied_batches GROUP BY epoch) AS a ON a.epoch = e.epoch"   \
              " ORDER BY e.epoch")                                                                                     \
    /* Statements that may find many rows return 20 examples, each with the number of all. */                          \
    /* Runs of sequences from 1 to $2 that are not applied. The row $2 + 1 ends the last run. */                       \
    STATEMENT(gaps, "SELECT before + 1, seq - 1, (sum(seq - before - 1) OVER ())::bigint FROM (SELECT seq, lag(seq, "  \
                    "1, 0::bigint) OVER (ORDER BY seq) AS before"                                                      \
                    " FROM (SELECT seq FROM applied_batches WHERE epoch = $1::smallint AND seq <= $2::bigint"          \
                    " UNION ALL SELECT $2::bigint + 1) AS s) AS pairs WHERE seq > before + 1 ORDER BY seq LIMIT 20")   \
    STATEMENT(applied, "SELECT seq, batch, ballots, dead FROM applied_batches"                                         \
                       " WHERE epoch = $1::smallint AND seq BETWEEN $2::bigint AND $3::bigint ORDER BY seq")           \
    STATEMENT(twice, "SELECT batch::text, min(epoch::bigint << 40 | seq), max(epoch::bigint << 40 | seq),"             \
                     " (sum(count(*) - 1) OVER ())::bigint FROM applied_batches WHERE batch IS NOT NULL"               \
                     " GROUP BY batch HAVING count(*) > 1 LIMIT 20")                                                   \
    /* All keys that have rows in any table. Those in ballots cost one index look-up each instead of a full scan. */   \
    STATEMENT(polls,                                                                                                   \
              "WITH RECURSIVE voted (poll) AS ((SELECT poll FROM ballots ORDER BY poll LIMIT 1) UNION ALL"             \
              " SELECT (SELECT b.poll FROM ballots AS b WHERE b.poll > voted.poll ORDER BY b.poll LIMIT 1)"            \
              " FROM voted WHERE voted.poll IS NOT NULL),"                                                             \
              " known (key) AS (SELECT key FROM polls UNION SELECT poll FROM ledger UNION SELECT poll FROM tally"      \
              " UNION SELECT poll FROM timeline UNION SELECT poll FROM voted WHERE poll IS NOT NULL),"                 \
              " written (id, n, unknown) AS (SELECT poll_id, count(*) FILTER (WHERE reason <> 'unknown poll'),"        \
              " count(*) FILTER (WHERE reason = 'unknown poll') FROM rejected_ballots GROUP BY poll_id)"               \
              " SELECT k.key, coalesce(p.id, ''), coalesce(p.revisable, false), coalesce(w.n, 0), "                    \
              "coalesce(w.unknown, 0), coalesce(p.fence, 0), coalesce(p.term, 0) FROM known AS k"                      \
              " LEFT JOIN polls AS p ON p.key = k.key LEFT JOIN written AS w ON w.id = p.id ORDER BY k.key")           \
    STATEMENT(unknown, "SELECT count(*) FROM rejected_ballots WHERE reason = 'unknown poll'")                          \
    /* $1 poll, $2 the lowest ordinal that the stream still has. Kinds of rows: 'l' one row, ledger and ballots; 't'   \
     * choices whose tally differs from the recount; 'b' buckets of the timeline that differ; 'r' if the timeline and  \
     * the ledger received different numbers. Scans the ballots of the poll once. */                                   \
    STATEMENT(books,                                                                                                   \
              "WITH groups AS MATERIALIZED (SELECT choices, timeline_bucket(cast_at) AS bucket, count(*) AS n,"        \
              " count(*) FILTER (WHERE abs(precedence) >= $2::bigint) AS comparable"                                   \
              " FROM ballots WHERE poll = $1::integer GROUP BY choices, bucket),"                                      \
              " voted AS (SELECT coalesce(sum(n), 0)::bigint AS n,"                                                    \
              " coalesce(sum(comparable), 0)::bigint AS comparable FROM groups),"                                      \
              " booked AS (SELECT coalesce(sum(received), 0)::bigint AS received,"                                     \
              " coalesce(sum(counted), 0)::bigint AS counted, coalesce(sum(superseded), 0)::bigint AS superseded,"     \
              " coalesce(sum(rejected), 0)::bigint AS rejected FROM ledger WHERE poll = $1::integer),"                 \
              " chosen AS (SELECT choice, sum(n)::bigint AS n FROM groups, string_to_table(choices, ' ') AS choice"    \
              " GROUP BY choice),"                                                                                     \
              " tallied AS (SELECT choice, sum(n)::bigint AS n FROM tally WHERE poll = $1::integer GROUP BY choice),"  \
              " timed AS (SELECT bucket, sum(n)::bigint AS n FROM groups GROUP BY bucket),"                            \
              " kept AS (SELECT bucket, sum(counted)::bigint AS n, sum(received)::bigint AS received FROM timeline"    \
              " WHERE poll = $1::integer GROUP BY bucket),"                                                            \
              " heard AS (SELECT coalesce(sum(received), 0)::bigint AS n FROM kept)"                                   \
              " SELECT 'l', NULL::text, received, counted, superseded, rejected, n, comparable FROM booked, voted"     \
              " UNION ALL (SELECT 't', coalesce(t.choice, c.choice), coalesce(t.n, 0), coalesce(c.n, 0),"              \
              " count(*) OVER (), 0, 0, 0 FROM tallied AS t FULL JOIN chosen AS c ON t.choice = c.choice"              \
              " WHERE coalesce(t.n, 0) <> coalesce(c.n, 0) ORDER BY 2 LIMIT 20)"                                       \
              " UNION ALL (SELECT 'b', to_char(coalesce(k.bucket, t.bucket) AT TIME ZONE 'UTC',"                       \
              " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), coalesce(k.n, 0), coalesce(t.n, 0), count(*) OVER (), 0, 0, 0"      \
              " FROM kept AS k FULL JOIN timed AS t ON k.bucket = t.bucket"                                            \
              " WHERE coalesce(k.n, 0) <> coalesce(t.n, 0) ORDER BY 2 LIMIT 20)"                                       \
              " UNION ALL SELECT 'r', NULL, heard.n, received, 1, 0, 0, 0 FROM heard, booked"                          \
              " WHERE heard.n <> received")                                                                            \
    /* Compares ballots of the stream with the rows of their voters. One row for each poll and fate; the fates are     \
     * those of audit_db.h. */                                                                                         \
    STATEMENT(ballots,                                                                                                 \
              "SELECT u.poll, CASE WHEN j.ordinal IS NOT NULL AND b.precedence = u.precedence THEN 6"                  \
              " WHEN u.is_open AND j.reason LIKE 'after the fence%' THEN 8 WHEN j.ordinal IS NOT NULL THEN 2"          \
              " WHEN NOT u.is_open THEN 7 WHEN b.precedence IS NULL THEN 3"                                            \
              " WHEN b.precedence > u.precedence THEN 1 WHEN b.precedence < u.precedence THEN 4"                       \
              " WHEN b.choices <> u.choices OR b.cast_at <> u.cast_at THEN 5 ELSE 0 END AS fate, count(*), min(u.i),"  \
              " count(*) FILTER (WHERE b.precedence = u.precedence)"                                                   \
              " FROM unnest($1::integer[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::text[], $6::bigint[],"     \
              " $7::boolean[]) WITH ORDINALITY"                                                                        \
              " AS u (poll, voter, precedence, cast_at, choices, ordinal, is_open, i)"                                 \
              " LEFT JOIN ballots AS b ON b.poll = u.poll AND b.voter = u.voter"                                       \
              " LEFT JOIN rejected_ballots AS j ON j.ordinal = u.ordinal GROUP BY 1, 2")                               \
    STATEMENT(marks, "SELECT ordinal, poll_id, term, opens FROM poll_marks ORDER BY ordinal")                          \
    STATEMENT(receipts, RECEIPT_FATE_SQL)

#endif
