"""Readers of OpenStreetMap extracts: one pass over a `.osm.pbf` yields the records of `geo.osm.records`."""
