"""Everything that happened at an account, whichever room tells it, in one order, page by page."""
