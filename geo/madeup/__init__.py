"""A small made-up region as an OpenStreetMap extract: for demos and tests where there is no real one.

One town and some villages in the Bay of Biscay, country code `XM`: curved streets that a car can drive, about 1,500
house numbers with gaps, postcodes, shops and firms, a lake, a river, woods, a railway and municipal boundaries.
"""

from geo.madeup.region import NAME, write_region
from geo.madeup.sheet import GENERATOR
from geo.madeup.town import COUNTRY

__all__ = ["COUNTRY", "GENERATOR", "NAME", "write_region"]
