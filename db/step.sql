-- The step of db/migrate for one migration: applies the file and adds its row, or compares the row with the file.
-- SPDX-License-Identifier: MIT

SELECT count(*) = 0 AS due, coalesce(bool_or(sha256 <> :'sum'), false) AS edited
  FROM schema_migrations WHERE version = :version \gset
\if :edited
\warn :file 'was edited after it was applied to this database: undo the edit and add a new migration instead.'
DO $$ BEGIN RAISE EXCEPTION 'an applied migration was edited'; END $$;
\endif
\if :due
\echo applying :name
BEGIN;
\i :file
INSERT INTO schema_migrations (version, name, sha256) VALUES (:version, :'name', :'sum');
COMMIT;
\endif
