"""Is the saved duplicate index what the store says it should be?"""

from __future__ import annotations

from dataclasses import dataclass

from pilah.models.bundle import Bundle
from pilah.models.index import VectorIndex
from pilah.models.registry import Registry
from pilah.service import reads
from pilah.service.lockfile import only_process
from pilah.service.settings import Settings
from pilah.service.store import Store


@dataclass(frozen=True, slots=True)
class IndexState:
    """Counts of reports: in the store, in the index, and where the two disagree.

    Attributes:
        stored: reports that the store remembers.
        indexed: reports in the saved index.
        missing: stored, not indexed.
        stray: indexed, not stored.
        different: indexed with another vector, or stored with one of another encoder.
    """

    stored: int
    indexed: int
    missing: int
    stray: int
    different: int

    @property
    def agrees(self) -> bool:
        """Whether index and store say the same."""
        return self.missing == self.stray == self.different == 0


def compare_index(settings: Settings, folder: str) -> IndexState:
    """Compare the saved index with the store of a stopped service.

    Args:
        settings: where store, bundles and index are.
        folder: name of the index folder inside the data folder.

    Raises:
        PilahError: the service is running, or the saved index is damaged or missing.
    """
    version = Bundle.load(
        Registry(settings.data_dir / "bundles").path(settings.bundle or None)
    ).marks
    with only_process(settings.data_dir), Store.open(settings.url) as store:
        index = VectorIndex.load(settings.data_dir / folder)
        with store.reading() as connection:
            stale = len(reads.stale_reports(connection, version, after=0, limit=1_000_000_000))
            stored: set[str] = set()
            missing = different = 0
            for fingerprint, vector, _ in reads.remembered(connection, version):
                name = fingerprint.report_id
                if fingerprint.visibility == "secret":
                    continue  # secret reports are never indexed
                stored.add(name)
                missing += name not in index
                different += name in index and not index.holds(name, vector)
    stray = sum(name not in stored for name in index.ids())
    return IndexState(len(stored) + stale, len(index), missing, stray, different + stale)
