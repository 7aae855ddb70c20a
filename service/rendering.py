"""Pages out of templates: escaped, with Indonesian words for codes."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from pilah.datasets.regions import load_regions
from pilah.service.desk.clock import last_day, local_day, local_time
from pilah.service.match_words import match_words
from pilah.service.words import word

_HERE = Path(__file__).parent


def html(template: str, status: int = 200, /, **context: Any) -> Response:  # noqa: ANN401
    """A page; every name that its template uses must be given."""
    return HTMLResponse(templates().get_template(template).render(context), status)


def _region(code: str) -> str:
    found = load_regions().by_code.get(code)
    return found.name if found else code


@lru_cache(maxsize=1)
def templates() -> Environment:
    """The templates of the pages."""
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["word"] = word
    environment.filters["match_words"] = match_words
    environment.filters["number"] = lambda value: f"{value:,}".replace(",", ".")
    environment.filters["percent"] = lambda value: f"{100 * value:.0f} %"
    environment.filters["local_time"] = local_time
    environment.filters["sentence"] = lambda text: text[:1].upper() + text[1:]
    environment.filters["local_day"] = local_day
    environment.filters["last_day"] = last_day
    environment.filters["decimal"] = lambda value: f"{value:.1f}".replace(".", ",")
    environment.filters["hundredths"] = lambda value: f"{value:.2f}".replace(".", ",")
    environment.filters["region"] = _region
    environment.filters["pretty"] = lambda v: json.dumps(v, ensure_ascii=False, indent=2)
    return environment
