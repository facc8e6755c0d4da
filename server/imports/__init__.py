"""The importer: files of any make become checked rows, a dry run and one set-based change. Knows no trade words."""
