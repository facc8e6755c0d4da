"""Regions: an OpenStreetMap extract becomes addresses, places, prospects, the base map and the phone's map pack."""
