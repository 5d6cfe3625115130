-- How far patients have been told of reads that waited for no consent. The outlet may get a notice again, none is passed
-- over: the place of a part moves behind an event when its notice is delivered.

SET LOCAL ROLE tsuzuri_owner;

CREATE TABLE notice_place (
    part smallint PRIMARY KEY,
    pos  bigint NOT NULL
) WITH (fillfactor = 50);

-- The process that sends. It holds this as long as it was seen of late.
CREATE TABLE notice_sender (
    process uuid,
    host    text,
    pid     integer,
    seen_at timestamptz
);
CREATE UNIQUE INDEX notice_sender_one ON notice_sender ((true));
INSERT INTO notice_sender DEFAULT VALUES;

GRANT SELECT, INSERT, UPDATE ON notice_place TO tsuzuri_projector;
GRANT SELECT, UPDATE ON notice_sender TO tsuzuri_projector;
GRANT SELECT ON notice_place, notice_sender TO tsuzuri_reader, tsuzuri_auditor;

RESET ROLE;
