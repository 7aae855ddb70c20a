"""A real server on a free loopback port for as long as a test needs it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import uvicorn
from fastapi import FastAPI

from pilah.service.problems import KINDS, MEDIA_TYPE

START_SECONDS = 60.0


class Answered(Protocol):
    """The part of an HTTP client's response that is looked at."""

    @property
    def status_code(self) -> int:
        """HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Header fields, names in any case."""
        ...

    def json(self) -> Any:  # noqa: ANN401 - any JSON value
        """The body."""
        ...


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an app in a thread and give its base URL; everything is closed in the end.

    Raises:
        RuntimeError: the app did not start.
    """
    config = uvicorn.Config(
        app, host="127.0.0.1", access_log=False, ws="none", log_config=None, server_header=False
    )
    server = uvicorn.Server(config)
    # asyncio sets TCP_NODELAY only where the protocol is named
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            _wait(server, thread)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(timeout=START_SECONDS)


def _wait(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the app did not start; see the log above")
        time.sleep(0.01)


def expect_problem(response: Answered, slug: str) -> dict[str, Any]:
    """Check that a response is that problem, and give its body.

    Raises:
        AssertionError: it is another one, or is not formed as promised.
    """
    body: dict[str, Any] = response.json()
    wanted = (MEDIA_TYPE, f"/problems/{slug}", KINDS[slug].status, KINDS[slug].status)
    kind = response.headers["content-type"]
    if (kind, body.get("type"), body.get("status"), response.status_code) != wanted:
        raise AssertionError(f"expected {wanted}, got {response.status_code} {kind}: {body}")
    if body["request_id"] != response.headers["x-request-id"]:
        raise AssertionError("request_id differs from X-Request-ID")
    return body
