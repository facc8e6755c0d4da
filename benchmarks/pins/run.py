"""How near check-ins bring a pin that is 300 m off, beside the plain mean of the same fixes.

    python benchmarks/pins/run.py [--customers 2000]

`after` is the distance from the door to the pin, whether or not the check-ins moved it; `moved` is how many they did.
"""

import argparse
import statistics
from collections.abc import Callable, Sequence

from geo.distance import haversine_m
from geo.madeup.checkins import Customer, customers
from geo.middle import agreed
from geo.types import Fix, LonLat

CHECK_INS = (3, 4, 5, 7, 10)


def plain_mean(fixes: Sequence[Fix]) -> LonLat | None:
    """The peer: all fixes alike."""
    return LonLat(statistics.fmean(f.point.lon for f in fixes), statistics.fmean(f.point.lat for f in fixes))


def healed(fixes: Sequence[Fix]) -> LonLat | None:
    """Ours."""
    middle = agreed(fixes)
    return middle.point if middle else None


def errors(
    field: Sequence[Customer], rule: Callable[[Sequence[Fix]], LonLat | None]
) -> tuple[list[float], list[float]]:
    """Metres from the door after the rule has had its say: of all customers, and of those that it moved."""
    everybody, moved = [], []
    for customer in field:
        point = rule(customer.fixes)
        error = haversine_m(customer.door, point or customer.pin)
        everybody.append(error)
        if point:
            moved.append(error)
    return everybody, moved


def quantile(values: Sequence[float], share: float) -> float:
    """A quantile."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=2000)
    count = parser.parse_args().customers
    print("| check-ins | rule | moved | after: median | p90 | of the moved: median | p90 | mean's median : ours |")
    print("|---|---|---|---|---|---|---|---|")
    for check_ins in CHECK_INS:
        field = customers(count, check_ins)
        mean = statistics.median(errors(field, plain_mean)[0])
        for name, rule in (("plain mean", plain_mean), ("agreed", healed)):
            everybody, moved = errors(field, rule)
            middle = statistics.median(everybody)
            print(
                f"| {check_ins} | {name} | {len(moved) / count:.0%} | {middle:.1f} m | {quantile(everybody, 0.9):.0f} m"
                f" | {statistics.median(moved):.1f} m | {quantile(moved, 0.9):.0f} m | {mean / middle:.1f} |"
            )


if __name__ == "__main__":
    main()
