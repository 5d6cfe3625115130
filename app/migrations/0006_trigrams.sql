-- Parts of names are found by their trigrams, where the server has them (contrib) and whoever migrates may add them.
-- Nothing needs them: without, all names are read. A generation that is filled afterwards has its index.

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') THEN
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'pg_trgm is not added: whoever owns the database may do it later (CREATE EXTENSION pg_trgm)';
END
$$;
