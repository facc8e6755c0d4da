"""White space: what may be expected of firms, what is chance, how long it takes to drive there, and who is alike."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

PRIOR_FIRMS = 20
"""How many firms of the usual rate every kind is given before its own ones count."""
PRIOR_CUSTOMERS = 5
"""How many customers of the usual value every kind is given before its own ones count."""
TOUR = 0.7124
"""Length of a shortest tour through n random stops in an area A: 0.7124 sqrt(n A)."""
ROAD_PER_STRAIGHT = 1.35
"""Road kilometres per straight kilometre, as `routing.roads.straight` measures it."""
LOCAL_KMH = 30.0
"""Between neighbouring stops."""
STOPS_A_DAY = 10
"""So many stops are reached from one departure."""


def pooled(count: float, of: float, usual: float, prior: float = PRIOR_FIRMS) -> float:
    """Return a mean drawn towards the usual one, the more the less is known.

    Parameters
    ----------
    count
        What was counted, e.g. customers of a kind, or the sum of their values.
    of
        In how many, e.g. firms of the kind, or customers with a value; 0 or more.
    usual
        The mean of all kinds together.
    prior
        With how many observations the usual mean weighs, more than 0.

    Raises
    ------
    ValueError
        When a number is negative or the prior is not above 0.

    References
    ----------
    Posterior mean of a beta (or normal) prior around the pooled mean: Casella, G. (1985), An introduction to empirical
    Bayes data analysis, The American Statistician 39, 83-87.

    Examples
    --------
    >>> pooled(2, 5, usual=0.1), pooled(200, 500, usual=0.1)
    (0.16, 0.3884615384615385)
    """
    if count < 0 or of < 0 or usual < 0 or not prior > 0:
        raise ValueError(f"{count:g} of {of:g}, usually {usual:g}, prior {prior:g}; must not be negative")
    return (count + prior * usual) / (of + prior)


@dataclass(frozen=True, slots=True)
class Chance:
    """How many customers were to be expected, and whether those found are more than chance away from that."""

    expected: float
    """Customers, 0 or more."""
    low: float
    """Fewer than this are too few to be chance."""
    high: float
    """More than this are too many to be chance."""
    z: float
    """Difference in standard deviations less half a customer, the correction for whole numbers; 0 without variance."""
    beyond: int
    """-1: fewer than chance allows; 1: more; 0: within chance."""


def chance(found: float, expected: float, variance: float, level: float = 0.9) -> Chance:
    """Compare customers found with those that the firms of a cell let expect.

    Every firm is a customer with the rate of its kind, independently: the count is Poisson-binomial with the mean
    Σ rate and the variance Σ rate (1 - rate), here by its normal limit with the correction for whole numbers.

    Parameters
    ----------
    found, expected
        Customers, 0 or more.
    variance
        Σ rate (1 - rate) over the firms, 0 or more.
    level
        Probability that chance stays within the range, between 0 and 1.

    Raises
    ------
    ValueError
        When a number is negative or the level is not between 0 and 1.

    References
    ----------
    Hodges, J. L., Le Cam, L. (1960), The Poisson approximation to the Poisson binomial distribution, Annals of
    Mathematical Statistics 31, 737-740; normal limit with correction: Feller (1968), vol. 1, VII.2.

    Examples
    --------
    >>> chance(9, 3.0, 2.0).beyond, chance(4, 3.0, 2.0).beyond
    (1, 0)
    """
    if found < 0 or expected < 0 or variance < 0 or not 0 < level < 1:
        raise ValueError(f"found {found:g}, expected {expected:g}, variance {variance:g}, level {level:g}")
    half = NormalDist().inv_cdf((1 + level) / 2) * variance**0.5 + 0.5
    low, high = max(0.0, expected - half), expected + half
    away = found - expected
    z = math.copysign(max(0.0, abs(away) - 0.5) / variance**0.5, away) if variance else 0.0
    return Chance(expected, low, high, z, (found > high) - (found < low))


def drive_hours(out_s: float, stops: float, square_km: float) -> float:
    """Return the hours of driving that working a cell takes.

    There and back for every `STOPS_A_DAY` stops, and the tour through the stops inside.

    Parameters
    ----------
    out_s
        Seconds from the start to the cell, 0 or more.
    stops
        Firms to call on, 0 or more; at least one is counted.
    square_km
        Area over which they lie, 0 or more.

    Raises
    ------
    ValueError
        When a number is negative.

    References
    ----------
    Beardwood, J., Halton, J. H., Hammersley, J. M. (1959), The shortest path through many points, Mathematical
    Proceedings of the Cambridge Philosophical Society 55, 299-327; the constant: Johnson, McGeoch, Rothberg (1996).
    """
    if out_s < 0 or stops < 0 or square_km < 0:
        raise ValueError(f"{out_s:g} s, {stops:g} stops, {square_km:g} km²; must not be negative")
    stops = max(1.0, stops)
    inside_km = TOUR * math.sqrt(stops * square_km) * ROAD_PER_STRAIGHT
    return float(math.ceil(stops / STOPS_A_DAY) * 2 * out_s / 3600 + inside_km / LOCAL_KMH)


def per_hour(worth: float, drive_h: float, visit_h: float) -> float:
    """Return what an hour of the whole effort brings, driving and visiting.

    The effort never vanishes with the drive: next door a visit still takes its time.

    Parameters
    ----------
    worth
        A year's money, or a number of firms; 0 or more.
    drive_h
        Hours of driving, 0 or more.
    visit_h
        Hours of visits, more than 0.

    Raises
    ------
    ValueError
        When a number is negative, or no visit takes any time.

    Examples
    --------
    >>> per_hour(6000, 1.0, 2.0)
    2000.0
    """
    if worth < 0 or drive_h < 0 or not visit_h > 0:
        raise ValueError(f"{worth:g} in {drive_h:g} h of driving and {visit_h:g} h of visits; must not be negative")
    return worth / (drive_h + visit_h)


FEWEST_BEST = 5
"""With fewer good customers than this nothing is said about who is like them."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What likeness compares of a firm."""

    kind: str
    """`shop=bakery`; empty: not known."""
    neighbours: frozenset[str]
    """Kinds of the firms around it."""
    density: float
    """Firms per km² around it, 0 or more."""
    place: str
    """Kind of the place it lies in: `town`, `village`, ...; empty: not known."""
    distance_m: float = 0.0
    """To the nearest of the best customers, 0 or more."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much a firm is like the best customers, and why."""

    score: float
    """0 (like none) to 1 (like all of them in everything)."""
    same_kind: float
    """Share of the best customers that are of its kind, relative to the share among all firms; 1: as usual."""
    shared: tuple[str, ...]
    """Kinds of neighbours that it shares with many of the best, the commonest among them first."""
    same_place: bool
    """It lies in the kind of place in which most of the best lie."""
    as_dense: bool
    """Its surroundings are as dense as those of the middle half of the best."""


