"""Records: revision and field history of every synced row, three-way merge, stored conflicts, soft delete."""
