-- Polls, the ballots cast in them, and what the worker writes down about a batch.
-- SPDX-License-Identifier: MIT

-- One row per incarnation of the stream BALLOTS, numbered in the order of creation.
-- The number is the high part of every ordinal, so that ballots of a newer stream win
-- although its sequences start again at one.
CREATE TABLE stream_epochs (
    epoch      smallint    PRIMARY KEY CHECK (epoch BETWEEN 1 AND 2047),
    created_ns bigint      NOT NULL UNIQUE,
    -- Every sequence up to this one is in applied_batches; advanced now and then,
    -- so that nobody has to walk the whole table to find the first gap.
    floor      bigint      NOT NULL DEFAULT 0 CHECK (floor >= 0),
    first_seen timestamptz NOT NULL DEFAULT now()
);

-- The directory, copied from the key-value bucket `polls` and good enough to refill it.
-- The key is what a ballot carries: four bytes instead of the whole id.
CREATE TABLE polls (
    key        integer     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         text        COLLATE "C" NOT NULL UNIQUE CHECK (id ~ '^[a-z0-9-]{1,32}$'),
    definition bytea       NOT NULL,
    revision   bigint      NOT NULL DEFAULT 1, -- how often the definition was written here
    title      text        NOT NULL,
    method     text        NOT NULL,
    revisable  boolean     NOT NULL,
    opens_at   timestamptz,
    closes_at  timestamptz,
    deleted    boolean     NOT NULL DEFAULT false,
    fence      bigint,
    updated_at timestamptz NOT NULL DEFAULT now() -- of the definition: a newer one has a later time
) WITH (fillfactor = 80);

-- One row per voter and poll: the ballot with the highest precedence. There is no foreign
-- key to polls, because its check would run once per row; the worker takes the key
-- from polls, and nobody can delete a poll's row.
CREATE TABLE ballots (
    poll       integer     NOT NULL,
    voter      uuid        NOT NULL,
    precedence bigint      NOT NULL,
    cast_at    timestamptz NOT NULL,
    choices    text        COLLATE "C" NOT NULL,
    PRIMARY KEY (poll, voter)
) WITH (fillfactor = 90);

-- One row per message of the stream, also for fences and dead letters: a number that is
-- missing here is a message that nobody has dealt with. No foreign key either: all workers
-- would share-lock the one row of the current epoch in every transaction.
CREATE TABLE applied_batches (
    epoch      smallint    NOT NULL CHECK (epoch BETWEEN 1 AND 2047),
    seq        bigint      NOT NULL CHECK (seq > 0),
    batch      uuid,
    ballots    integer     NOT NULL CHECK (ballots >= 0),
    dead       boolean     NOT NULL DEFAULT false,
    slot       smallint    NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (epoch, seq)
);

-- Acknowledged ballots that cannot count, with the reason.
CREATE TABLE rejected_ballots (
    ordinal bigint      PRIMARY KEY,
    poll_id text        COLLATE "C" NOT NULL,
    reason  text        NOT NULL,
    at      timestamptz NOT NULL DEFAULT now()
);
