-- What the projections know of themselves. Each generation of a projection lives in a schema of its own,
-- "<name>_g<generation>", which the projector makes and owns; reads follow the pointer `live`.

SET LOCAL ROLE tsuzuri_owner;

CREATE TABLE projection (
    name text PRIMARY KEY,
    live integer NOT NULL
);

CREATE TABLE projection_generation (
    name       text        NOT NULL REFERENCES projection,
    generation integer     NOT NULL,
    version    integer     NOT NULL,  -- of the projection's code that fills it
    state      text        NOT NULL CHECK (state IN ('FILLING', 'LIVE', 'RETIRED')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, generation)
);

CREATE TABLE projection_checkpoint (
    name       text     NOT NULL,
    generation integer  NOT NULL,
    part       smallint NOT NULL,
    pos        bigint   NOT NULL,
    PRIMARY KEY (name, generation, part),
    FOREIGN KEY (name, generation) REFERENCES projection_generation ON DELETE CASCADE
) WITH (fillfactor = 50);

GRANT SELECT, INSERT, UPDATE, DELETE ON projection, projection_generation, projection_checkpoint
    TO tsuzuri_projector;
GRANT SELECT ON projection, projection_generation, projection_checkpoint TO tsuzuri_reader, tsuzuri_auditor;

RESET ROLE;

-- So that each process can see whether the database fits it.
GRANT SELECT ON migration TO tsuzuri_reader, tsuzuri_projector, tsuzuri_auditor, tsuzuri_keeper;
