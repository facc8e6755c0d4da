"""How fast interpreters are beside each other: the same plain work by each in turn, the least processor time of some.

A Python that was built without profiles (pyenv's usual way) takes about one and a half times as long as a
distribution's own, for all that is not waiting; figures of two machines are compared with that in mind.

python benchmarks/interpreters.py [PYTHON...]
"""

import json
import subprocess
import sys
import time

ROUNDS = 5


class Stop:
    """Something with a method."""

    def __init__(self, number: int) -> None:
        self.number = number

    def after(self) -> int:
        """What comes next."""
        return self.number + 1


def work() -> None:
    """What servers do all day: dictionaries, texts, methods, sorting, JSON."""
    counts: dict[int, int] = {}
    for i in range(300_000):
        counts[i % 1000] = counts.get(i % 1000, 0) + len(str(i))
    sum(stop.after() for stop in [Stop(i) for i in range(100_000)])
    json.loads(json.dumps([{"a": i, "b": str(i)} for i in range(50_000)]))
    sorted((-i * 7919 % 10_007, i) for i in range(100_000))


def main() -> None:
    """Alone: one figure, in seconds. With interpreters: each of them so, in turn, and a line for each."""
    if len(sys.argv) == 1:
        began = time.process_time()
        work()
        print(time.process_time() - began)
        return
    least = dict.fromkeys(sys.argv[1:], float("inf"))
    for _ in range(ROUNDS):
        for python in least:
            told = subprocess.run([python, __file__], capture_output=True, text=True, check=True).stdout
            least[python] = min(least[python], float(told))
    for python, seconds in least.items():
        version = subprocess.run([python, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        print(f"{seconds:6.3f} s  {seconds / min(least.values()):4.2f} x  {version}  {python}")


if __name__ == "__main__":
    main()
