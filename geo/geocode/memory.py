"""An address index that is never written: the same arrays as in a file, in memory."""

from geo.geocode import mapped
from geo.geocode.content import Content
from geo.geocode.packing import packed
from geo.geocode.segment import Segment


class MemoryIndex(Segment):
    """The `Index` protocol over rows.

    Parameters
    ----------
    content : Content
        The rows.
    version : str
        Identifies the content.
    """

    def __init__(self, content: Content, version: str = "") -> None:
        arrays = packed(content.places, content.streets, content.pois)
        super().__init__(mapped.Arrays(mapped.pack(arrays), ""), version)
