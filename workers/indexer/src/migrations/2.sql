-- A quote is shown as it was certified, with its volume. Of those before it was not kept.
ALTER TABLE quotes ADD COLUMN volume_24h BLOB NOT NULL DEFAULT x'00000000000000000000000000000000';
