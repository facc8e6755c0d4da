"""Files in: every kind of record through the one engine of `imports`, by the same steps, routes and page."""
