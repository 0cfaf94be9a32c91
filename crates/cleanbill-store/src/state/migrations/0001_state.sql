-- What `watch` knows. Points in time are Unix milliseconds. Digests are 32 bytes. Packed columns
-- are zstd over JSON, so that a field that a later version adds does not make a row unreadable.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta (key, value) VALUES ('install_id', lower(hex(randomblob(16))));

-- The names that are or were watched.
CREATE TABLE image (
    id            INTEGER PRIMARY KEY,
    name          TEXT    NOT NULL UNIQUE,
    image_id      BLOB,
    first_seen_at INTEGER NOT NULL,
    last_seen_at  INTEGER NOT NULL,
    gone_at       INTEGER,
    labels        TEXT    NOT NULL
) STRICT;

CREATE INDEX image_by_image_id ON image (image_id);

-- The containers that run now.
CREATE TABLE container (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    image_name    TEXT NOT NULL,
    image_id      BLOB,
    running_since INTEGER
) STRICT, WITHOUT ROWID;

-- What is remembered of an image between two looks. The counts are of findings that count.
CREATE TABLE image_state (
    image               INTEGER PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE,
    image_id            BLOB,
    distro              TEXT    NOT NULL,
    status              TEXT    NOT NULL,
    reason              TEXT    NOT NULL,
    database_updated_at TEXT    NOT NULL,
    rules               TEXT    NOT NULL,
    critical            INTEGER NOT NULL,
    high                INTEGER NOT NULL,
    medium              INTEGER NOT NULL,
    low                 INTEGER NOT NULL,
    unknown             INTEGER NOT NULL,
    packages_digest     BLOB    NOT NULL,
    packages            BLOB    NOT NULL,
    findings_digest     BLOB    NOT NULL,
    findings            BLOB    NOT NULL
) STRICT;

CREATE INDEX image_state_by_image_id ON image_state (image_id);

-- The findings of image_state once more, as far as they are searched.
CREATE TABLE finding (
    id                INTEGER PRIMARY KEY,
    image             INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    vulnerability_id  TEXT    NOT NULL,
    kind              TEXT    NOT NULL,
    package_name      TEXT    NOT NULL,
    package_path      TEXT    NOT NULL,
    installed_version TEXT    NOT NULL,
    fixed_version     TEXT    NOT NULL,
    severity          INTEGER NOT NULL,
    covered_by        TEXT    NOT NULL,
    first_seen_at     INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX finding_by_key
    ON finding (image, vulnerability_id, kind, package_name, package_path);
CREATE INDEX finding_by_vulnerability ON finding (vulnerability_id);
CREATE INDEX finding_by_package ON finding (package_name, kind);

-- What is installed in an image, to judge it again without reading it. `rules` says what made it.
CREATE TABLE inventory (
    image_id   BLOB    NOT NULL,
    rules      TEXT    NOT NULL,
    size_bytes INTEGER NOT NULL,
    used_at    INTEGER NOT NULL,
    inventory  BLOB    NOT NULL,
    PRIMARY KEY (image_id, rules)
) STRICT;

CREATE TABLE pass (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    triggered_by TEXT   NOT NULL,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,
    images      INTEGER NOT NULL DEFAULT 0,
    failed      INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE scan (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    image               INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    pass                INTEGER REFERENCES pass (id) ON DELETE SET NULL,
    image_id            BLOB,
    triggered_by        TEXT    NOT NULL,
    started_at          INTEGER NOT NULL,
    duration_ms         INTEGER NOT NULL,
    status              TEXT    NOT NULL,
    reason              TEXT    NOT NULL,
    database_updated_at TEXT    NOT NULL,
    critical            INTEGER NOT NULL,
    high                INTEGER NOT NULL,
    medium              INTEGER NOT NULL,
    low                 INTEGER NOT NULL,
    unknown             INTEGER NOT NULL
) STRICT;

CREATE INDEX scan_by_image ON scan (image, id);
CREATE INDEX scan_by_pass ON scan (pass);
CREATE INDEX scan_by_time ON scan (started_at);

-- What changed; told_at is NULL until the messages about it are in the outbox.
CREATE TABLE change (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    image            INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    scan             INTEGER REFERENCES scan (id) ON DELETE SET NULL,
    at               INTEGER NOT NULL,
    kind             TEXT    NOT NULL,
    vulnerability_id TEXT    NOT NULL,
    change           TEXT    NOT NULL,
    told_at          INTEGER
) STRICT;

CREATE INDEX change_untold ON change (id) WHERE told_at IS NULL;
CREATE INDEX change_by_image ON change (image, id);
CREATE INDEX change_by_scan ON change (scan);
CREATE INDEX change_told ON change (told_at) WHERE told_at IS NOT NULL;

-- Messages on their way, and those that arrived.
CREATE TABLE outbox (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    channel         TEXT    NOT NULL,
    message_id      TEXT    NOT NULL,
    thread_key      TEXT    NOT NULL,
    payload         BLOB    NOT NULL,
    created_at      INTEGER NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('pending', 'delivered', 'dead')),
    attempts        INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL,
    leased_at       INTEGER,
    lease_until     INTEGER,
    finished_at     INTEGER,
    last_error      TEXT    NOT NULL DEFAULT '',
    UNIQUE (channel, message_id)
) STRICT;

CREATE INDEX outbox_pending ON outbox (next_attempt_at) WHERE state = 'pending';
CREATE INDEX outbox_by_state ON outbox (state, id);
CREATE INDEX outbox_by_thread ON outbox (channel, thread_key, id);

-- Which message tells of which change.
CREATE TABLE outbox_change (
    message INTEGER NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
    change  INTEGER NOT NULL REFERENCES change (id) ON DELETE CASCADE,
    PRIMARY KEY (message, change)
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_change_by_change ON outbox_change (change);

-- What became of each attempt to deliver.
CREATE TABLE delivery (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    message INTEGER NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
    at      INTEGER NOT NULL,
    outcome TEXT    NOT NULL CHECK (outcome IN ('delivered', 'retry', 'dead')),
    text    TEXT    NOT NULL
) STRICT;

CREATE INDEX delivery_by_message ON delivery (message);
