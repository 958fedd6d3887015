-- The marks that open and close polls: a ballot counts when its poll is open at its ordinal.
-- SPDX-License-Identifier: MIT

-- One row per fence or gate of the stream, written with its message. In the order of the ordinals the first fence of
-- the current term closes a poll, and a gate of a higher term opens it again; the others change nothing.
CREATE TABLE poll_marks (
    ordinal bigint  PRIMARY KEY,
    poll_id text    COLLATE "C" NOT NULL,
    term    integer NOT NULL CHECK (term >= 0),
    opens   boolean NOT NULL -- a gate; otherwise a fence
);
CREATE INDEX poll_marks_by_poll ON poll_marks (poll_id, ordinal);

-- What the marks leave: `fence` is the ordinal of the fence that closed the current term, null while it is open; `mark`
-- that of the newest mark which changed anything, so that a worker that is behind takes nothing back.
ALTER TABLE polls ADD COLUMN term integer NOT NULL DEFAULT 0, ADD COLUMN mark bigint NOT NULL DEFAULT 0;
INSERT INTO poll_marks (ordinal, poll_id, term, opens) SELECT fence, id, 0, false FROM polls WHERE fence IS NOT NULL;
UPDATE polls SET mark = fence WHERE fence IS NOT NULL;

REVOKE ALL ON poll_marks FROM PUBLIC;
GRANT SELECT ON poll_marks TO scrutin_worker, scrutin_result;
GRANT INSERT ON poll_marks TO scrutin_worker;
