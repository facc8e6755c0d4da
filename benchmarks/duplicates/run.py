"""Search a labelled company for duplicates as the product does, and say how many of them were found.

    python benchmarks/duplicates/run.py [--rows 50000] [--seeds 11 12] [--peer-rows 1500]

Names, places and noise are made by `labelled.py` from seeds and places that the coefficients were not fitted on. The
peer is plain rapidfuzz (token_sort_ratio of the names, all pairs) on a sample in the same run, extrapolated.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import scratch
from labelled import Company, Row

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
WANTED = (0.98, 0.90)
"""Precision and recall that must be reached at one threshold."""

RULE = (0.9, 0.95, 0.99)
"""Thresholds that the rule may be given."""

type Found = dict[tuple[UUID, UUID], float]


def search(known: dict[UUID, Row]) -> tuple[Found, dict[str, float]]:
    """The pairs of one whole search, and what it cost; then one of a hundredth of the accounts changed."""
    from sqlalchemy import text

    from server.accounts.duplicates import pairs as duplicate_pairs
    from server.kit.database import transaction

    spent: dict[str, float] = {}
    began, cpu = time.perf_counter(), time.process_time()
    with transaction() as session:
        run = duplicate_pairs.search(session)
    assert run is not None
    spent |= {"whole_s": time.perf_counter() - began, "whole_cpu_s": time.process_time() - cpu}
    spent |= {"compared": run.compared, "cut_blocks": run.cut_blocks, "cut_pairs": run.cut_pairs}
    with transaction() as session:
        rows = session.execute(text("select low_id, high_id, score from account_pair")).all()
        changed = list(known)[::100]
        session.execute(text("update account set note = 'changed' where id = any(:ids)"), {"ids": changed})
    began = time.perf_counter()
    with transaction() as session:
        duplicate_pairs.search(session)
    spent["again_s"] = time.perf_counter() - began
    return {(low, high): score for low, high, score in rows}, spent


def table(known: dict[UUID, Row], found: Found) -> bool:
    """Precision and recall at each threshold; whether one of them reaches what is wanted."""
    sizes = Counter(row.truth for row in known.values())
    wanted = sum(size * (size - 1) // 2 for size in sizes.values())
    reached = False
    print(f"{'threshold':>10} {'pairs':>7} {'precision':>10} {'recall':>8}")
    for threshold in THRESHOLDS:
        said = [pair for pair, score in found.items() if score >= threshold]
        right = sum(known[low].truth == known[high].truth for low, high in said)
        precision, recall = right / max(1, len(said)), right / wanted
        fits = precision >= WANTED[0] and recall >= WANTED[1]
        reached |= fits
        print(f"{threshold:>10} {len(said):>7,} {precision:>10.4f} {recall:>8.4f}{'  <- wanted' if fits else ''}")
    return reached


def merged_by_themselves(known: dict[UUID, Row]) -> None:
    """What the rule would merge without a person."""
    from server.accounts.duplicates.rule import eligible
    from server.kit.database import transaction

    with transaction() as session:
        for threshold in RULE:
            said = [(known[p.low_id], known[p.high_id]) for p in session.scalars(eligible(threshold))]
            wrong = [f"{one.name} = {other.name}" for one, other in said if one.truth != other.truth]
            right = len(said) - len(wrong)
            print(
                f"the rule at {threshold}: {len(said):,} pairs, precision {right / max(1, len(said)):.4f} {wrong[:8]}"
            )


def kinds(known: dict[UUID, Row], found: Found, threshold: float) -> None:
    """What was taken for duplicates and is none, and which noise hides duplicates."""
    wrong = Counter(
        "/".join(sorted({known[low].kind, known[high].kind}))
        for (low, high), score in found.items()
        if score >= threshold and known[low].truth != known[high].truth
    )
    hit = {
        known[low].truth for (low, high), s in found.items() if s >= threshold and known[low].truth == known[high].truth
    }
    copies = [row for row in known.values() if row.kind == "copy"]
    hidden = Counter(noise for row in copies if row.truth not in hit for noise in row.noise)
    everywhere = Counter(noise for row in copies for noise in row.noise)
    print("wrong at", threshold, dict(wrong.most_common(6)))
    worst = sorted(hidden, key=lambda noise: -hidden[noise] / everywhere[noise])[:6]
    print("missed most with", {noise: f"{hidden[noise]}/{everywhere[noise]}" for noise in worst})


def peer_seconds(rows: Sequence[Row], size: int) -> float:
    """Seconds that comparing every pair by rapidfuzz would take, from a sample in one process."""
    from rapidfuzz import fuzz, process

    names = [row.name for row in random.Random(0).sample(list(rows), min(size, len(rows)))]
    began = time.perf_counter()
    process.cdist(names, names, scorer=fuzz.token_sort_ratio, score_cutoff=85, workers=1)
    spent = time.perf_counter() - began
    return spent / 2 * (len(rows) / len(names)) ** 2


def main() -> None:
    """Make companies, search them, print; a miss of the wanted figures ends with 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[11])
    parser.add_argument("--peer-rows", type=int, default=1500)
    options = parser.parse_args()
    fine = True
    with scratch.home():
        for seed in options.seeds:
            rows = Company(seed, options.rows, held_out=True).rows()
            known = scratch.load(rows)
            found, spent = search(known)
            everything = len(rows) * (len(rows) - 1) / 2
            peer = peer_seconds(rows, options.peer_rows)
            print(f"seed {seed}: {len(rows):,} rows, {sum(r.kind == 'copy' for r in rows):,} copies")
            print(
                f"{spent['compared']:,.0f} of {everything:,.0f} pairs compared ({spent['compared'] / everything:.4%}); "
                f"{spent['cut_blocks']:,.0f} blocks too large, {spent['cut_pairs']:,.0f} pairs in them"
            )
            print(
                f"whole search {spent['whole_s']:.1f} s ({spent['whole_cpu_s']:.1f} s of our own processor time), "
                f"again after 1 % changed {spent['again_s']:.1f} s; rapidfuzz on all pairs about {peer:.0f} s: "
                f"{peer / spent['whole_s']:.1f} times as long"
            )
            fine &= table(known, found)
            merged_by_themselves(known)
            kinds(known, found, 0.6)
            print(flush=True)
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
