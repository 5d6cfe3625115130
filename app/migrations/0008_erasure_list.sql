-- What was destroyed stays destroyed when yesterday's backup is put back: each destroyed key is noted in the transaction
-- that destroys it, and the checkpoint maker publishes it outside of the database.

SET LOCAL ROLE tsuzuri_owner;

CREATE TABLE destroyed_key (
    part       smallint    NOT NULL,
    key_id     uuid        NOT NULL,
    patient_id uuid        NOT NULL,  -- the owner, as in data_key
    said_by    uuid,                  -- the event that says so; NULL: destroyed before this table was made
    at         timestamptz NOT NULL,
    listed     boolean     NOT NULL DEFAULT false,  -- published
    PRIMARY KEY (part, key_id)
);
CREATE INDEX destroyed_key_unlisted ON destroyed_key (at) WHERE NOT listed;

INSERT INTO destroyed_key (part, key_id, patient_id, at)
    SELECT part, key_id, patient_id, now() FROM data_key WHERE wrapped IS NULL;

-- As in 0002; and notes what it destroyed.
CREATE OR REPLACE FUNCTION destroy_keys(owner_part smallint, owner uuid, destroyed uuid[], said_by uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    number integer;
BEGIN
    PERFORM FROM part_head h WHERE h.part = owner_part FOR UPDATE;
    IF EXISTS (SELECT FROM event e WHERE e.part = owner_part AND e.event_id = destroy_keys.said_by) THEN
        RETURN 0;
    END IF;
    IF EXISTS (
        SELECT FROM patient_head h WHERE h.part = owner_part AND h.patient_id = owner AND h.holds <> '{}'
    ) THEN
        RAISE EXCEPTION 'a hold stands' USING ERRCODE = 'TZ006';
    END IF;
    PERFORM FROM data_key k WHERE k.part = owner_part AND k.key_id = ANY (destroyed) ORDER BY k.key_id FOR UPDATE;
    WITH gone AS (
        UPDATE data_key k SET wrapped = NULL
            WHERE k.part = owner_part AND k.patient_id = owner AND k.key_id = ANY (destroyed)
            AND k.wrapped IS NOT NULL
            RETURNING k.key_id
    )
    INSERT INTO destroyed_key AS d (part, key_id, patient_id, said_by, at)
        SELECT owner_part, g.key_id, owner, destroy_keys.said_by, clock_timestamp() FROM gone g
        ON CONFLICT (part, key_id) DO UPDATE SET said_by = excluded.said_by, at = excluded.at, listed = false;
    GET DIAGNOSTICS number = ROW_COUNT;
    UPDATE patient_head h SET consents = NULL, consents_key = NULL
        WHERE h.part = owner_part AND h.patient_id = owner AND h.consents_key = ANY (destroyed);
    -- Whose record is gone is not found by name either.
    DELETE FROM blind_index b WHERE b.patient_id = owner AND NOT EXISTS (
        SELECT FROM data_key k
        WHERE k.part = owner_part AND k.patient_id = owner AND k.use = 'record' AND k.wrapped IS NOT NULL);
    RETURN number;
END
$$;

GRANT SELECT, UPDATE (listed) ON destroyed_key TO tsuzuri_checkpointer;

RESET ROLE;
