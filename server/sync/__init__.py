"""Sync with phones: what reaches them (buckets, snapshot cursor) and what they send (ordered, idempotent ops)."""
