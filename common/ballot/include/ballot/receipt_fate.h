/* receipt_fate - what happened to the ballot that a receipt names, and the SQL that finds it.
 * SPDX-License-Identifier: MIT
 *
 * result-api answers voters with it, and scrutin-audit checks lists of receipts. Both use the same statement. */
#ifndef SCRUTIN_RECEIPT_FATE_H
#define SCRUTIN_RECEIPT_FATE_H

/* FATE(number in the statement, name, state, reason or NULL, a sentence for the holder or NULL) */
#define RECEIPT_FATE_TABLE(FATE)                                                                                       \
    FATE(0, PENDING, "pending", NULL, NULL)                                                                            \
    FATE(1, COUNTED, "counted", NULL, NULL)                                                                            \
    FATE(2, SUPERSEDED, "superseded", NULL, NULL)                                                                      \
    FATE(3, UNKNOWN_POLL, "rejected", "unknown-poll", "The poll of this ballot was not known when it was applied.")    \
    FATE(4, AFTER_FENCE, "rejected", "after-the-fence", "The poll had closed before this ballot was recorded.")        \
    FATE(5, REFUSED, "rejected", "refused", "The database could not store this ballot.")                               \
    FATE(6, UNREADABLE, "rejected", "unreadable",                                                                      \
         "The message that held this ballot could not be read, or had left the stream before it was applied.")         \
    FATE(7, STREAM_LOST, "rejected", "stream-lost",                                                                    \
         "The stream that held this ballot was created again before the ballot was applied.")                          \
    FATE(8, MISSING, "rejected", "missing",                                                                            \
         "This ballot was applied, but the database has no ballot of its voter any more. Tell the operator.")

enum receipt_fate {
#define RECEIPT_FATE_ENUM(number, name, state, reason, sentence) RECEIPT_##name = (number),
    RECEIPT_FATE_TABLE(RECEIPT_FATE_ENUM)
#undef RECEIPT_FATE_ENUM
        RECEIPT_FATES
};

/* $1 to $5: poll, voter, batch, sequence and index of each receipt. $6: when the current stream of the broker was
 * created. Rows: place, fate.
 *
 * A ballot counts if its ordinal is the precedence in the row of its voter; the precedence is negative if the first
 * ballot of a voter is final. A receipt does not name its stream. The batch tells it, once it is applied. If the
 * current stream has another batch at the sequence of the receipt, and that one is applied, the ballot is lost. */
#define RECEIPT_FATE_SQL                                                                                               \
    "SELECT r.i::int, CASE"                                                                                            \
    "   WHEN a.ordinal IS NULL THEN CASE WHEN n.seq IS NULL THEN 0 WHEN n.dead THEN 6 ELSE 7 END"                      \
    "   WHEN b.precedence IN (a.ordinal, -a.ordinal) THEN 1"                                                           \
    "   WHEN j.reason = 'unknown poll' THEN 3"                                                                         \
    "   WHEN j.reason LIKE 'after the fence%' THEN 4"                                                                  \
    "   WHEN j.ordinal IS NOT NULL THEN 5"                                                                             \
    "   WHEN b.precedence > CASE WHEN p.revisable THEN a.ordinal ELSE -a.ordinal END THEN 2"                           \
    "   ELSE 8 END"                                                                                                    \
    " FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::bigint[], $5::int[]) WITH ORDINALITY"                        \
    "   AS r (poll, voter, batch, seq, place, i)"                                                                      \
    " LEFT JOIN LATERAL (SELECT (b.epoch::bigint << 52) | (r.seq << 12) | r.place AS ordinal"                          \
    "   FROM stream_epochs AS e JOIN applied_batches AS b ON b.epoch = e.epoch AND b.seq = r.seq"                      \
    "   WHERE b.batch = r.batch ORDER BY e.epoch DESC LIMIT 1) AS a ON true"                                           \
    " LEFT JOIN LATERAL (SELECT b.seq, b.dead"                                                                         \
    "   FROM stream_epochs AS e JOIN applied_batches AS b ON b.epoch = e.epoch AND b.seq = r.seq"                      \
    "   WHERE e.created_ns = $6::bigint) AS n ON true"                                                                 \
    " LEFT JOIN polls AS p ON p.id = r.poll COLLATE \"C\""                                                             \
    " LEFT JOIN ballots AS b ON b.poll = p.key AND b.voter = r.voter"                                                  \
    " LEFT JOIN rejected_ballots AS j ON j.ordinal = a.ordinal"

#endif
