"""Pure geography: points, distances, OpenStreetMap readers, geocoding rules, density. Sees nothing else of Waymark."""
