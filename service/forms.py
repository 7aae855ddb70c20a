"""Forms of the pages: read within limits, and only when a page of this site sent them."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from fastapi import Request

from pilah.service.bodies import read_body, require_type
from pilah.service.problems import Problem

MAX_FIELDS = 40
"""Most fields of a form."""


async def read_form(request: Request, *, limit: int) -> dict[str, str]:
    """The fields of a form, the last one where a name is repeated.

    Raises:
        Problem: ``media-type-unsupported``, ``body-too-large`` or ``request-timeout``.
    """
    require_type(request, "application/x-www-form-urlencoded")
    body = await read_body(request, limit=limit)
    try:
        text = body.decode("ascii")
        fields = parse_qs(text, encoding="utf-8", errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Problem("media-type-unsupported") from None
    return {name: values[-1] for name, values in fields.items()}


def require_same_site(request: Request) -> None:
    """Refuse a form that another site sent in somebody's name.

    Raises:
        Problem: ``cross-site``.
    """
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host", "")
    if site not in ("same-origin", "none") or (foreign and "sec-fetch-site" not in request.headers):
        raise Problem("cross-site")
