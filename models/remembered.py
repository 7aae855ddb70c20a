"""What is remembered of every report: its packed fingerprint, its incident, and its blocks.

Made for a million reports in one process: no Python object per word or per block.
"""

from __future__ import annotations

from array import array
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pilah.models.packing import pack, unpack, written_bytes
from pilah.models.rarity import Texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pilah.models.reading import Fingerprint

_FIRST_BUCKETS = 1 << 10
CHAINED = {"hashes": "Q", "numbers": "i", "before": "i", "heads": "i"}
"""Arrays of :class:`Chains`, and their kinds."""


class Remembered:
    """Fingerprints by report id, and by the blocks that they stand in, latest first."""

    def __init__(self) -> None:
        """Start empty."""
        self._rows: dict[str, int] = {}
        self._names: list[str | None] = []  # by row; None once it is dropped
        self._packed: list[bytes] = []
        self._incidents: list[str] = []
        self._blocks = Chains()

    @classmethod
    def of(
        cls, names: list[str], packed: list[bytes], incidents: list[str], blocks: Chains
    ) -> Remembered:
        """From the parts that :meth:`state` gave, row by row."""
        known = cls()
        known._names, known._packed, known._incidents = [*names], packed, incidents
        known._rows = {name: row for row, name in enumerate(names)}
        known._blocks = blocks
        return known

    def copy(self) -> Remembered:
        """A copy that stays as it is while this one goes on."""
        copy = Remembered()
        copy._rows, copy._names = dict(self._rows), [*self._names]
        copy._packed, copy._incidents = [*self._packed], [*self._incidents]
        copy._blocks = self._blocks.copy()
        return copy

    def state(self) -> tuple[list[str], list[bytes], list[str], Chains]:
        """Names, packed fingerprints, incidents, and the blocks: without what was dropped."""
        kept = np.array([name is not None for name in self._names], dtype=np.bool_)
        names = [name for name in self._names if name is not None]
        packed = [self._packed[row] for row in self._rows.values()]
        incidents = [self._incidents[row] for row in self._rows.values()]
        return names, packed, incidents, self._blocks.only(kept)

    def __len__(self) -> int:
        """How many reports."""
        return len(self._rows)

    def __contains__(self, report_id: object) -> bool:
        """Whether this report is remembered."""
        return report_id in self._rows

    def put(self, fingerprint: Fingerprint, incident_id: str, blocks: Iterable[str]) -> None:
        """Remember a report as the latest; one that is known already is replaced."""
        self.drop(fingerprint.report_id)
        row = len(self._names)
        self._rows[fingerprint.report_id] = row
        self._names.append(fingerprint.report_id)
        self._packed.append(pack(fingerprint))
        self._incidents.append(incident_id)
        for block in blocks:
            self._blocks.add(block, row)

    def drop(self, report_id: str) -> bool:
        """Forget a report. Returns whether it was remembered."""
        row = self._rows.pop(report_id, None)
        if row is not None:
            self._names[row], self._packed[row], self._incidents[row] = None, b"", ""
        return row is not None

    def get(self, report_id: str) -> Fingerprint | None:
        """The fingerprint of a report."""
        row = self._rows.get(report_id)
        return None if row is None else unpack(report_id, self._packed[row])

    def row(self, report_id: str) -> int | None:
        """The row of a report: a number that it keeps until it is dropped or put again."""
        return self._rows.get(report_id)

    def name(self, row: int) -> str | None:
        """The report in a row; None once it is dropped."""
        return self._names[row]

    def packed(self, row: int) -> bytes:
        """The packed fingerprint in a row."""
        return self._packed[row]

    def texts(self, rows: Iterable[int]) -> Texts:
        """The written words of the reports in some rows, in this order."""
        pieces = [written_bytes(self._packed[row]) for row in rows]
        ends = np.cumsum([0, *(len(piece) // 4 for piece in pieces)], dtype=np.int64)
        return Texts(np.frombuffer(b"".join(pieces), dtype=np.uint32), ends)

    def incident(self, report_id: str) -> str | None:
        """The incident of a report."""
        row = self._rows.get(report_id)
        return None if row is None else self._incidents[row]

    def move(self, report_id: str, incident_id: str) -> None:
        """Put a report into another incident; an unknown one is passed over."""
        row = self._rows.get(report_id)
        if row is not None:
            self._incidents[row] = incident_id

    def block(self, name: str) -> Iterator[int]:
        """Rows of the reports in a block, latest first."""
        return (row for row in self._blocks.newest(name) if self._names[row] is not None)


class Chains:
    """Numbers under names, newest first, 16 bytes each and 4 to 8 for its bucket.

    A hash table with separate chaining (Knuth 1998, 6.4) in flat arrays: ``heads`` holds the
    newest entry of each bucket, ``before`` the one before it. Names are kept as 64-bit hashes.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._hashes, self._numbers = array("Q"), array("i")
        self._before = array("i")
        self._heads = array("i", [-1]) * _FIRST_BUCKETS

    def copy(self) -> Chains:
        """A copy that stays as it is while this one goes on."""
        return Chains.of({name: part[:] for name, part in self.parts().items()})

    def only(self, kept: NDArray[np.bool_]) -> Chains:
        """Those of the numbers that are kept, counted anew from 0."""
        numbers = np.array(self._numbers, dtype=np.int32)
        lasting = kept[numbers]
        renumbered = (np.cumsum(kept) - 1).astype(np.int32)[numbers[lasting]]
        hashes = np.array(self._hashes, dtype=np.uint64)[lasting]
        chains = Chains()
        chains._hashes.frombytes(hashes.tobytes())
        chains._numbers.frombytes(renumbered.tobytes())
        chains._link(max(_FIRST_BUCKETS, 1 << len(hashes).bit_length()))
        return chains

    @classmethod
    def of(cls, parts: Mapping[str, array[int]]) -> Chains:
        """From the parts that :meth:`parts` gave."""
        chains = cls()
        chains._hashes, chains._numbers = parts["hashes"], parts["numbers"]
        chains._before, chains._heads = parts["before"], parts["heads"]
        return chains

    def parts(self) -> dict[str, array[int]]:
        """The flat arrays, by the names of :data:`CHAINED`."""
        return {name: getattr(self, f"_{name}") for name in CHAINED}

    def add(self, name: str, number: int) -> None:
        """Put a number under a name."""
        if len(self._hashes) >= len(self._heads):
            self._link(2 * len(self._heads))
        hashed = _hash(name)
        bucket = hashed & (len(self._heads) - 1)
        self._before.append(self._heads[bucket])
        self._heads[bucket] = len(self._hashes)
        self._hashes.append(hashed)
        self._numbers.append(number)

    def newest(self, name: str) -> Iterator[int]:
        """The numbers under a name, newest first."""
        hashed = _hash(name)
        entry = self._heads[hashed & (len(self._heads) - 1)]
        while entry >= 0:
            if self._hashes[entry] == hashed:
                yield self._numbers[entry]
            entry = self._before[entry]

    def _link(self, count: int) -> None:
        """Link every chain anew, in so many buckets."""
        buckets = np.frombuffer(self._hashes, dtype=np.uint64) & np.uint64(count - 1)
        order = np.argsort(buckets, kind="stable").astype(np.int32)
        linked = buckets[order]
        follows = np.zeros(len(linked), dtype=np.bool_)
        follows[1:] = linked[1:] == linked[:-1]
        before = np.full(len(order), -1, dtype=np.int32)
        before[order[follows]] = order[:-1][follows[1:]]
        heads = np.full(count, -1, dtype=np.int32)
        heads[linked] = order  # the last of equal ones stays: the newest
        self._before, self._heads = array("i", before.tobytes()), array("i", heads.tobytes())


def _hash(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")
