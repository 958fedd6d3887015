-- The first step of db/migrate, before the migrations: lock, roles, table of applied migrations.
-- SPDX-License-Identifier: MIT

\set QUIET on
\set SHOW_CONTEXT never
SET client_min_messages = warning;
\o /dev/null
SELECT pg_advisory_lock(hashtext('scrutin db/migrate'));
\o

-- Roles belong to the whole cluster. Another database may have created them, or may create them
-- at this moment, which causes one of two errors.
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN VALUES ('scrutin_owner', 'NOLOGIN'), ('scrutin_worker', 'LOGIN'),
                         ('scrutin_result', 'LOGIN') LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.column1) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I %s', wanted.column1, wanted.column2);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END;
        END IF;
    END LOOP;
    -- A user who is no superuser needs a grant to become another role. Since PostgreSQL 16, the user
    -- who creates a role gets the right to grant it, but not this grant.
    IF NOT pg_has_role(current_user, 'scrutin_owner',
                       CASE WHEN current_setting('server_version_num')::int < 160000
                            THEN 'MEMBER' ELSE 'SET' END) THEN
        EXECUTE format('GRANT scrutin_owner TO %I', current_user);
    END IF;
END $$;

-- Passwords come from the environment, so that no command line shows them. They do not go into the
-- server's log or statistics, if we may turn these off.
DO $$ BEGIN
    SET log_statement = none;
    SET log_min_duration_statement = -1;
    SET pg_stat_statements.track_utility = off;
EXCEPTION WHEN insufficient_privilege THEN
    NULL;
END $$;
\getenv worker_password SCRUTIN_WORKER_PASSWORD
\getenv result_password SCRUTIN_RESULT_PASSWORD
\getenv default_poll DEFAULT_POLL
\if :{?worker_password}
ALTER ROLE scrutin_worker PASSWORD :'worker_password';
\endif
\if :{?result_password}
ALTER ROLE scrutin_result PASSWORD :'result_password';
\endif

-- Only a superuser may set a parameter of a database that no module has declared.
\if :{?default_poll}
SELECT set_config('scrutin.default_poll', :'default_poll', false) AS default_poll \gset
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET scrutin.default_poll = %L', current_database(),
                   current_setting('scrutin.default_poll'));
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'the view votes keeps its default poll: changing it takes a superuser';
END $$;
\endif
SELECT current_database() AS database \gset
GRANT CREATE, USAGE ON SCHEMA public TO scrutin_owner;
GRANT USAGE ON SCHEMA public TO scrutin_worker, scrutin_result;
GRANT CONNECT ON DATABASE :"database" TO scrutin_worker, scrutin_result;

SET ROLE scrutin_owner;
SET search_path = public;
CREATE TABLE IF NOT EXISTS schema_migrations (
    version    integer     PRIMARY KEY,
    name       text        NOT NULL,
    sha256     text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

SELECT coalesce(max(version), 0) AS found, coalesce(max(version), 0) > :newest AS too_new
  FROM schema_migrations \gset
\if :too_new
\warn 'The database is at schema version' :found 'but these files end at' :newest': use the release that belongs to the database.'
DO $$ BEGIN RAISE EXCEPTION 'the schema is newer than this db/migrate'; END $$;
\endif
