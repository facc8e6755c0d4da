"""What the company lets its phones do."""
