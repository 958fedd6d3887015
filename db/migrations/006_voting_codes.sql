-- The keyed hashes of voting codes, for the case that the bucket is lost.
-- SPDX-License-Identifier: MIT

-- One row for each value of the bucket `codes`; definition is the protobuf VotingCodes. No reader of results may see it.
CREATE TABLE voting_codes (
    key        text  PRIMARY KEY,
    poll_id    text  NOT NULL,
    definition bytea NOT NULL
);

CREATE INDEX voting_codes_poll_id ON voting_codes (poll_id);

GRANT SELECT, INSERT, DELETE ON voting_codes TO scrutin_worker;
