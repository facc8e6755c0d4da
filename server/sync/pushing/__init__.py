"""What phones send: ordered, idempotent ops, contents of files, and the conflicts that come of them."""
