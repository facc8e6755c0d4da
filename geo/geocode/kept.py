"""A bounded memory of what was made before."""

from collections import OrderedDict
from collections.abc import Callable, Hashable


class Kept[K: Hashable, V]:
    """Makes values on demand and keeps the youngest of them; threads may share it.

    Parameters
    ----------
    most : int
        How many are kept.
    make : callable
        Makes the value of a key.
    """

    def __init__(self, most: int, make: Callable[[K], V]) -> None:
        self._most, self._make = most, make
        self._values: OrderedDict[K, V] = OrderedDict()

    def __getitem__(self, key: K) -> V:
        found = self._values.get(key)
        if found is None:
            found = self._values[key] = self._make(key)
            if len(self._values) > self._most:
                self._values.popitem(last=False)
        return found
