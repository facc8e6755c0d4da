"""The phone app. Shares data with the server, never code."""
