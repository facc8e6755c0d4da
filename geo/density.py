"""Density and penetration: hexagon counts, kernel surfaces, and how sure a small cell can be.

Cells are H3 hexagons (Uber's hexagonal index, resolutions 0 to 15); metres exist only inside the functions.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import h3
import numpy as np
import shapely
from h3.api.basic_int import cell_to_boundary as boundary_of_number
from h3.api.basic_int import latlng_to_cell as latlng_to_number
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from shapely.geometry import Polygon

from geo.distance import EARTH_RADIUS_M
from geo.types import LonLat


def count_cells(points: Iterable[LonLat], resolution: int) -> dict[str, int]:
    """Count points per H3 cell.

    Parameters
    ----------
    points
        EPSG:4326.
    resolution
        H3 resolution, 0 (continents) to 15 (a square metre); 8 is about 0.7 km².

    Returns
    -------
    dict
        Cell index to count; cells without points are left out.

    Raises
    ------
    ValueError
        When the resolution is outside 0..15.
    """
    _check_resolution(resolution)
    return dict(Counter(h3.latlng_to_cell(point.lat, point.lon, resolution) for point in points))


def coarser(counts: Mapping[str, int], resolution: int) -> dict[str, int]:
    """Add up cells into their parents; the total stays the same.

    Raises
    ------
    ValueError
        When the resolution is outside 0..15 or finer than the cells.
    """
    _check_resolution(resolution)
    result: Counter[str] = Counter()
    for cell, count in counts.items():
        if h3.get_resolution(cell) < resolution:
            raise ValueError(f"cell {cell} is coarser than resolution {resolution}")
        result[h3.cell_to_parent(cell, resolution)] += count
    return dict(result)


def cell_outline(cell: str) -> Polygon:
    """Return the hexagon (or pentagon) of a cell in EPSG:4326, longitude first.

    One over the antimeridian reaches past 180 degrees east, instead of around the world.
    """
    outline: Polygon = cell_outlines([cell])[0]
    return outline


def cell_outlines(cells: Sequence[str]) -> NDArray[np.object_]:
    """Return the outlines of many cells at once, like `cell_outline` for each.

    Returns
    -------
    ndarray of shapely polygons, shape (len(cells),)
    """
    result = np.empty(len(cells), dtype=object)
    corners = [h3.cell_to_boundary(cell) for cell in cells]
    sizes = np.array([len(ring) for ring in corners], dtype=int)
    for size in set(sizes.tolist()):  # hexagons have 6 corners, pentagons and cells on edges of the icosahedron others
        chosen = np.flatnonzero(sizes == size)
        rings = np.array([corners[index] for index in chosen])[:, :, ::-1]
        lons = rings[:, :, 0]
        crosses = np.ptp(lons, axis=1, keepdims=True) > 180
        lons[crosses & (lons < 0)] += 360
        result[chosen] = shapely.polygons(rings)
    return result


type _Floats = NDArray[np.float64]

SPREAD_PARTS = 100
"""Into how many equal parts `spread` cuts a weight."""
WITHIN_UNCERTAINTY = 0.68
"""Share of the weight that lies within the uncertainty, as phones report their accuracy."""

_SUNFLOWER = np.array(
    [
        (away * math.cos(angle), away * math.sin(angle))
        for index in range(SPREAD_PARTS)
        for away in [(1 - (1 - (index + 0.5) / SPREAD_PARTS) ** (1 / 3)) ** 0.5]
        for angle in [index * math.pi * (3 - math.sqrt(5))]
    ]
)
"""Where the parts lie in a circle of 1 around the point: east and north."""
_RIM = np.array([(math.cos(math.tau * side / 12), math.sin(math.tau * side / 12)) for side in range(12)])

SMALL_M = 100
"""Up to here a circle of doubt is compared with its cell in the plane."""


def spread(points: Sequence[LonLat], uncertainties_m: Sequence[float], resolution: int) -> list[dict[int, int]]:
    """Spread the weight of each of some points over the cells in which it may lie.

    The weight falls off with the quartic kernel, whose radius is such that 68 % lies within the uncertainty; it is cut
    into equal parts that lie in a sunflower around the point, so that the answer depends on nothing but the arguments.

    Parameters
    ----------
    points
        EPSG:4326.
    uncertainties_m
        Metres, 0 or more; one for each point.
    resolution
        H3 resolution, 0 to 15.

    Returns
    -------
    list of dict
        For each point, H3 index to parts, each at least 1; they always add up to `SPREAD_PARTS`.

    Raises
    ------
    ValueError
        When the resolution is outside 0..15 or an uncertainty is not a number of metres.

    References
    ----------
    Quartic kernel: Silverman (1986), eq. 4.5; its share within u is 1 - (1 - u²)³. Sunflower: Vogel, H. (1979), A
    better way to construct the sunflower head, Mathematical Biosciences 44, 179-189.
    """
    _check_resolution(resolution)
    doubts = np.array(uncertainties_m, dtype=float)
    if (strange := ~((doubts >= 0) & np.isfinite(doubts))).any():
        raise ValueError(f"uncertainty is {doubts[strange][0]:g} m; must be 0 or more")
    lon, lat = np.array(points, dtype=float).reshape(-1, 2).T
    homes = _cells_of(lon, lat, resolution)
    radius = doubts / (1 - (1 - WITHIN_UNCERTAINTY) ** (1 / 3)) ** 0.5
    found = [{home: SPREAD_PARTS} for home in homes]
    unsure = np.flatnonzero(~_holds(homes, lon, lat, radius))
    rims = _cells_around(lon[unsure], lat[unsure], radius[unsure], _RIM, resolution)
    wide = [at for at, rim in zip(unsure.tolist(), rims, strict=True) if any(cell != homes[at] for cell in rim)]
    for at, cells in zip(wide, _cells_around(lon[wide], lat[wide], radius[wide], _SUNFLOWER, resolution), strict=True):
        found[at] = dict(Counter(cells))
    return found


def _cells_of(lon: _Floats, lat: _Floats, resolution: int) -> list[int]:
    return [latlng_to_number(y, x, resolution) for y, x in zip(lat.tolist(), lon.tolist(), strict=True)]


def _holds(cells: Sequence[int], lon: _Floats, lat: _Floats, metres: _Floats) -> NDArray[np.bool_]:
    """Whether small circles are surely within their cells: its distance to each edge, in the plane, 2 % to spare."""
    held = (metres <= SMALL_M) & (np.abs(lat) <= 80) & (np.abs(lon) <= 179.9)
    rings = {at: ring for at in np.flatnonzero(held).tolist() if len(ring := boundary_of_number(cells[at])) == 6}
    asked = np.array(list(rings), dtype=int)
    held[:] = False
    scale = math.radians(1) * EARTH_RADIUS_M
    corners = np.array(list(rings.values()), dtype=float).reshape(-1, 6, 2)
    y = (corners[:, :, 0] - lat[asked, None]) * scale
    x = (corners[:, :, 1] - lon[asked, None]) * scale * np.cos(np.radians(lat[asked, None]))
    u, v = np.roll(x, -1, axis=1), np.roll(y, -1, axis=1)
    held[asked] = (np.abs(x * v - u * y) >= 1.02 * metres[asked, None] * np.hypot(u - x, v - y)).all(axis=1)
    return held


def _cells_around(lon: _Floats, lat: _Floats, metres: _Floats, spots: _Floats, level: int) -> Iterator[list[int]]:
    """The cells of spots around each point, given in parts of some metres east and north of it on the sphere; never
    beyond a pole."""
    north = np.degrees(metres / EARTH_RADIUS_M)[:, None]
    east = north / np.maximum(1e-6, np.cos(np.radians(lat)))[:, None]
    lats = np.clip(lat[:, None] + north * spots[:, 1], -90, 90)
    lons = (lon[:, None] + east * spots[:, 0] + 180) % 360 - 180
    for ys, xs in zip(lats, lons, strict=True):
        yield _cells_of(xs, ys, level)


@dataclass(frozen=True, slots=True)
class Penetration:
    """Share of the potential that is already a customer, and how sure that is."""

    share: float
    """Customers / potential, 0 to 1; 0 where there is no potential."""
    low: float
    """Lower end of the interval, 0 to 1."""
    high: float
    """Upper end of the interval, 0 to 1."""


def penetration(customers: float, potential: float, level: float = 0.9) -> Penetration:
    """Return customers / potential with a Wilson score interval.

    The interval stays inside 0..1 and keeps about its level even for cells with a handful of firms, where the usual
    normal interval fails.

    Parameters
    ----------
    customers
        Customers among the potential, 0 to `potential`.
    potential
        All firms that could be customers, 0 or more. With 0 nothing is known: the interval is 0..1.
    level
        Probability that the interval holds the true share, between 0 and 1.

    Raises
    ------
    ValueError
        When a count is negative, customers exceed the potential, or the level is not between 0 and 1.

    References
    ----------
    Wilson, E. B. (1927), Probable inference, the law of succession, and statistical inference, JASA 22, 209-212;
    recommended for small counts by Brown, Cai, DasGupta (2001), Interval estimation for a binomial proportion,
    Statistical Science 16, 101-133.

    Examples
    --------
    >>> found = penetration(3, 10)
    >>> round(found.share, 2), round(found.low, 2), round(found.high, 2)
    (0.3, 0.13, 0.55)
    """
    if not 0 <= customers <= potential:
        raise ValueError(f"{customers} customers of a potential of {potential}; must be 0 <= customers <= potential")
    if not 0 < level < 1:
        raise ValueError(f"level is {level:g}; must be between 0 and 1")
    if potential == 0:
        return Penetration(0.0, 0.0, 1.0)
    z2 = NormalDist().inv_cdf((1 + level) / 2) ** 2
    share = customers / potential
    middle = (share + z2 / (2 * potential)) / (1 + z2 / potential)
    half = (z2 * (share * (1 - share) + z2 / (4 * potential)) / potential) ** 0.5 / (1 + z2 / potential)
    return Penetration(share, max(0.0, middle - half), min(1.0, middle + half))


@dataclass(frozen=True, slots=True)
class Surface:
    """A density surface on a square grid of an equal-area projection around the data."""

    values: NDArray[np.float64]
    """Shape (rows, columns), south to north and west to east; weight per square kilometre."""
    cell_m: float
    """Side of a grid cell in metres."""
    west_m: float
    """Western edge in the projection, metres."""
    south_m: float
    """Southern edge in the projection, metres."""
    centre: LonLat
    """Centre of the Lambert azimuthal equal-area projection."""

    def at(self, point: LonLat) -> float:
        """Return the density at a point, weight per km²; 0 outside the grid."""
        x, y = _to_metres(self.centre).transform(point.lon, point.lat)
        row, column = int((y - self.south_m) // self.cell_m), int((x - self.west_m) // self.cell_m)
        rows, columns = self.values.shape
        return float(self.values[row, column]) if 0 <= row < rows and 0 <= column < columns else 0.0

    def many_at(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the density at many points, between the centres of cells bilinear; 0 outside the grid.

        Parameters
        ----------
        lon, lat
            EPSG:4326, of one shape.

        Returns
        -------
        ndarray
            Weight per km², of that shape.
        """
        x, y = _to_metres(self.centre).transform(lon, lat)
        padded = np.pad(self.values, 1)
        rows, columns = padded.shape
        row = np.clip((np.asarray(y) - self.south_m) / self.cell_m + 0.5, 0, rows - 1.001)
        column = np.clip((np.asarray(x) - self.west_m) / self.cell_m + 0.5, 0, columns - 1.001)
        r, c = row.astype(int), column.astype(int)
        v, u = row - r, column - c
        below = padded[r, c] * (1 - u) + padded[r, c + 1] * u
        above = padded[r + 1, c] * (1 - u) + padded[r + 1, c + 1] * u
        return np.asarray(below * (1 - v) + above * v)

    def cell_centres(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return longitudes and latitudes of all cell centres, each of the shape of `values`."""
        rows, columns = self.values.shape
        x = self.west_m + (np.arange(columns) + 0.5) * self.cell_m
        y = self.south_m + (np.arange(rows) + 0.5) * self.cell_m
        xs, ys = np.meshgrid(x, y)
        lon, lat = _to_metres(self.centre).transform(xs, ys, direction="INVERSE")
        return np.asarray(lon), np.asarray(lat)


def kernel_surface(
    points: Sequence[LonLat],
    bandwidth_m: float,
    *,
    weights: Sequence[float] | None = None,
    cell_m: float | None = None,
    max_cells: int = 4_000_000,
) -> Surface:
    """Spread points into a smooth surface with the quartic (biweight) kernel.

    Points are binned onto the grid and convolved by FFT, so that a million points cost little more than a thousand;
    the error of binning is below half a grid cell. The volume under the surface is the sum of the weights.

    Parameters
    ----------
    points
        EPSG:4326, at least one; they should not span more than a country.
    bandwidth_m
        Radius in metres beyond which a point has no influence, more than 0.
    weights
        One weight per point, 1 each by default.
    cell_m
        Side of a grid cell in metres; a fifth of the bandwidth by default.
    max_cells
        Refuse grids larger than this.

    Raises
    ------
    ValueError
        Without points, for weights of another length, a bandwidth or cell not above 0, or a grid too large.

    References
    ----------
    Silverman, B. W. (1986), Density Estimation for Statistics and Data Analysis, eq. 4.5: K(u) = 3/π (1 - u²)².
    """
    if not points:
        raise ValueError("a surface needs at least one point")
    cell = bandwidth_m / 5 if cell_m is None else cell_m
    if not (bandwidth_m > 0 and cell > 0):
        raise ValueError(f"bandwidth {bandwidth_m:g} m and cell {cell:g} m must be above 0")
    heights = np.ones(len(points)) if weights is None else np.asarray(weights, dtype=float)
    if heights.shape != (len(points),):
        raise ValueError(f"{len(heights)} weights for {len(points)} points")
    lonlat = np.asarray(points, dtype=float)
    lon, lat = lonlat.mean(axis=0)
    centre = LonLat(float(lon), float(lat))
    x, y = _to_metres(centre).transform(lonlat[:, 0], lonlat[:, 1])
    margin = bandwidth_m + cell
    west, south = float(x.min()) - margin, float(y.min()) - margin
    columns = int((x.max() + margin - west) // cell) + 1
    rows = int((y.max() + margin - south) // cell) + 1
    if rows * columns > max_cells:
        raise ValueError(f"a grid of {rows} x {columns} cells is too large; take a larger cell_m than {cell:g}")
    binned = np.zeros((rows, columns))
    np.add.at(binned, (((y - south) // cell).astype(int), ((x - west) // cell).astype(int)), heights)
    values = _convolve(binned, _quartic(bandwidth_m, cell)) / (cell / 1000) ** 2
    return Surface(values, cell, west, south, centre)


def _quartic(bandwidth_m: float, cell_m: float) -> NDArray[np.float64]:
    """Return the kernel on the grid, an odd square whose sum is 1."""
    reach = int(np.ceil(bandwidth_m / cell_m))
    steps = np.arange(-reach, reach + 1) * cell_m / bandwidth_m
    u2 = steps[:, None] ** 2 + steps[None, :] ** 2
    kernel: NDArray[np.float64] = np.where(u2 < 1, (1 - u2) ** 2, 0.0)
    return kernel / kernel.sum()


def _convolve(grid: NDArray[np.float64], kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convolve by FFT, same size as the grid; tiny negative rounding errors are set to 0."""
    reach = kernel.shape[0] // 2
    shape = (grid.shape[0] + 2 * reach, grid.shape[1] + 2 * reach)
    product = np.fft.irfft2(np.fft.rfft2(grid, shape) * np.fft.rfft2(kernel, shape), shape)
    return np.maximum(product[reach : reach + grid.shape[0], reach : reach + grid.shape[1]], 0.0)


def _to_metres(centre: LonLat) -> Transformer:
    crs = CRS.from_proj4(f"+proj=laea +lat_0={centre.lat} +lon_0={centre.lon} +ellps=WGS84 +units=m")
    return Transformer.from_crs("EPSG:4326", crs, always_xy=True)


def _check_resolution(resolution: int) -> None:
    if not 0 <= resolution <= 15:
        raise ValueError(f"H3 resolution is {resolution}; must be 0 to 15")
