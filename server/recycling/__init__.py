"""The bin: what was deleted, whoever's room it belongs to; brought back, or removed for good after a while."""
