"""An extract becomes everything that Waymark needs of a region: rows, map pack, address index, road graph."""
