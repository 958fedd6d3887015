-- Who may do what. The worker writes ballots but never deletes one, and cannot touch
-- the tally except through the triggers; the result role reads.
-- SPDX-License-Identifier: MIT

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION ballots_count_inserted(), ballots_count_updated(),
    ballots_count_deleted(), ballots_count_truncated() FROM PUBLIC;

GRANT SELECT ON ALL TABLES IN SCHEMA public TO scrutin_worker, scrutin_result;

GRANT INSERT (epoch, created_ns), UPDATE (floor) ON stream_epochs TO scrutin_worker;
GRANT INSERT, UPDATE ON polls TO scrutin_worker;
GRANT INSERT, UPDATE ON ballots TO scrutin_worker;
GRANT INSERT ON applied_batches, rejected_ballots TO scrutin_worker;
GRANT INSERT (poll, slot, received, superseded, rejected), UPDATE (received, superseded, rejected)
    ON ledger TO scrutin_worker;
