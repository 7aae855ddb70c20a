"""Has what comes in changed? Two windows of reports, compared by their mix of labels and words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

PSI_DRIFT = 0.25
"""A population stability index above this is a major shift, by the usual rule of thumb."""
SIGNIFICANCE = 0.01
"""A shift is only said when chance alone would give it more rarely than this."""
MIN_SHARE = 0.01
"""Labels rarer than this in both windows are counted together."""
OTHER = "(lainnya)"


@dataclass(frozen=True, slots=True)
class Shift:
    """How the mix of one thing changed.

    Attributes:
        psi: population stability index, 0 when the mixes are equal.
        p_value: how often chance alone gives such an index or a larger one.
        drifted: above ``PSI_DRIFT`` and not by chance.
        moved: label -> (share before, share now), the largest contributions first.
    """

    psi: float
    p_value: float
    drifted: bool
    moved: dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Words:
    """Words that the earlier window did not have.

    Attributes:
        before: share of the reference window's last part that its first part did not have.
        now: the same for the latest window: words that neither part had are new.
        drifted: the share rose by half, and by two points or more.
        new: the most frequent new words that stand in several reports, with their reports.
    """

    before: float
    now: float
    drifted: bool
    new: dict[str, int]


def shift(reference: Mapping[str, int], latest: Mapping[str, int]) -> Shift:
    """Population stability index of two counts, with its significance.

    Without a shift the index, divided by (1/n + 1/m), follows a chi-squared distribution with
    (labels - 1) degrees of freedom (Yurdakul 2018); small windows therefore need a larger index.
    Shares are smoothed by half a report a label.

    Args:
        reference: label -> reports of the earlier window.
        latest: the same of the later one.
    """
    from scipy.stats import chi2  # a second and 50 MB that the service is spared until it asks

    before, now = _grouped(reference, latest)
    n, m = sum(before.values()), sum(now.values())
    if not n or not m or len(before) < 2:
        return Shift(0.0, 1.0, drifted=False, moved={})
    k = len(before)
    shares = {x: ((before[x] + 0.5) / (n + k / 2), (now[x] + 0.5) / (m + k / 2)) for x in before}
    parts = {x: (b - a) * math.log(b / a) for x, (a, b) in shares.items()}
    psi = sum(parts.values())
    p_value = float(chi2.sf(psi / (1 / n + 1 / m), k - 1))
    top = sorted(parts, key=lambda x: -parts[x])[:5]
    moved = {x: (before[x] / n, now[x] / m) for x in top if parts[x] > 0}
    return Shift(psi, p_value, psi > PSI_DRIFT and p_value < SIGNIFICANCE, moved)


def words(reference: Sequence[frozenset[str]], latest: Sequence[frozenset[str]]) -> Words:
    """Share of words that were not known, against the share that is usual.

    The reference is cut: its first three quarters are what was known, its last quarter says which
    share of unknown words is usual.

    Args:
        reference: words of each report of the earlier window, oldest first.
        latest: words of each report of the later one.
    """
    cut = len(reference) * 3 // 4
    known = frozenset().union(*reference[:cut]) if cut else frozenset[str]()
    before, now = _unknown(reference[cut:], known), _unknown(latest, known)
    everything = known.union(*reference[cut:]) if reference else known
    count = Counter(word for words in latest for word in words - everything)
    new = {w: n for w, n in count.most_common(10) if n >= 3}
    drifted = bool(cut and latest) and now > 1.5 * before and now - before >= 0.02
    return Words(before, now, drifted, new)


def binned(values: Iterable[float]) -> Counter[str]:
    """Probabilities counted in ten bins of equal width, by the name of the bin."""
    return Counter(f"{min(9, int(v * 10)) / 10:.1f}" for v in values)


def _unknown(texts: Sequence[frozenset[str]], known: frozenset[str]) -> float:
    total = sum(map(len, texts))
    return sum(len(words - known) for words in texts) / total if total else 0.0


def _grouped(
    reference: Mapping[str, int], latest: Mapping[str, int]
) -> tuple[Counter[str], Counter[str]]:
    n, m = sum(reference.values()) or 1, sum(latest.values()) or 1
    before, now = Counter[str](), Counter[str]()
    for label in sorted({*reference, *latest}):
        a, b = reference.get(label, 0), latest.get(label, 0)
        name = label if max(a / n, b / m) >= MIN_SHARE else OTHER
        before[name] += a
        now[name] += b
    return before, now
