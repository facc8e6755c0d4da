"""A made-up field: customers whose pins are 300 m off, and reps who check in there as reps do."""

import math
import random
from dataclasses import dataclass

from geo.types import Fix, LonLat

INITIAL_ERROR_M = 300.0
DEGREE_M = 111_195.0


@dataclass(frozen=True)
class Customer:
    """A customer, where the pin was, and the check-ins in the order in which they came."""

    door: LonLat
    pin: LonLat
    fixes: tuple[Fix, ...]


def moved(point: LonLat, metres: float, angle: float) -> LonLat:
    """A point some metres away."""
    north, east = metres * math.sin(angle) / DEGREE_M, metres * math.cos(angle) / DEGREE_M
    return LonLat(point.lon + east / math.cos(math.radians(point.lat)), point.lat + north)


def anywhere(dice: random.Random) -> float:
    """A direction."""
    return dice.uniform(0, 2 * math.pi)


def check_in(dice: random.Random, door: LonLat, home: LonLat) -> Fix:
    """One check-in.

    Of a hundred reps 75 stand within 15 m of the door, 15 sit in the car park 25 to 70 m away, 10 are not there at all:
    5 press the button at home, 5 on the way. The reported accuracy is 4 to 40 m (log-normal around 9 m); the true error
    is Rayleigh distributed with it as the radius of 68 %, and one in twelve suffers from reflections, three times as
    far off as the phone believes.
    """
    kind = dice.random()
    if kind < 0.75:
        stands = moved(door, dice.uniform(0, 15), anywhere(dice))
    elif kind < 0.90:
        stands = moved(door, dice.uniform(25, 70), anywhere(dice))
    elif kind < 0.95:
        stands = home
    else:
        stands = moved(door, dice.uniform(300, 5000), anywhere(dice))
    accuracy = min(40.0, max(4.0, dice.lognormvariate(math.log(9), 0.5)))
    sigma = accuracy / 1.51 * (3 if dice.random() < 1 / 12 else 1)
    error = sigma * math.sqrt(-2 * math.log(1 - dice.random()))
    return Fix(moved(stands, error, anywhere(dice)), accuracy)


def customers(count: int, check_ins: int, seed: int = 7) -> list[Customer]:
    """Customers whose pin lies 300 m off, each with some check-ins of different days."""
    dice = random.Random(seed)
    made = []
    for _ in range(count):
        door = LonLat(dice.uniform(9.4, 9.6), dice.uniform(47.0, 47.3))
        home = moved(door, dice.uniform(2000, 15000), anywhere(dice))
        pin = moved(door, INITIAL_ERROR_M, anywhere(dice))
        made.append(Customer(door, pin, tuple(check_in(dice, door, home) for _ in range(check_ins))))
    return made
