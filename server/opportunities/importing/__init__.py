"""Deals from a file, through the importer's engine."""
