"""Every error Pilah raises on purpose.

    PilahError
    ├── InputError            something a caller gave is wrong (names the place and the cure)
    │   ├── ReportError       one field of one report
    │   ├── FileFormatError   a whole file cannot be read
    │   └── UnknownRegionError  a region that is not in the table
    ├── TableError            a domain table shipped with Pilah, or edited by an operator, is broken
    ├── BundleError           a model bundle is missing, damaged or of another format
    └── IndexMismatchError    the duplicate index disagrees with the store

Messages never quote a report's text, so that personal data cannot leak through them.
"""


class PilahError(Exception):
    """Base of all errors that Pilah raises on purpose."""


class InputError(PilahError):
    """Something a caller gave is wrong."""


class ReportError(InputError):
    """One field of one report is wrong.

    Attributes:
        field: name of the field as in the contract, such as ``text`` or ``location.lat``.
        problem: what is wrong, without quoting the value.
        cure: what to do about it.
    """

    def __init__(self, field: str, problem: str, cure: str) -> None:
        """Keep the parts; the message joins them."""
        self.field, self.problem, self.cure = field, problem, cure
        super().__init__(f"{field}: {problem}; {cure}")


class UnknownRegionError(ReportError):
    """A region that is not in the table."""


class FileFormatError(InputError):
    """A whole file cannot be read as reports."""


class TableError(PilahError):
    """A domain table is broken.

    Attributes:
        file: file name of the table.
        line: 1-based line number, 0 when the whole file is meant.
    """

    def __init__(self, file: str, line: int, problem: str, cure: str) -> None:
        """Keep the place; the message joins all parts."""
        self.file, self.line = file, line
        super().__init__(f"{file}:{line}: {problem}; {cure}")


class BundleError(PilahError):
    """A model bundle is missing, damaged or of another format."""


class IndexMismatchError(PilahError):
    """The duplicate index disagrees with the store; ``pilah index rebuild`` mends it."""
