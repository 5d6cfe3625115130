-- What the projections know of themselves. Each generation of a projection lives in a schema of its own,
-- "<name>_g<generation>", which the projector makes and owns; reads follow the pointer `live`.

SET LOCAL ROLE tsuzuri_owner;

CREATE TABLE projection (
    name     text PRIMARY KEY,
    live     integer NOT NULL,
    previous integer,                        -- what reads followed before, to which a rollback goes
    paused   boolean NOT NULL DEFAULT false  -- nothing is applied to any of its generations
);

CREATE TABLE projection_generation (
    name       text        NOT NULL REFERENCES projection,
    generation integer     NOT NULL,
    version    integer     NOT NULL,  -- of the projection's code that fills it
    codes      text        NOT NULL,  -- name of the code release that it is filled under
    state      text        NOT NULL CHECK (state IN ('FILLING', 'READY', 'LIVE', 'RETIRED')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, generation)
);

-- A generation has a row for each part from its beginning. While a part is filled, owner after owner, its position
-- stays 0 until it is done.
CREATE TABLE projection_checkpoint (
    name       text     NOT NULL,
    generation integer  NOT NULL,
    part       smallint NOT NULL,
    pos        bigint   NOT NULL DEFAULT 0,
    fill_upto  bigint,  -- the head up to which it is filled; NULL when that is done
    fill_after uuid,    -- the owner up to whom that is done
    PRIMARY KEY (name, generation, part),
    FOREIGN KEY (name, generation) REFERENCES projection_generation ON DELETE CASCADE
) WITH (fillfactor = 50);

-- Patients set aside, each at the event that could not be applied; what comes later waits in the log.
CREATE TABLE projection_quarantine (
    name       text     NOT NULL,
    generation integer  NOT NULL,
    patient_id uuid     NOT NULL,
    part       smallint NOT NULL,
    pos        bigint   NOT NULL,
    event_id   uuid     NOT NULL,
    topic      text     NOT NULL,
    step       text     NOT NULL,  -- decode, fold or merge
    fault      text     NOT NULL,  -- the kind of error
    quarantined_at timestamptz NOT NULL DEFAULT now(),
    attempts   integer  NOT NULL DEFAULT 1,
    PRIMARY KEY (name, generation, patient_id),
    FOREIGN KEY (name, generation) REFERENCES projection_generation ON DELETE CASCADE
);

-- Events that an operator had left out of a projection; who and why is in the log.
CREATE TABLE projection_skip (
    name     text NOT NULL REFERENCES projection,
    event_id uuid NOT NULL,
    PRIMARY KEY (name, event_id)
);

-- The processes that apply events, and which parts each has. A lease holds while its process was seen of late;
-- its fence grows whenever it changes hands.
CREATE TABLE projector (
    process    uuid PRIMARY KEY,
    host       text        NOT NULL,
    pid        integer     NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE projector_lease (
    part    smallint PRIMARY KEY,
    process uuid,
    fence   bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- What each process says of its work, a row for each generation it works on.
CREATE TABLE projector_report (
    process       uuid    NOT NULL REFERENCES projector ON DELETE CASCADE,
    name          text    NOT NULL,
    generation    integer NOT NULL,
    events        bigint  NOT NULL,            -- applied since it started
    per_second    double precision NOT NULL,   -- of late
    batch_seconds double precision NOT NULL,   -- of the last batch, for which it held a snapshot
    batch_seconds_max double precision NOT NULL,
    reported_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (process, name, generation)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON projection, projection_generation, projection_checkpoint,
    projection_quarantine, projection_skip, projector, projector_lease, projector_report TO tsuzuri_projector;
GRANT SELECT ON projection, projection_generation, projection_checkpoint, projection_quarantine, projection_skip,
    projector, projector_lease, projector_report TO tsuzuri_reader, tsuzuri_auditor;

RESET ROLE;

-- So that each process can see whether the database fits it.
GRANT SELECT ON migration TO tsuzuri_reader, tsuzuri_projector, tsuzuri_auditor, tsuzuri_keeper;
