-- One row per layer and way of reading it. `inventory` is zstd over postcard; its layout belongs
-- to `format`, and rows of another format are as good as absent.
CREATE TABLE layer_inventories (
    id                      INTEGER PRIMARY KEY,
    diff_id                 BLOB    NOT NULL,
    variant                 TEXT    NOT NULL,
    format                  INTEGER NOT NULL,
    uncompressed_size_bytes INTEGER NOT NULL,
    created_at              INTEGER NOT NULL,
    used_at                 INTEGER NOT NULL,
    inventory               BLOB    NOT NULL
) STRICT;

CREATE UNIQUE INDEX layer_inventories_by_layer ON layer_inventories (diff_id, variant, format);
CREATE INDEX layer_inventories_by_use ON layer_inventories (used_at);
