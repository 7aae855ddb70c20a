"""The loop's part of the contract as pydantic models."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f]*$")]
Actor = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[!-~]+$")]


class RouteIn(BaseModel):
    """A routing row; fields left out are those of the proposal."""

    model_config = ConfigDict(extra="forbid")
    topic: Text | None = Field(None, description="Id of a main topic (with its sub-topics) or sub.")
    terms: list[Text] | None = Field(None, description="One must stand in the text; none: always.")
    region: Text | None = Field(None, description="Code of a province or kabupaten/kota, or empty.")
    level: Literal["national", "bumn", "provinsi", "kabkota", "desa"] | None = None
    target: Text | None = Field(None, description="Agency id, or unit family id.")
    ground: Text | None = None


class VerdictIn(BaseModel):
    """What a person thinks of a proposal."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"actor": "supervisor-1", "verdict": "accepted"}]},
    )
    actor: Actor
    verdict: Literal["accepted", "dismissed"]
    note: Annotated[str, Field(max_length=4_000)] | None = None
    route: RouteIn | None = None


class RetirementIn(BaseModel):
    """Who takes a local row out of force."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"actor": "supervisor-1"}]}
    )
    actor: Actor
    note: Annotated[str, Field(max_length=4_000)] | None = None


class RouteOut(BaseModel):
    """A routing row of the operator in force; answers name it ``lokal-<number>``."""

    number: int
    topic: str
    terms: list[str]
    region: str
    level: str
    target: str
    ground: str


class ChangeOut(BaseModel):
    """One change of the operator's rows."""

    number: int
    action: Literal["add", "retire"]
    route: dict[str, Any] | int
    actor: str
    note: str | None
    made_at: str
    proposal: str | None
    cases: list[str]


class RoutesOut(BaseModel):
    """The operator's rows and how they came about."""

    version: str
    routes: list[RouteOut]
    changes: list[ChangeOut]


class ProposalOut(BaseModel):
    """A pattern that was refused again and again, and the row that would end it."""

    id: str
    topic: str
    agency: str
    government: str | None
    area: str = Field(description="provinsi, kabupaten, kota or nasional.")
    cases: list[str]
    kept: int = Field(description="Reports of that topic and agency that were not refused.")
    terms: list[str]
    route: dict[str, Any] | None
    target: str | None
    decided: int = Field(description="How many of the cases a person sent to the target.")


class ProposalsOut(BaseModel):
    """Open proposals."""

    proposals: list[ProposalOut]
    more: int = Field(description="Open proposals that are not listed; they have fewer cases.")


class OpinionItem(BaseModel):
    """A report that waits for a second opinion."""

    report_id: str
    visibility: str
    received_at: str
    masked_text: str


class OpinionsOut(BaseModel):
    """Reports that wait for a second opinion, oldest first."""

    items: list[OpinionItem]


class OpinionOut(BaseModel):
    """A second opinion as it was kept."""

    report_id: str
    actor: str
    labels: dict[str, Any]


class GroupOut(BaseModel):
    """The measures of one group; beside them stand the dimensions that were asked for."""

    model_config = ConfigDict(extra="allow")
    reports: int
    incidents: int
    merged: int = Field(description="Reports that joined a known incident at once.")
    alone: int = Field(description="Routed without a person.")
    needs_information: int
    overdue: int = Field(description="Waiting past the third working day.")
    decided: int
    in_time: int = Field(description="Decided within three working days.")
    hours: float | None = Field(description="Median hours to the first decision.")
    refused: int
    hoax: int
    hoax_confirmed: int
    hoax_dismissed: int
    audited: int = Field(description="Sure answers that a person was asked to check.")
    right: int = Field(description="Of those, with the right agency.")
    alone_share: float | None
    in_time_share: float | None
    precision: float | None
    precision_lower: float | None = Field(description="95 % Wilson interval.")
    precision_upper: float | None


class IndicatorsOut(BaseModel):
    """Measures, grouped."""

    since: str | None
    until: str | None
    by: list[str]
    groups: list[GroupOut]
