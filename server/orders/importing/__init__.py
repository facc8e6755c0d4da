"""Orders with their lines from a file, through the importer's engine."""
