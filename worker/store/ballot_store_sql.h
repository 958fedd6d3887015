/* ballot_store_sql - the statements that the store prepares, in one table.
 * SPDX-License-Identifier: MIT
 *
 * Every worker locks rows in the same order, so two workers never wait for each other in a circle: applied_batches by
 * sequence, ballots by key, rows of the worker's own slot, rejected_ballots by ordinal, polls by id. */
#ifndef SCRUTIN_BALLOT_STORE_SQL_H
#define SCRUTIN_BALLOT_STORE_SQL_H

/* STATEMENT(name, sql) */
#define BALLOT_STORE_STATEMENTS(STATEMENT)                                                                             \
    STATEMENT(begin, "BEGIN")                                                                                          \
    STATEMENT(commit, "COMMIT")                                                                                        \
    STATEMENT(savepoint, "SAVEPOINT part")                                                                             \
    STATEMENT(release, "RELEASE SAVEPOINT part")                                                                       \
    STATEMENT(undo, "ROLLBACK TO SAVEPOINT part")                                                                      \
    STATEMENT(ping, "SELECT 1")                                                                                        \
                                                                                                                       \
    STATEMENT(epoch_lock, "SELECT pg_advisory_xact_lock($1::integer, 0)")                                              \
    STATEMENT(epoch_add, "INSERT INTO stream_epochs (epoch, created_ns)"                                               \
                         " SELECT coalesce(max(epoch), 0) + 1, $1::bigint FROM stream_epochs"                          \
                         " HAVING coalesce(max(created_ns), 0) < $1::bigint")                                          \
    STATEMENT(epoch_newest, "SELECT epoch, created_ns FROM stream_epochs ORDER BY epoch DESC LIMIT 1")                 \
    STATEMENT(epoch_floor, "UPDATE stream_epochs AS e SET floor = f.floor"                                             \
                           " FROM (SELECT applied_floor($1::smallint) AS floor) AS f"                                  \
                           " WHERE e.epoch = $1::smallint AND e.floor < f.floor")                                      \
    STATEMENT(epoch_missing, "SELECT seq FROM generate_series(applied_floor($1::smallint) + 1, $2::bigint) AS g (seq)" \
                             " WHERE NOT EXISTS (SELECT FROM applied_batches AS a"                                     \
                             " WHERE a.epoch = $1::smallint AND a.seq = g.seq) LIMIT $3::bigint")                      \
                                                                                                                       \
    /* The first condition keeps an unchanged poll from using up a key. A row that was forgotten and is inserted again \
     * gets the marks that the stream has. */                                                                          \
    STATEMENT(poll_put,                                                                                                \
              "INSERT INTO polls AS p (id, definition, title, method, revisable, opens_at, closes_at, deleted,"        \
              " updated_at, unused_since, fence, term, mark)"                                                          \
              " SELECT $1::text, $2::bytea, $3::text, $4::text, $5::boolean, $6::timestamptz, $7::timestamptz,"        \
              " $8::boolean, $9::timestamptz, $10::timestamptz, nullif($11::bigint, 0), $12::integer, $13::bigint"     \
              " WHERE NOT EXISTS (SELECT FROM polls WHERE id = $1::text AND updated_at >= $9::timestamptz)"            \
              " ON CONFLICT (id) DO UPDATE SET definition = excluded.definition, revision = p.revision + 1,"           \
              " title = excluded.title, method = excluded.method, revisable = excluded.revisable,"                     \
              " opens_at = excluded.opens_at, closes_at = excluded.closes_at, deleted = excluded.deleted,"             \
              " updated_at = excluded.updated_at, unused_since = excluded.unused_since"                                \
              " WHERE p.updated_at < excluded.updated_at")                                                             \
    /* In random order, so that polls that cannot be treated do not block the others. poll_is_free costs half a        \
     * millisecond, so it runs only for the polls that were picked. */                                                 \
    STATEMENT(polls_unused, "SELECT p.id, p.deleted, poll_is_free(p) FROM ("                                           \
                            "SELECT key FROM polls AS q"                                                               \
                            " WHERE CASE WHEN deleted THEN updated_at < $2::timestamptz"                               \
                            " ELSE unused_since < $1::timestamptz END"                                                 \
                            " AND NOT EXISTS (SELECT FROM ledger AS l WHERE l.poll = q.key AND l.received > 0)"        \
                            " ORDER BY random() LIMIT $3::bigint) AS taken JOIN polls AS p USING (key)")               \
    STATEMENT(poll_forget, "SELECT forget_poll($1::text)")                                                             \
    STATEMENT(poll_find, "SELECT key, revisable FROM polls WHERE id = $1::text")                                       \
    STATEMENT(poll_count, "SELECT count(*) FROM polls")                                                                \
    STATEMENT(poll_each, "SELECT id, definition FROM polls ORDER BY key")                                              \
                                                                                                                       \
    STATEMENT(codes_has, "SELECT 1 FROM voting_codes WHERE key = $1::text")                                            \
    STATEMENT(codes_put, "INSERT INTO voting_codes (key, poll_id, definition) SELECT $1::text, $2::text, $3::bytea"    \
                         " WHERE NOT EXISTS (SELECT FROM polls WHERE id = $2::text AND deleted)"                       \
                         " ON CONFLICT (key) DO NOTHING")                                                              \
    STATEMENT(codes_drop, "DELETE FROM voting_codes WHERE poll_id = $1::text")                                         \
    STATEMENT(codes_count, "SELECT count(*) FROM voting_codes")                                                        \
    STATEMENT(codes_each, "SELECT key, definition FROM voting_codes ORDER BY key")                                     \
                                                                                                                       \
    /* Our arrays have no nulls, so the id of a dead letter is all zeroes. */                                          \
    STATEMENT(claim, "INSERT INTO applied_batches (epoch, seq, batch, ballots, dead, slot)"                            \
                     " SELECT $1::smallint, seq, nullif(batch, '00000000-0000-0000-0000-000000000000'), ballots,"      \
                     " dead, $2::smallint"                                                                             \
                     " FROM unnest($3::bigint[], $4::uuid[], $5::integer[], $6::boolean[])"                            \
                     " AS u (seq, batch, ballots, dead)"                                                               \
                     " ON CONFLICT (epoch, seq) DO NOTHING RETURNING seq")                                             \
    STATEMENT(counted, "SELECT poll, counted FROM ledger WHERE slot = $1::smallint AND poll = ANY ($2::integer[])")    \
    /* The highest precedence wins, in polls of both kinds. Rows are locked in the order of the arrays. */             \
    STATEMENT(upsert, "INSERT INTO ballots AS b (poll, voter, precedence, cast_at, choices)"                           \
                      " SELECT * FROM unnest($1::integer[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::text[])"  \
                      " ON CONFLICT (poll, voter) DO UPDATE SET precedence = excluded.precedence,"                     \
                      " cast_at = excluded.cast_at, choices = excluded.choices"                                        \
                      " WHERE excluded.precedence > b.precedence")                                                     \
    /* The triggers have added the new rows to `counted` of our slot, which no other worker writes. So its gain is the \
     * number of inserted rows. RETURNING would have to return every row to tell that. */                              \
    STATEMENT(ledger, "WITH gain AS MATERIALIZED ("                                                                    \
                      "SELECT u.poll, u.received, u.rejected, coalesce(l.counted, 0) - u.before AS counted"            \
                      " FROM unnest($2::integer[], $3::bigint[], $4::bigint[], $5::bigint[])"                          \
                      " AS u (poll, received, rejected, before)"                                                       \
                      " LEFT JOIN ledger AS l ON l.poll = u.poll AND l.slot = $1::smallint"                            \
                      "), written AS ("                                                                                \
                      "INSERT INTO ledger AS l (poll, slot, received, superseded, rejected)"                           \
                      " SELECT poll, $1::smallint, received, received - rejected - counted, rejected"                  \
                      " FROM gain ORDER BY poll"                                                                       \
                      " ON CONFLICT (poll, slot) DO UPDATE SET received = l.received + excluded.received,"             \
                      " superseded = l.superseded + excluded.superseded, rejected = l.rejected + excluded.rejected"    \
                      ") SELECT coalesce(sum(counted), 0)::bigint FROM gain")                                          \
    /* timeline_bucket decides the width. The triggers, which add `counted`, use the same function. */                 \
    STATEMENT(timeline, "INSERT INTO timeline AS t (poll, bucket, slot, received)"                                     \
                        " SELECT poll, timeline_bucket(at) AS bucket, $1::smallint, sum(n)"                            \
                        " FROM unnest($2::integer[], $3::timestamptz[], $4::bigint[]) AS u (poll, at, n)"              \
                        " GROUP BY poll, bucket ORDER BY poll, bucket"                                                 \
                        " ON CONFLICT (poll, bucket, slot) DO UPDATE SET received = t.received + excluded.received")   \
    STATEMENT(reject, "INSERT INTO rejected_ballots (ordinal, poll_id, reason)"                                        \
                      " SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[]) AS u (ordinal, poll_id, reason)"    \
                      " ORDER BY ordinal ON CONFLICT (ordinal) DO NOTHING")                                            \
    STATEMENT(mark, "INSERT INTO poll_marks (ordinal, poll_id, term, opens)"                                           \
                    " SELECT * FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::boolean[])"                    \
                    " AS u (ordinal, poll_id, term, opens) ORDER BY ordinal ON CONFLICT (ordinal) DO NOTHING")         \
    STATEMENT(fence, "WITH met AS (SELECT DISTINCT id, fence, term, mark"                                              \
                     " FROM unnest($1::text[], $2::bigint[], $3::integer[], $4::bigint[])"                             \
                     " AS u (id, fence, term, mark)),"                                                                 \
                     " locked AS MATERIALIZED (SELECT p.key, met.fence, met.term, met.mark"                            \
                     " FROM polls AS p JOIN met ON met.id = p.id ORDER BY p.id FOR NO KEY UPDATE OF p)"                \
                     " UPDATE polls AS p SET fence = nullif(locked.fence, 0), term = locked.term, mark = locked.mark"  \
                     " FROM locked WHERE p.key = locked.key AND p.mark < locked.mark")                                 \
    STATEMENT(marks_each, "SELECT poll_id, ordinal, term, opens FROM poll_marks ORDER BY poll_id, ordinal")            \
    STATEMENT(floor, "SELECT coalesce(applied_floor($1::smallint), 0)")

#endif
