-- The proofs of tokens that are bound to a key (DPoP, RFC 9449), kept until none of them could be shown again: whichever
-- process a proof comes to, it counts once. Of a proof only a digest is kept.

DO $$
BEGIN
    BEGIN
        CREATE ROLE tsuzuri_doorkeeper LOGIN NOINHERIT;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;  -- roles belong to the whole server: another database of it has it already
    END;
END
$$;
GRANT USAGE ON SCHEMA public TO tsuzuri_doorkeeper;

SET LOCAL ROLE tsuzuri_owner;

CREATE TABLE proof_seen (
    digest bytea       PRIMARY KEY,
    until  timestamptz NOT NULL
);
CREATE INDEX proof_seen_until ON proof_seen (until);

GRANT SELECT, INSERT, DELETE ON proof_seen TO tsuzuri_doorkeeper;

RESET ROLE;
