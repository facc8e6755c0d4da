"""Address to point: the index of the loaded regions and address files, and the questions asked of it."""
