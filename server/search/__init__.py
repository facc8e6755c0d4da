"""The global search: one narrow table of what can be found, kept in step by triggers, cut by the reader's rights."""
