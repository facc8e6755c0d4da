"""The Waymark server: one folder per room, arrows point down (see `[tool.importlinter]` in pyproject.toml)."""
