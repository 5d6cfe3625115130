-- The immutable log. A patient's events all live in one part; in a part, positions are gapless and in
-- commit order, because every append bumps the part's head row and holds it until it commits.

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
    part       smallint NOT NULL,
    patient_id uuid     NOT NULL,
    guard_pos  bigint   NOT NULL DEFAULT 0,  -- position of the last event that may narrow what is seen
    consents   bytea,                        -- the consent stream, folded
    PRIMARY KEY (part, patient_id)
);

CREATE TABLE stream_head (
    part       smallint NOT NULL,
    patient_id uuid     NOT NULL,
    stream     smallint NOT NULL,
    version    bigint   NOT NULL,
    PRIMARY KEY (part, patient_id, stream)
);

CREATE TABLE event (
    part        smallint    NOT NULL,
    pos         bigint      NOT NULL,
    event_id    uuid        NOT NULL,
    patient_id  uuid        NOT NULL,  -- the owner: a patient, or what concerns no patient
    stream      smallint    NOT NULL,
    version     bigint,                -- NULL in the access stream
    topic       text        NOT NULL,
    key_id      uuid,                  -- the data key of the state; NULL while it is stored in the clear
    state       bytea       NOT NULL,
    recorded_at timestamptz NOT NULL,
    hash        bytea       NOT NULL,  -- leaf hash over the columns above
    PRIMARY KEY (part, pos),
    UNIQUE (part, patient_id, stream, version),
    UNIQUE (part, event_id)
);
ALTER TABLE event ALTER COLUMN state SET STORAGE EXTERNAL;
CREATE INDEX event_owner ON event (part, patient_id, pos);

-- Received Bundles and the units taken from them.
CREATE TABLE payload (
    part       smallint NOT NULL,
    payload_id uuid     NOT NULL,
    key_id     uuid,
    body       bytea    NOT NULL,
    PRIMARY KEY (part, payload_id)
);
ALTER TABLE payload ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE TABLE data_key (
    part       smallint NOT NULL,
    key_id     uuid     NOT NULL,
    patient_id uuid     NOT NULL,
    use        text     NOT NULL,
    wrapped    bytea,              -- NULL once destroyed: unreadable for ever
    PRIMARY KEY (part, key_id)
);

CREATE TABLE identifier (
    digest     bytea PRIMARY KEY,  -- keyed hash of a number in its one spelling
    patient_id uuid NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to   timestamptz
);
CREATE INDEX identifier_patient ON identifier (patient_id);

-- RFC 9162 leaf: 0x00, then the header with fixed or marked lengths, then the stored state.
-- Anyone can recompute it from the row alone.
CREATE FUNCTION leaf_hash(
    part smallint, pos bigint, event_id uuid, patient_id uuid, stream smallint, version bigint,
    topic text, key_id uuid, state bytea, recorded_at timestamptz
) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT sha256(
        '\x00'::bytea || int2send(part) || int8send(pos) || uuid_send(event_id) || uuid_send(patient_id)
        || int2send(stream) || int8send(coalesce(version, 0))
        || int8send((extract(epoch FROM recorded_at) * 1000000)::bigint)
        || int4send(octet_length(convert_to(topic, 'UTF8'))) || convert_to(topic, 'UTF8')
        || uuid_send(coalesce(key_id, '00000000-0000-0000-0000-000000000000'::uuid)) || state)
$$;