HALF_M = 5000.0
"""So far from the nearest of the best, nearness counts half."""
WEIGHTS = {"kind": 0.4, "neighbours": 0.2, "density": 0.1, "place": 0.15, "distance": 0.15}
"""How much each part weighs; they add up to 1. Gower's coefficient with these weights."""


class BestCustomers:
    """The best customers as one picture, to which firms are compared.

    Parameters
    ----------
    best
        The best customers, at least `FEWEST_BEST`.
    everybody
        How many firms of each kind there are, customers or not.

    Raises
    ------
    ValueError
        With fewer than `FEWEST_BEST`.

    References
    ----------
    Gower, J. C. (1971), A general coefficient of similarity and some of its properties, Biometrics 27, 857-871; the
    kind enters as its lift: Brin, Motwani, Ullman, Tsur (1997), Dynamic itemset counting.
    """

    def __init__(self, best: Sequence[Traits], everybody: Mapping[str, float]) -> None:
        if len(best) < FEWEST_BEST:
            raise ValueError(f"{len(best)} customers are too few to compare with; must be {FEWEST_BEST} or more")
        self.count = len(best)
        total = sum(everybody.values()) or 1.0
        kinds = [one.kind for one in best if one.kind]
        self._lift = {
            kind: (kinds.count(kind) / len(best)) / (max(everybody.get(kind, 0.0), 1.0) / total) for kind in set(kinds)
        }
        around: dict[str, int] = {}
        for one in best:
            for kind in one.neighbours:
                around[kind] = around.get(kind, 0) + 1
        self._around = {kind: count / len(best) for kind, count in around.items() if count >= 2}
        places = [one.place for one in best if one.place]
        self._place = {kind: places.count(kind) / len(best) for kind in set(places)}
        logs = sorted(math.log1p(one.density) for one in best)
        self._middle = logs[len(logs) // 2]
        self._quarters = logs[len(logs) // 4], logs[(3 * len(logs)) // 4]

    def likeness(self, firm: Traits) -> Likeness:
        """Compare a firm: kind, neighbours, density, kind of place and distance, each 0 to 1, by `WEIGHTS`."""
        lift = self._lift.get(firm.kind, 0.0)
        kind = lift / (1 + lift) if lift else 0.0
        weight = sum(self._around.values())
        shared = sorted((k for k in firm.neighbours if k in self._around), key=lambda k: (-self._around[k], k))
        neighbours = sum(self._around[k] for k in shared) / weight if weight else 0.0
        log = math.log1p(firm.density)
        density = math.exp(-abs(log - self._middle))
        place = self._place.get(firm.place, 0.0)
        distance = HALF_M / (HALF_M + max(0.0, firm.distance_m))
        parts = {"kind": kind, "neighbours": neighbours, "density": density, "place": place, "distance": distance}
        low, high = self._quarters
        return Likeness(
            score=sum(WEIGHTS[name] * part for name, part in parts.items()),
            same_kind=lift,
            shared=tuple(shared[:3]),
            same_place=place >= 0.5,
            as_dense=low - 0.05 <= log <= high + 0.05,
        )
