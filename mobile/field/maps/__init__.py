"""The map without a screen: packs, projection, polylines, places for labels."""
