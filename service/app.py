"""The app: put together, started and stopped."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    ExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import replace
from functools import partial
from typing import Any

import uvicorn
from anyio.to_thread import run_sync
from fastapi import FastAPI

from pilah.datasets.errors import PilahError
from pilah.datasets.records import Report
from pilah.models.registry import Registry
from pilah.service import api, api_incidents, openapi, pages, probes, problems
from pilah.service.accounts import admin, oidc, signin
from pilah.service.accounts.keys import Keyring
from pilah.service.desk import opinions
from pilah.service.desk import pages as desk_pages
from pilah.service.desk.facets import FRESH_SECONDS, tally
from pilah.service.engine import EngineFactory
from pilah.service.health import Readiness
from pilah.service.intake import Intake
from pilah.service.keeper import Keeper
from pilah.service.lockfile import only_process
from pilah.service.loop import api as loop_api
from pilah.service.loop import indicator_page, proposal_page, quality_page
from pilah.service.loop.counting import Counting
from pilah.service.loop.indicator_view import RENEW_SECONDS, renew
from pilah.service.loop.kept import Kept
from pilah.service.loop.proposals import find_proposals
from pilah.service.loop.routes import load_routes
from pilah.service.loop.samples import Shares
from pilah.service.loop.shadow import Shadow
from pilah.service.memory import restore
from pilah.service.metrics import Metrics
from pilah.service.middleware import Observer
from pilah.service.repeating import repeating
from pilah.service.settings import Settings
from pilah.service.state import Gate, Service
from pilah.service.store import Store
from pilah.service.switch import Switcher
from pilah.service.version import service_version

log = logging.getLogger(__name__)

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
GRACE_SECONDS = 30
"""How long a stopping server waits for requests in progress."""
_DESCRIPTION = (
    "Triage of Indonesian citizen reports: topic, agency, outcome, same incident, hoax-like signs, "
    "with evidence. A 2xx answer to a POST means stored. Errors are RFC 9457 problems."
)


def create_app(settings: Settings, engine_factory: EngineFactory) -> FastAPI:
    """Build the app; store and engine open when it starts.

    Args:
        settings: checked settings.
        engine_factory: called once at start-up with the settings; it may take long.
    """
    metrics = Metrics()
    app = FastAPI(
        title="Pilah",
        version=service_version(),
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan(settings, engine_factory, metrics),
    )
    app.include_router(api.router)
    for part in (loop_api.router, loop_api.opinions, indicator_page.api):
        app.include_router(part)
    for part in (indicator_page.router, proposal_page.router, quality_page.router):
        app.include_router(part)
    app.include_router(api_incidents.router)
    app.include_router(probes.router)
    app.include_router(signin.router)
    app.include_router(admin.router)
    oidc.install(app, settings)
    app.include_router(desk_pages.router)
    app.include_router(opinions.router)
    pages.install(app)
    problems.install(app)
    app.add_middleware(Observer, metrics=metrics)
    app.openapi = _cached(lambda: openapi.document(app))  # type: ignore[method-assign]
    return app


def serve(settings: Settings, engine_factory: EngineFactory) -> None:
    """Serve until SIGTERM or SIGINT; requests in progress are finished first.

    Raises:
        PilahError: the service could not start; the message says why and what to do.
    """
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    app = create_app(settings, engine_factory)
    logging.getLogger("uvicorn.error").addFilter(lambda _: not hasattr(app.state, "start_error"))
    try:
        uvicorn.run(
            app,
            host=settings.host,
            port=settings.port,
            access_log=False,  # ours has no path and no query
            log_config=None,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    except SystemExit:
        if isinstance(error := getattr(app.state, "start_error", None), PilahError):
            raise error from None
        raise


def openapi_document() -> dict[str, Any]:
    """The OpenAPI document, without starting anything."""

    def never(_: Settings) -> Any:  # noqa: ANN401 - it returns no engine
        raise AssertionError("the document needs no engine")

    document: dict[str, Any] = create_app(Settings(), never).openapi()
    return document


@contextmanager
def opened(
    settings: Settings, engine_factory: EngineFactory, metrics: Metrics | None = None
) -> Iterator[Service]:
    """A service on its store with a restored engine; closed in the end.

    Raises:
        PilahError: the data folder, the store or the engine cannot be used.
    """
    metrics = metrics or Metrics()
    with (
        only_process(settings.data_dir),
        Store.open(settings.url) as store,
        store.only_service(),
    ):
        store.drop_old_replies()
        engine = engine_factory(settings)
        saved = restore(store, engine)
        with store.reading() as connection:
            routes = load_routes(connection)
        with _shadow(settings, engine_factory, store, metrics) as stored:
            intake = Intake(store, engine, shares=_shares(settings), stored=stored)
            intake.engine.use_routes(*routes)
            service = _service(settings, intake, metrics)
            ahead = partial(_read_ahead, service)
            with (
                Keeper(intake, saved).running(),
                repeating("pilah-pages", ahead, every=RENEW_SECONDS, at_once=True),
            ):
                yield service


def _shares(settings: Settings) -> Shares:
    return Shares(
        audit=settings.audit_share,
        overlap=settings.overlap_share,
        overruled=settings.overruled_share,
        informative=settings.informative_share,
    )


def _service(settings: Settings, intake: Intake, metrics: Metrics) -> Service:
    store, keyring = intake.store, Keyring(settings.api_keys)
    with store.reading() as connection:
        keyring.refresh(connection)
    return Service(
        settings,
        intake,
        metrics,
        Gate(settings.max_concurrency, metrics),
        Readiness(intake),
        keyring,
        Counting(store),
        Kept(store, lambda connection, _: find_proposals(connection), most=1),
        Kept(store, tally, most=200, seconds=FRESH_SECONDS, quick=0.0),
        Kept(store, quality_page.learned, most=1),
    )


def _read_ahead(service: Service) -> None:
    """Read what slow pages show, so that nobody who opens one waits for the store."""
    renew(service.counting)
    service.learned.renew("")


@contextmanager
def _shadow(
    settings: Settings, make: EngineFactory, store: Store, metrics: Metrics
) -> Iterator[Callable[[str, Report], None]]:
    """Where stored reports are handed to: the candidate beside the live bundle, or nowhere."""
    if not settings.shadow_bundle:
        yield lambda _id, _report: None
        return
    candidate = make(replace(settings, bundle=settings.shadow_bundle))
    shadow = Shadow(store, candidate, metrics)
    with shadow.running():
        yield shadow.offer


Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def _lifespan(settings: Settings, engine_factory: EngineFactory, metrics: Metrics) -> Lifespan:
    def start(stack: ExitStack) -> Service:
        seen = None if settings.bundle else Registry(settings.data_dir / "bundles").pointer()
        service = stack.enter_context(opened(settings, engine_factory, metrics))
        if seen is not None:  # a bundle that is named in the settings stays
            stack.enter_context(Switcher(service, engine_factory, seen).running())
        return service

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        logging.getLogger("uvicorn.access").disabled = True  # it logs paths and queries
        stack = ExitStack()
        try:
            app.state.service = await run_sync(start, stack)
            log.info("pilah %s is ready to serve", service_version())
            yield
        except PilahError as error:
            app.state.start_error = error
            raise
        finally:
            await run_sync(stack.close)

    return lifespan


def _cached(make: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    made: list[dict[str, Any]] = []

    def cached() -> dict[str, Any]:
        if not made:
            made.append(make())
        return made[0]

    return cached
