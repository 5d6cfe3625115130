-- The immutable log. A patient's events all live in one part; in a part, positions are gapless and in
-- commit order, because every append bumps the part's head row and holds it until it commits.

SET LOCAL ROLE tsuzuri_owner;

CREATE TABLE log_setting (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    parts    smallint NOT NULL CHECK (parts BETWEEN 1 AND 4096)  -- fixed when the database is made
);

CREATE TABLE part_head (
    part smallint PRIMARY KEY,
    pos  bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- What a decision reads, and what the guard of an access compares.
CREATE TABLE patient_head (
    part         smallint NOT NULL,
    patient_id   uuid     NOT NULL,
    guard_pos    bigint   NOT NULL DEFAULT 0,   -- position of the last event that may narrow what is seen
    consents     bytea,                         -- the consent stream, folded and sealed
    consents_key uuid,
    holds        uuid[]   NOT NULL DEFAULT '{}',  -- while there is one, none of the patient's keys is destroyed
    linked       uuid[]   NOT NULL DEFAULT '{}',  -- all who are this patient, the survivor first; none: nobody else is
    linked_parts smallint[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (part, patient_id)
);

CREATE TABLE data_key (
    part       smallint NOT NULL,
    key_id     uuid     NOT NULL,
    patient_id uuid     NOT NULL,  -- the owner, as in event
    use        text     NOT NULL,
    epoch      integer  NOT NULL,  -- of the key-encryption key that wraps it
    wrapped    bytea,              -- NULL once destroyed: unreadable for ever
    PRIMARY KEY (part, key_id)
);
-- A stream has one key at a time.
CREATE UNIQUE INDEX data_key_stream ON data_key (part, patient_id, use)
    WHERE wrapped IS NOT NULL AND use IN ('record', 'consent', 'access');
CREATE INDEX data_key_epoch ON data_key (epoch, part, key_id) WHERE wrapped IS NOT NULL;

CREATE TABLE event (
    part        smallint    NOT NULL,
    pos         bigint      NOT NULL,
    event_id    uuid        NOT NULL,
    patient_id  uuid        NOT NULL,  -- the owner: a patient, or what concerns no patient
    stream      smallint    NOT NULL,
    version     bigint,                -- NULL in the access stream
    topic       text        NOT NULL,
    key_id      uuid        NOT NULL,  -- the data key of the state
    state       bytea       NOT NULL,  -- sealed
    recorded_at timestamptz NOT NULL,
    hash        bytea       NOT NULL,  -- leaf hash over the columns above
    PRIMARY KEY (part, pos),
    UNIQUE (part, patient_id, stream, version),
    UNIQUE (part, event_id)
);
ALTER TABLE event ALTER COLUMN state SET STORAGE EXTERNAL;
ALTER TABLE event SET (toast_tuple_target = 8160);  -- a state of a few KB stays in its row: a third faster

-- Received Bundles and the units taken from them.
CREATE TABLE payload (
    part       smallint NOT NULL,
    payload_id uuid     NOT NULL,
    key_id     uuid     NOT NULL,
    size       integer  NOT NULL,  -- bytes, before it was compressed and sealed
    body       bytea    NOT NULL,  -- sealed
    PRIMARY KEY (part, payload_id)
);
ALTER TABLE payload ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE TABLE identifier (
    digest     bytea PRIMARY KEY,  -- keyed hash of a number in its one spelling
    patient_id uuid NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to   timestamptz
);
CREATE INDEX identifier_patient ON identifier (patient_id);

-- Who a patient without a card may be: keyed hashes of kana name, birth date and sex with insurer or postcode. Unlike a
-- number, several patients may share one.
CREATE TABLE blind_index (
    digest     bytea NOT NULL,
    patient_id uuid  NOT NULL,
    PRIMARY KEY (digest, patient_id)
);
CREATE INDEX blind_index_patient ON blind_index (patient_id);

-- RFC 9162 leaf: 0x00, then the header with fixed or marked lengths, then the stored state. Numbers are big-endian,
-- the moment is in microseconds since 2000-01-01 UTC. Anyone can recompute it from the row alone.
CREATE FUNCTION leaf_hash(
    part smallint, pos bigint, event_id uuid, patient_id uuid, stream smallint, version bigint,
    topic text, key_id uuid, state bytea, recorded_at timestamptz
) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$  -- not IMMUTABLE: so it is inlined where it is called
    SELECT sha256(
        '\x00'::bytea || int2send(part) || int8send(pos) || uuid_send(event_id) || uuid_send(patient_id)
        || int2send(stream) || int8send(coalesce(version, 0)) || timestamptz_send(recorded_at)
        || int4send(octet_length(convert_to(topic, 'UTF8'))) || convert_to(topic, 'UTF8')
        || uuid_send(key_id) || state)
$$;

-- The one way into the log. It locks the part heads in order; only then, as later statements with a fresh
-- snapshot, does it check and write. One statement that did both would decide on a snapshot from before the
-- lock wait and let a withdrawn consent through.
--
-- The events come in the order of their parts: counts[1] of them lie in part heads[1], and so on. They get the
-- positions behind the old heads, which are the answer (bases), with the moment. Several writes may share a call; guards
-- say by number to which of them they belong (guard_members).
-- What is looked up is looked up by single values, (SELECT … WHERE key = …), and not by joins or EXISTS: those a planner may
-- turn into a pass over a whole index, which cost 40 ms a call once the tables were analyzed.
--
-- Errors, after which nothing is written:
--   TZ001 an event that narrows came in between, for the writes whose numbers are the detail ("2,5")
--   TZ002 a number was claimed for another patient     TZ003 a stream has moved on
--   TZ005 a key is unknown, another owner's, or destroyed     23505 a version is taken, or an event is stored already
CREATE FUNCTION append_events(
    heads smallint[], counts integer[], event_ids uuid[], owners uuid[], streams smallint[], versions bigint[],
    topics text[], key_ids uuid[], states bytea[], narrowing boolean[],
    guard_members integer[] DEFAULT '{}', guard_parts smallint[] DEFAULT '{}',
    guard_patients uuid[] DEFAULT '{}', guard_positions bigint[] DEFAULT '{}',
    consent_parts smallint[] DEFAULT '{}', consent_patients uuid[] DEFAULT '{}',
    consent_keys uuid[] DEFAULT '{}', consent_states bytea[] DEFAULT '{}',
    payload_parts smallint[] DEFAULT '{}', payload_owners uuid[] DEFAULT '{}', payload_ids uuid[] DEFAULT '{}',
    payload_keys uuid[] DEFAULT '{}', payload_sizes integer[] DEFAULT '{}', payload_bodies bytea[] DEFAULT '{}',
    claim_digests bytea[] DEFAULT '{}', claim_patients uuid[] DEFAULT '{}',
    blind_digests bytea[] DEFAULT '{}', blind_patients uuid[] DEFAULT '{}',
    new_key_parts smallint[] DEFAULT '{}', new_key_ids uuid[] DEFAULT '{}', new_key_owners uuid[] DEFAULT '{}',
    new_key_uses text[] DEFAULT '{}', new_key_epochs integer[] DEFAULT '{}', new_key_wrapped bytea[] DEFAULT '{}',
    OUT bases bigint[], OUT moment timestamptz
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    parts     smallint[];  -- of each event
    positions bigint[];    -- of each event
    narrowed  text;
    held      smallint;
BEGIN
    IF cardinality(heads) = 1 AND guard_parts <@ heads THEN
        UPDATE part_head h SET pos = h.pos + counts[1] WHERE h.part = heads[1]
            RETURNING ARRAY[h.pos - counts[1]] INTO bases;
    ELSE
        -- What a decision read may lie in other parts (who is linked with the patient, the facility's rights, the windows):
        -- their heads are held too, so that nothing narrows there until this has committed.
        FOREACH held IN ARRAY ARRAY(SELECT DISTINCT unnest(heads || guard_parts) ORDER BY 1) LOOP
            IF held = ANY (heads) THEN
                PERFORM FROM part_head h WHERE h.part = held FOR UPDATE;
            ELSE
                PERFORM FROM part_head h WHERE h.part = held FOR SHARE;
            END IF;
        END LOOP;
        WITH moved AS (
            UPDATE part_head h SET pos = h.pos + n.events FROM unnest(heads, counts) AS n (part, events)
            WHERE h.part = n.part RETURNING h.part, h.pos - n.events AS base
        )
        SELECT array_agg(m.base ORDER BY m.part) INTO bases FROM moved m;
    END IF;
    SELECT array_agg(n.part ORDER BY n.part, place), array_agg(n.base + place ORDER BY n.part, place)
        INTO parts, positions
        FROM unnest(heads, counts, bases) AS n (part, events, base), generate_series(1, n.events) AS place;
    IF cardinality(positions) IS DISTINCT FROM cardinality(event_ids) THEN
        RAISE EXCEPTION 'heads and counts do not fit the events' USING ERRCODE = '22023';
    END IF;
    moment := clock_timestamp();

    IF cardinality(guard_parts) > 0 THEN
        SELECT string_agg(g.member::text, ',') INTO narrowed
            FROM unnest(guard_members, guard_parts, guard_patients, guard_positions) AS g (member, part, patient_id, pos)
            WHERE g.pos < (
                SELECT h.guard_pos FROM patient_head h WHERE h.part = g.part AND h.patient_id = g.patient_id);
        IF narrowed IS NOT NULL THEN
            RAISE EXCEPTION 'an event that narrows sight came in between' USING ERRCODE = 'TZ001', DETAIL = narrowed;
        END IF;
    END IF;

    IF cardinality(claim_digests) > 0 THEN
        INSERT INTO identifier (digest, patient_id, valid_from)
            SELECT c.digest, c.patient_id, moment
            FROM unnest(claim_digests, claim_patients) AS c (digest, patient_id) ORDER BY c.digest
            ON CONFLICT (digest) DO NOTHING;
        IF EXISTS (
            SELECT FROM unnest(claim_digests, claim_patients) AS c (digest, patient_id)
            WHERE c.patient_id <> (SELECT i.patient_id FROM identifier i WHERE i.digest = c.digest)
        ) THEN
            RAISE EXCEPTION 'a number was claimed for another patient' USING ERRCODE = 'TZ002';
        END IF;
    END IF;

    IF cardinality(blind_digests) > 0 THEN
        INSERT INTO blind_index (digest, patient_id)
            SELECT b.digest, b.patient_id FROM unnest(blind_digests, blind_patients) AS b (digest, patient_id)
            ORDER BY 1, 2 ON CONFLICT DO NOTHING;
    END IF;

    IF cardinality(new_key_ids) > 0 THEN
        INSERT INTO data_key (part, key_id, patient_id, use, epoch, wrapped)
            SELECT * FROM unnest(new_key_parts, new_key_ids, new_key_owners, new_key_uses, new_key_epochs,
                                 new_key_wrapped)
            ON CONFLICT DO NOTHING;
    END IF;
    IF cardinality(payload_keys) + cardinality(consent_keys) > 0 AND EXISTS (
        SELECT FROM unnest(payload_parts || consent_parts, payload_keys || consent_keys,
                           payload_owners || consent_patients) AS n (part, key_id, owner)
        WHERE (SELECT k.epoch FROM data_key k WHERE k.part = n.part AND k.key_id = n.key_id
               AND k.patient_id = n.owner AND k.wrapped IS NOT NULL) IS NULL
    ) THEN
        RAISE EXCEPTION 'a key is unknown, another owner''s, or destroyed' USING ERRCODE = 'TZ005';
    END IF;

    IF EXISTS (
        SELECT FROM (SELECT DISTINCT * FROM unnest(parts, key_ids, owners)) AS n (part, key_id, owner)
        WHERE (SELECT k.epoch FROM data_key k WHERE k.part = n.part AND k.key_id = n.key_id
               AND k.patient_id = n.owner AND k.wrapped IS NOT NULL) IS NULL
    ) THEN
        RAISE EXCEPTION 'a key is unknown, another owner''s, or destroyed' USING ERRCODE = 'TZ005';
    END IF;
    -- Versions go on without a gap, from 0 or 1. That none is taken twice, the unique index holds.
    IF cardinality(array_remove(versions, NULL)) > 0 AND EXISTS (
        SELECT FROM (
            SELECT n.part, n.patient_id, n.stream, min(n.version) AS first, max(n.version) AS last, count(*) AS n
            FROM unnest(parts, owners, streams, versions) AS n (part, patient_id, stream, version)
            WHERE n.version IS NOT NULL GROUP BY 1, 2, 3
        ) AS new
        WHERE new.last - new.first + 1 <> new.n OR new.first < 0 OR new.first <> 1 AND (new.first > 0) = ((
            SELECT e.pos FROM event e WHERE e.part = new.part AND e.patient_id = new.patient_id
            AND e.stream = new.stream AND e.version = CASE new.first WHEN 0 THEN 1 ELSE new.first - 1 END) IS NULL)
    ) THEN
        RAISE EXCEPTION 'a stream has moved on' USING ERRCODE = 'TZ003';
    END IF;
    INSERT INTO event (part, pos, event_id, patient_id, stream, version, topic, key_id, state, recorded_at, hash)
        SELECT p.part, p.pos, p.event_id, p.patient_id, p.stream, p.version, p.topic, p.key_id, p.state, moment,
               leaf_hash(p.part, p.pos, p.event_id, p.patient_id, p.stream, p.version, p.topic, p.key_id,
                         p.state, moment)
        FROM (
            SELECT unnest(parts) AS part, unnest(positions) AS pos, unnest(event_ids) AS event_id,
                   unnest(owners) AS patient_id, unnest(streams) AS stream, unnest(versions) AS version,
                   unnest(topics) AS topic, unnest(key_ids) AS key_id, unnest(states) AS state
        ) AS p;

    IF true = ANY (narrowing) THEN
        INSERT INTO patient_head AS h (part, patient_id, guard_pos)
            SELECT n.part, n.patient_id, max(n.pos)
            FROM unnest(parts, positions, owners, narrowing) AS n (part, pos, patient_id, narrows)
            WHERE n.narrows GROUP BY 1, 2
            ON CONFLICT (part, patient_id) DO UPDATE SET guard_pos = excluded.guard_pos;
    END IF;
    IF cardinality(consent_parts) > 0 THEN
        INSERT INTO patient_head AS h (part, patient_id, consents, consents_key)
            SELECT * FROM unnest(consent_parts, consent_patients, consent_states, consent_keys)
            ON CONFLICT (part, patient_id)
            DO UPDATE SET consents = excluded.consents, consents_key = excluded.consents_key;
    END IF;
    IF cardinality(payload_ids) > 0 THEN
        INSERT INTO payload (part, payload_id, key_id, size, body)
            SELECT * FROM unnest(payload_parts, payload_ids, payload_keys, payload_sizes, payload_bodies);
    END IF;
END
$$;

-- The same for one event with nothing beside it, the most frequent append, in half the time.
CREATE FUNCTION append_event(
    new_part smallint, new_event_id uuid, owner uuid, new_stream smallint, new_version bigint,
    new_topic text, new_key_id uuid, new_state bytea,
    OUT bases bigint[], OUT moment timestamptz
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    base bigint;
BEGIN
    UPDATE part_head h SET pos = h.pos + 1 WHERE h.part = new_part RETURNING h.pos - 1 INTO base;
    bases := ARRAY[base];
    moment := clock_timestamp();
    INSERT INTO event (part, pos, event_id, patient_id, stream, version, topic, key_id, state, recorded_at, hash)
        SELECT new_part, base + 1, new_event_id, owner, new_stream, new_version, new_topic, new_key_id, new_state,
               moment, leaf_hash(new_part, base + 1, new_event_id, owner, new_stream, new_version, new_topic,
                                 new_key_id, new_state, moment)
        FROM data_key k
        WHERE k.part = new_part AND k.key_id = new_key_id AND k.patient_id = owner AND k.wrapped IS NOT NULL
          AND (new_version IS NULL OR new_version = 1 OR new_version >= 0 AND (new_version > 0) = EXISTS (
              SELECT FROM event e WHERE e.part = new_part AND e.patient_id = owner AND e.stream = new_stream
              AND e.version = CASE new_version WHEN 0 THEN 1 ELSE new_version - 1 END));
    IF NOT FOUND THEN
        PERFORM FROM data_key k
            WHERE k.part = new_part AND k.key_id = new_key_id AND k.patient_id = owner AND k.wrapped IS NOT NULL;
        IF FOUND THEN
            RAISE EXCEPTION 'a stream has moved on' USING ERRCODE = 'TZ003';
        END IF;
        RAISE EXCEPTION 'a key is unknown, another owner''s, or destroyed' USING ERRCODE = 'TZ005';
    END IF;
END
$$;

-- Waits until every append that has begun in one part is over. What begins later is recorded with a later time.
CREATE FUNCTION await_appends(awaited smallint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT FROM part_head h WHERE h.part = awaited FOR SHARE
$$;

-- Destroys keys of one owner, in a transaction that also appends the event that says so. When that event is stored
-- already, nothing is destroyed: the keys that are found now may be newer than it.
-- Error: TZ006 a hold stands.
CREATE FUNCTION destroy_keys(owner_part smallint, owner uuid, destroyed uuid[], said_by uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    number integer;
BEGIN
    PERFORM FROM part_head h WHERE h.part = owner_part FOR UPDATE;
    IF EXISTS (SELECT FROM event e WHERE e.part = owner_part AND e.event_id = said_by) THEN
        RETURN 0;
    END IF;
    IF EXISTS (
        SELECT FROM patient_head h WHERE h.part = owner_part AND h.patient_id = owner AND h.holds <> '{}'
    ) THEN
        RAISE EXCEPTION 'a hold stands' USING ERRCODE = 'TZ006';
    END IF;
    PERFORM FROM data_key k WHERE k.part = owner_part AND k.key_id = ANY (destroyed) ORDER BY k.key_id FOR UPDATE;
    UPDATE data_key k SET wrapped = NULL
        WHERE k.part = owner_part AND k.patient_id = owner AND k.key_id = ANY (destroyed) AND k.wrapped IS NOT NULL;
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

-- Places a hold, or lifts it, in a transaction that also appends the event that says so.
CREATE FUNCTION set_hold(owner_part smallint, owner uuid, hold uuid, standing boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM part_head h WHERE h.part = owner_part FOR UPDATE;
    INSERT INTO patient_head AS h (part, patient_id, holds)
        VALUES (owner_part, owner, CASE WHEN standing THEN ARRAY[hold] ELSE '{}'::uuid[] END)
        ON CONFLICT (part, patient_id) DO UPDATE
        SET holds = array_remove(h.holds, hold) || CASE WHEN standing THEN ARRAY[hold] ELSE '{}'::uuid[] END;
END
$$;

-- Says of each of some patients who else is the same person, in a transaction that also appends the events that say so.
-- *members*: those of one set after the other, *sizes* how many each has, the survivor first in each.
CREATE FUNCTION set_linked(member_parts smallint[], members uuid[], sizes integer[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    size integer;
    first integer := 1;
BEGIN
    PERFORM FROM part_head h WHERE h.part = ANY (member_parts) ORDER BY h.part FOR UPDATE;
    FOREACH size IN ARRAY sizes LOOP
        INSERT INTO patient_head AS h (part, patient_id, linked, linked_parts)
            SELECT m.part, m.patient_id,
                   CASE WHEN size = 1 THEN '{}'::uuid[] ELSE members[first:first + size - 1] END,
                   CASE WHEN size = 1 THEN '{}'::smallint[] ELSE member_parts[first:first + size - 1] END
            FROM unnest(member_parts[first:first + size - 1], members[first:first + size - 1]) AS m (part, patient_id)
            ON CONFLICT (part, patient_id)
            DO UPDATE SET linked = excluded.linked, linked_parts = excluded.linked_parts;
        first := first + size;
    END LOOP;
END
$$;

-- Stores keys under a new wrapping. A key that was destroyed or wrapped anew meanwhile stays as it is.
CREATE FUNCTION rewrap_keys(
    key_parts smallint[], rewrapped uuid[], olds bytea[], news bytea[], epochs integer[]
) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    number integer;
BEGIN
    PERFORM FROM data_key k JOIN unnest(key_parts, rewrapped) AS n (part, key_id) USING (part, key_id)
        ORDER BY k.part, k.key_id FOR UPDATE OF k;
    UPDATE data_key k SET wrapped = n.wrapped, epoch = n.epoch
        FROM unnest(key_parts, rewrapped, olds, news, epochs) AS n (part, key_id, old, wrapped, epoch)
        WHERE k.part = n.part AND k.key_id = n.key_id AND k.wrapped = n.old;
    GET DIAGNOSTICS number = ROW_COUNT;
    RETURN number;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON FUNCTION append_events, append_event TO tsuzuri_writer, tsuzuri_keeper;
GRANT EXECUTE ON FUNCTION destroy_keys, set_hold, set_linked, rewrap_keys TO tsuzuri_keeper;
GRANT EXECUTE ON FUNCTION await_appends TO tsuzuri_auditor;
GRANT EXECUTE ON FUNCTION leaf_hash TO tsuzuri_reader, tsuzuri_auditor;
GRANT SELECT ON log_setting TO tsuzuri_reader, tsuzuri_projector, tsuzuri_auditor, tsuzuri_keeper;
GRANT SELECT ON part_head, event TO tsuzuri_reader, tsuzuri_projector, tsuzuri_auditor;
GRANT SELECT ON data_key TO tsuzuri_reader, tsuzuri_projector, tsuzuri_keeper;
GRANT SELECT ON payload TO tsuzuri_reader, tsuzuri_projector;
GRANT SELECT (part, payload_id, key_id) ON payload TO tsuzuri_keeper;
GRANT SELECT ON patient_head, identifier, blind_index TO tsuzuri_reader;

RESET ROLE;
