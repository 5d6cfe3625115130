-- Who may do what. The owner holds every table and function of the log and cannot log in. The service comes in as the
-- others, each with a password of its own; what they may touch is granted where the tables are made.

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'tsuzuri_owner', 'tsuzuri_writer', 'tsuzuri_reader', 'tsuzuri_projector', 'tsuzuri_auditor', 'tsuzuri_keeper'
    ] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;  -- roles belong to the whole server: another database of it has them already
        END;
        IF name <> 'tsuzuri_owner' THEN
            EXECUTE format('ALTER ROLE %I LOGIN', name);
        END IF;
    END LOOP;
    EXECUTE format('GRANT tsuzuri_owner, tsuzuri_projector TO %I', current_user);
END
$$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public
    TO tsuzuri_writer, tsuzuri_reader, tsuzuri_projector, tsuzuri_auditor, tsuzuri_keeper;
GRANT USAGE, CREATE ON SCHEMA public TO tsuzuri_owner;

ALTER ROLE tsuzuri_reader SET default_transaction_read_only = on;

-- All they run is a handful of statements over arrays and keys. Planned anew for each array, as the planner would
-- have it, each costs twice what it does; and a plan made while a table was empty must not read all of it later.
ALTER ROLE tsuzuri_writer SET plan_cache_mode = force_generic_plan;
ALTER ROLE tsuzuri_writer SET enable_seqscan = off;
ALTER ROLE tsuzuri_keeper SET plan_cache_mode = force_generic_plan;
ALTER ROLE tsuzuri_keeper SET enable_seqscan = off;
