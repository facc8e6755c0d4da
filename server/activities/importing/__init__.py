"""Activities and notes from a file, through the importer's engine."""
