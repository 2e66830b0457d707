"""How often equal periods of a map are said to differ, and which planted differences are found, on simulated minutes.

python -m bench.comparison --worlds 4 --pairs 25
"""

from __future__ import annotations

import argparse
from collections import Counter

from bench.comparison.trial import Trial, equal_periods, halves, planted, planted_halves


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.comparison", description=__doc__)
    parser.add_argument("--worlds", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=25, help="equal periods of each world")
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument(
        "--young", action="store_true", help="no day but those of the periods is known"
    )
    parser.add_argument(
        "--sides", action="store_true", help="compare sides of one time instead of periods"
    )
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.worlds)
    equal: list[Trial] = []
    for seed in seeds:
        equal += (
            halves(seed, options.pairs)
            if options.sides
            else equal_periods(seed, options.pairs, young=options.young)
        )
        what = "random halves" if options.sides else "equal periods"
        print(
            f"world {seed}: {sum(bool(each.found) for each in equal)} of {len(equal)} {what} differ",
            flush=True,
        )
    for each in equal:
        if each.found:
            print("  ", each)
    print(Counter(measure for each in equal for _, measure in each.found))
    for seed in seeds:
        trial = planted_halves(seed) if options.sides else planted(seed, young=options.young)
        print(
            f"world {seed}: planted {trial.planted}\n   found {trial.found}\n   following {trial.following}\n"
            f"   missed {trial.missed or 0}, others {trial.others or 0}",
            flush=True,
        )


if __name__ == "__main__":
    main()
