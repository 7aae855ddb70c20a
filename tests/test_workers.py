"""Working processes: none is left when the command that started them is killed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

WAIT_SECONDS = 60
"""What anything may take on a busy machine; nothing waits longer than it needs."""
COMMAND = """
import multiprocessing, sys, time
from pilah.service.workers import workers
def count(engine, given):
    return len(given)
def main():
    with workers(sys.argv[1], 2) as pool:
        assert pool.begin(count)("ab")() == 2
        print(*(child.pid for child in multiprocessing.active_children()), flush=True)
        time.sleep(600)
if __name__ == "__main__":
    main()
"""


@pytest.mark.fault
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at /proc")
def test_a_killed_command_leaves_no_process(bundle_folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "perintah.py"
    script.write_text(COMMAND, "utf-8")
    command = [sys.executable, str(script), str(bundle_folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own code
        assert process.stdout is not None
        children = [Path("/proc", pid) for pid in process.stdout.readline().split()]
        process.kill()
    assert len(children) == 2
    end = time.monotonic() + WAIT_SECONDS
    while any(child.exists() for child in children):
        assert time.monotonic() < end, "a working process goes on"
        time.sleep(0.05)
