-- A name that stands in an archive or layout is what its maker claims: nobody else has said so.
ALTER TABLE named_chains ADD COLUMN is_claimed INTEGER NOT NULL DEFAULT 0;
