"""Products, prices and stock from a file, through the importer's engine."""