-- The one way into the log. It locks the part heads in order; only then, as later statements with a fresh
-- snapshot, does it check guards, claims and versions and write. One statement that did both would decide on
-- a snapshot from before the lock wait and let a withdrawn consent through.
--
-- Safe to repeat: when the event ids are stored already, their places come back and nothing is written.
-- Errors: TZ001 an event that narrows came between; TZ002 a number was claimed for another patient;
--         TZ003 a stream has moved on; TZ004 only some of the events are stored.
CREATE FUNCTION append_events(
    parts smallint[], event_ids uuid[], owners uuid[], streams smallint[], versions bigint[],
    topics text[], key_ids uuid[], states bytea[], narrowing boolean[],
    guard_parts smallint[], guard_patients uuid[], guard_positions bigint[],
    consent_parts smallint[], consent_patients uuid[], consent_states bytea[],
    payload_parts smallint[], payload_ids uuid[], payload_keys uuid[], payload_bodies bytea[],
    claim_digests bytea[], claim_patients uuid[]
) RETURNS TABLE (place_part smallint, place_pos bigint, place_recorded_at timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    stored integer;
    moment timestamptz;
BEGIN
    PERFORM 1 FROM part_head h WHERE h.part = ANY (parts) ORDER BY h.part FOR UPDATE;
    moment := clock_timestamp();

    SELECT count(*) INTO stored
      FROM unnest(parts, event_ids) AS n (part, event_id) JOIN event e USING (part, event_id);
    IF stored = cardinality(event_ids) THEN
        RETURN QUERY SELECT e.part, e.pos, e.recorded_at
            FROM unnest(parts, event_ids) WITH ORDINALITY AS n (part, event_id, place)
            JOIN event e USING (part, event_id) ORDER BY n.place;
        RETURN;
    ELSIF stored > 0 THEN
        RAISE EXCEPTION 'only some of these events are stored already' USING ERRCODE = 'TZ004';
    END IF;

    IF EXISTS (
        SELECT FROM unnest(guard_parts, guard_patients, guard_positions) AS g (part, patient_id, pos)
        JOIN patient_head h USING (part, patient_id) WHERE h.guard_pos > g.pos
    ) THEN
        RAISE EXCEPTION 'an event that narrows sight came in between' USING ERRCODE = 'TZ001';
    END IF;

    INSERT INTO identifier (digest, patient_id, valid_from)
        SELECT c.digest, c.patient_id, moment
        FROM unnest(claim_digests, claim_patients) AS c (digest, patient_id) ORDER BY c.digest
        ON CONFLICT (digest) DO NOTHING;
    IF EXISTS (
        SELECT FROM unnest(claim_digests, claim_patients) AS c (digest, patient_id)
        JOIN identifier i USING (digest) WHERE i.patient_id <> c.patient_id
    ) THEN
        RAISE EXCEPTION 'a number was claimed for another patient' USING ERRCODE = 'TZ002';
    END IF;

    IF EXISTS (
        SELECT FROM (
            SELECT n.part, n.patient_id, n.stream, min(n.version) AS first, max(n.version) AS last, count(*) AS n
            FROM unnest(parts, owners, streams, versions) AS n (part, patient_id, stream, version)
            WHERE n.version IS NOT NULL GROUP BY 1, 2, 3
        ) AS new LEFT JOIN stream_head h USING (part, patient_id, stream)
        WHERE new.first <> coalesce(h.version, 0) + 1 OR new.last - new.first + 1 <> new.n
    ) THEN
        RAISE EXCEPTION 'a stream has moved on' USING ERRCODE = 'TZ003';
    END IF;
    INSERT INTO stream_head AS h (part, patient_id, stream, version)
        SELECT n.part, n.patient_id, n.stream, max(n.version)
        FROM unnest(parts, owners, streams, versions) AS n (part, patient_id, stream, version)
        WHERE n.version IS NOT NULL GROUP BY 1, 2, 3
        ON CONFLICT (part, patient_id, stream) DO UPDATE SET version = excluded.version;

    RETURN QUERY
    WITH placed AS (
        SELECT n.*, h.pos + row_number() OVER (PARTITION BY n.part ORDER BY n.place) AS pos
        FROM unnest(parts, event_ids, owners, streams, versions, topics, key_ids, states) WITH ORDINALITY
             AS n (part, event_id, patient_id, stream, version, topic, key_id, state, place)
        JOIN part_head h USING (part)
    ), written AS (
        INSERT INTO event (part, pos, event_id, patient_id, stream, version, topic, key_id, state, recorded_at, hash)
        SELECT p.part, p.pos, p.event_id, p.patient_id, p.stream, p.version, p.topic, p.key_id, p.state, moment,
               leaf_hash(p.part, p.pos, p.event_id, p.patient_id, p.stream, p.version, p.topic, p.key_id,
                         p.state, moment)
        FROM placed p
    )
    SELECT p.part, p.pos, moment FROM placed p ORDER BY p.place;

    INSERT INTO patient_head AS h (part, patient_id, guard_pos)
        SELECT n.part, n.patient_id, max(e.pos)
        FROM unnest(parts, event_ids, owners, narrowing) AS n (part, event_id, patient_id, narrows)
        JOIN event e ON e.part = n.part AND e.event_id = n.event_id
        WHERE n.narrows GROUP BY 1, 2
        ON CONFLICT (part, patient_id) DO UPDATE SET guard_pos = excluded.guard_pos;
    INSERT INTO patient_head AS h (part, patient_id, consents)
        SELECT c.part, c.patient_id, c.consents
        FROM unnest(consent_parts, consent_patients, consent_states) AS c (part, patient_id, consents)
        ON CONFLICT (part, patient_id) DO UPDATE SET consents = excluded.consents;
    INSERT INTO payload (part, payload_id, key_id, body)
        SELECT * FROM unnest(payload_parts, payload_ids, payload_keys, payload_bodies);
    UPDATE part_head h SET pos = h.pos + n.events
        FROM (SELECT a.part, count(*) AS events FROM unnest(parts) AS a (part) GROUP BY 1) AS n
        WHERE h.part = n.part;
END
$$;
