"""Distances on the sphere."""

from itertools import pairwise

import numpy as np
import pytest

from geo.distance import haversine_m, hops_m
from geo.types import LonLat


def test_the_hops_of_a_path_are_the_distances_from_point_to_point() -> None:
    path = [LonLat(9.5, 47.1), LonLat(9.6, 47.2), LonLat(9.6, 47.2), LonLat(-76.6, 39.4)]
    assert hops_m(np.array(path)).tolist() == pytest.approx([haversine_m(a, b) for a, b in pairwise(path)])
    assert len(hops_m(np.array(path[:1]))) == 0
