"""Density: where prospects and customers are, how far the market is penetrated, and files of it to mail around."""
