"""Around every request: its id, its time, safe headers, one log line, and no error unanswered."""

from __future__ import annotations

import logging
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pilah.service.logs import safe
from pilah.service.metrics import Metrics
from pilah.service.problems import Problem, respond

log = logging.getLogger("pilah.access")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}


class Observer:
    """ASGI middleware; the log line names the route's template, never the path or the query."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        """Wrap ``app``."""
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(scope, send)
        try:
            await self.app(scope, receive, exchange.send)
        except Exception as error:  # noqa: BLE001 - the last net: answer 500, say where it happened
            log.error("request %s failed: %s", exchange.request_id, safe(error))
            scope["state"]["problem"] = "internal"
            if exchange.status == 0:
                response = respond(Problem("internal"), exchange.request_id)
                await response(scope, receive, exchange.send)
        finally:
            self._finish(scope, exchange)

    def _finish(self, scope: Scope, exchange: _Exchange) -> None:
        seconds = time.perf_counter() - exchange.started
        route = getattr(scope.get("route"), "path", None) or "unmatched"
        self.metrics.saw_request(scope["method"], route, exchange.status, seconds)
        problem = scope["state"].get("problem")
        if problem:
            self.metrics.problems.labels(problem).inc()
        log.info(
            "%s %s %d %.1f ms id=%s",
            scope["method"],
            route,
            exchange.status,
            seconds * 1000,
            exchange.request_id,
        )


class _Exchange:
    """One request and what is known of its answer; ``status`` is 0 until it has begun."""

    def __init__(self, scope: Scope, send: Send) -> None:
        given = Headers(scope=scope).get("x-request-id", "")
        self.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = self.request_id
        self.started, self.status, self._send = time.perf_counter(), 0, send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self.request_id
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
        await self._send(message)
