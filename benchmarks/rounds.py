"""How figures are taken: interleaved rounds in random order, medians, and ratios within a round.

The machine is shared: what it does beside us changes from minute to minute, but hits all that run in one round alike.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Hashable, Iterable
from statistics import median
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Sample = TypeVar("Sample")


def interleave(
    keys: Iterable[Key], rounds: int, measure: Callable[[Key], Sample], *, warm_up: bool = True
) -> dict[Key, list[Sample]]:
    """Measure each key once a round. warm_up: drop a first round, which fills the page cache."""
    order = list(keys)
    samples: dict[Key, list[Sample]] = {key: [] for key in order}
    for number in range(rounds + warm_up):
        random.shuffle(order)
        for key in order:
            sample = measure(key)
            if number or not warm_up:
                samples[key].append(sample)
        print(f"  round {number + 1} of {rounds + warm_up}", end="\r", file=sys.stderr)
    return samples


def ratio(samples: Iterable[float], floor: Iterable[float]) -> float:
    """Return the median of the ratios of samples taken in one round."""
    return median(one / other for one, other in zip(samples, floor, strict=True))
