/* store_sql - the statements that the store prepares.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_STORE_SQL_H
#define SCRUTIN_STORE_SQL_H

/* The server ends a statement before we give up the connection. */
#define SQL_SESSION "SET statement_timeout = 4000; SET default_transaction_read_only = on; SET search_path = public"

#define SQL_SCHEMA "SELECT max(version) FROM schema_migrations"

#define SQL_EPOCH "SELECT epoch, created_ns, applied_floor(epoch) FROM stream_epochs ORDER BY epoch DESC LIMIT 1"

/* $1 ids of polls, $2 epoch, $3 sequence, $4 sequences. Rows: kind, place in $1, choice, numbers. One statement is one
 * snapshot of the database, so the ledger adds up and fits the tally and the applied batches. */
#define SQL_LOOK                                                                                                       \
    "WITH wanted AS MATERIALIZED ("                                                                                    \
    " SELECT w.i::int, p.key, p.fence FROM unnest($1::text[]) WITH ORDINALITY AS w (id, i)"                            \
    " JOIN polls AS p ON p.id = w.id COLLATE \"C\""                                                                    \
    ") SELECT 'a', 0, NULL, seq, NULL::bigint, NULL::bigint, NULL::bigint FROM ("                                      \
    "   SELECT seq FROM applied_batches WHERE epoch = $2::smallint AND seq > $3::bigint ORDER BY seq LIMIT 20000"      \
    " ) AS newer"                                                                                                      \
    " UNION ALL SELECT 'a', 0, NULL, seq, NULL, NULL, NULL FROM applied_batches"                                       \
    "   WHERE epoch = $2::smallint AND seq = ANY ($4::bigint[])"                                                       \
    " UNION ALL SELECT 'e', 0, NULL, epoch, created_ns, NULL, NULL FROM ("                                             \
    "   SELECT epoch, created_ns FROM stream_epochs ORDER BY epoch DESC LIMIT 1) AS newest"                            \
    " UNION ALL SELECT 'f', i, NULL, fence, NULL, NULL, NULL FROM wanted WHERE fence IS NOT NULL"                      \
    " UNION ALL SELECT 'l', i, NULL, sum(received)::bigint, sum(counted)::bigint, sum(superseded)::bigint,"            \
    "   sum(rejected)::bigint FROM wanted JOIN ledger ON ledger.poll = wanted.key GROUP BY i"                          \
    " UNION ALL SELECT 't', i, choice, sum(n)::bigint, NULL, NULL, NULL"                                               \
    "   FROM wanted JOIN tally ON tally.poll = wanted.key GROUP BY i, choice HAVING sum(n) <> 0"

/* $1 to $5: poll, voter, batch, sequence and index of each receipt. Rows: place, state. A ballot stands when its
 * ordinal is the precedence of its voter's row; the sign of the precedence is that of the poll's rule. */
#define SQL_RECEIPTS                                                                                                   \
    "SELECT r.i::int, CASE WHEN a.ordinal IS NULL THEN 0 WHEN b.precedence IS NOT NULL THEN 1"                         \
    "   WHEN a.dead OR j.ordinal IS NOT NULL THEN 3 ELSE 2 END"                                                        \
    " FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::bigint[], $5::int[]) WITH ORDINALITY"                        \
    "   AS r (poll, voter, batch, seq, place, i)"                                                                      \
    " LEFT JOIN LATERAL (SELECT b.dead, (b.epoch::bigint << 52) | (r.seq << 12) | r.place AS ordinal"                  \
    "   FROM stream_epochs AS e JOIN applied_batches AS b ON b.epoch = e.epoch AND b.seq = r.seq"                      \
    "   WHERE b.batch = r.batch ORDER BY e.epoch DESC LIMIT 1) AS a ON true"                                           \
    " LEFT JOIN polls AS p ON p.id = r.poll COLLATE \"C\""                                                             \
    " LEFT JOIN ballots AS b ON b.poll = p.key AND b.voter = r.voter AND b.precedence IN (a.ordinal, -a.ordinal)"      \
    " LEFT JOIN rejected_ballots AS j ON j.ordinal = a.ordinal"

#endif
