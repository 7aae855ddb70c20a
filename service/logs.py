"""What may be said about an error in a log: its class and where it happened, never its message.

The message of an exception can hold the text of a report; file names and line numbers cannot.
"""

from __future__ import annotations

import traceback
from pathlib import Path

FRAMES = 8
"""How many of the innermost frames are named."""


def safe(error: BaseException) -> str:
    """One line such as ``KeyError at intake.py:81 < api.py:40``, causes behind ``from``."""
    frames = reversed(traceback.extract_tb(error.__traceback__)[-FRAMES:])
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames]
    line = f"{type(error).__name__} at {' < '.join(places) or 'unknown place'}"
    cause = error.__cause__ or error.__context__
    return f"{line} from {safe(cause)}" if cause is not None else line
