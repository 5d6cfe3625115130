-- What the checkpoint maker writes: the Merkle trees over the log (RFC 9162), the map of accesses, and the heads that it
-- signed. All of it follows from the log; what was published outside of the database is what others go by.

DO $$
BEGIN
    BEGIN
        CREATE ROLE tsuzuri_checkpointer LOGIN NOINHERIT;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;  -- roles belong to the whole server: another database of it has it already
    END;
END
$$;
GRANT USAGE ON SCHEMA public TO tsuzuri_checkpointer;
ALTER ROLE tsuzuri_checkpointer SET enable_seqscan = off;

SET LOCAL ROLE tsuzuri_owner;

-- What the whole log was at one moment; the note signs the tree over all heads up to this one.
CREATE TABLE log_head (
    number        bigint      PRIMARY KEY,  -- from 1: the size of that tree
    at            timestamptz NOT NULL,     -- every event recorded before it is under the head
    events_root   bytea       NOT NULL,
    accesses_root bytea       NOT NULL,
    note          text        NOT NULL
);

-- The parts that had changed, each as it stood at a head. At any head a part is as its last row until then.
CREATE TABLE part_head_at (
    part          smallint NOT NULL,
    head          bigint   NOT NULL,
    size          bigint   NOT NULL,  -- events
    root          bytea    NOT NULL,
    accesses_root bytea    NOT NULL,
    PRIMARY KEY (part, head)
);

-- Each part's tree, and under -1 that of the heads: how far it has come, and its complete subtrees, the largest first.
CREATE TABLE tree (
    part     smallint PRIMARY KEY,
    size     bigint   NOT NULL,
    frontier bytea    NOT NULL
) WITH (fillfactor = 50);

-- Complete subtrees of 2^8, 2^16, … leaves. Those below follow from the hashes of the events.
CREATE TABLE tree_node (
    part  smallint NOT NULL,
    level smallint NOT NULL,
    place bigint   NOT NULL,  -- among those of its level, from 0
    hash  bytea    NOT NULL,
    PRIMARY KEY (part, level, place)
);

-- The leaves of the tree of heads.
CREATE TABLE head_leaf (
    number bigint PRIMARY KEY,  -- as in log_head
    hash   bytea  NOT NULL
);

-- For each owner of an access stream, her tree of accesses: how many, and its complete subtrees.
CREATE TABLE access_list (
    part       smallint NOT NULL,
    patient_id uuid     NOT NULL,
    bucket     smallint NOT NULL,  -- the first 12 bits of SHA-256 over her id
    size       bigint   NOT NULL,
    frontier   bytea    NOT NULL,
    PRIMARY KEY (part, patient_id)
) WITH (fillfactor = 70);
CREATE INDEX access_list_bucket ON access_list (part, bucket);

-- The upper 12 bits of each part's map: page 0 has the 64 subtrees of 6 bits, page 1 + n the 64 below the n-th of them.
CREATE TABLE access_page (
    part  smallint NOT NULL,
    page  smallint NOT NULL,
    slots bytea    NOT NULL,  -- 64 times 33 bytes: 1 for a single entry, else 0, and the hash
    PRIMARY KEY (part, page)
) WITH (fillfactor = 50);

-- An access as it stands in its owner's list: its leaf there. Told of the state: the first section, and a hash of the rest.
CREATE FUNCTION access_leaf(event_id uuid, owner uuid, recorded_at timestamptz, key_id uuid, state bytea) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha256(
        '\x00'::bytea || uuid_send(event_id) || uuid_send(owner) || timestamptz_send(recorded_at) || uuid_send(key_id)
        || CASE WHEN octet_length(state) > s.told + 4 THEN '\x02'::bytea ELSE '\x01'::bytea END
        || sha256(substring(state FROM s.told + 9)) || substring(state FROM 5 FOR s.told))
    FROM (SELECT ('x' || encode(substring(state FOR 4), 'hex'))::bit(32)::integer AS told) AS s
$$;

REVOKE ALL ON FUNCTION access_leaf FROM PUBLIC;
GRANT EXECUTE ON FUNCTION access_leaf, await_appends TO tsuzuri_checkpointer;
GRANT SELECT ON log_setting, part_head, event TO tsuzuri_checkpointer;
GRANT SELECT, INSERT, UPDATE ON log_head, part_head_at, tree, tree_node, head_leaf, access_list, access_page
    TO tsuzuri_checkpointer;
GRANT SELECT ON log_head, part_head_at, tree, tree_node, head_leaf, access_list, access_page
    TO tsuzuri_auditor, tsuzuri_reader;

RESET ROLE;
