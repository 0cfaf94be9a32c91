-- Names of images with the chains of their layers. A name that moved has a row for each chain.
CREATE TABLE named_chains (
    id          INTEGER PRIMARY KEY,
    -- The full name, `index.docker.io/library/debian:12`, and the same without tag and digest.
    reference   TEXT    NOT NULL,
    repository  TEXT    NOT NULL,
    -- The chain id of all layers, and their diff ids, 32 bytes each.
    chain_id    BLOB    NOT NULL,
    diff_ids    BLOB    NOT NULL,
    image_id    BLOB,
    -- Imported rows stay until they are removed; the others make room for newer ones.
    is_imported INTEGER NOT NULL,
    seen_at     INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX named_chains_by_name ON named_chains (reference, chain_id);
CREATE INDEX named_chains_by_chain ON named_chains (chain_id);
CREATE INDEX named_chains_by_repository ON named_chains (repository);
CREATE INDEX named_chains_by_image ON named_chains (image_id);
CREATE INDEX named_chains_by_use ON named_chains (is_imported, seen_at);
