-- What the projections know of themselves. Each generation of a projection lives in a schema of its own,
-- "<name>_g<generation>"; reads follow the pointer `live`.

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
