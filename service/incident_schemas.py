"""Incidents in the OpenAPI document: what is asked of them, and how they are answered."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from pilah.datasets.records import MAX_SHORT
from pilah.service.checks import MAX_IDS, MAX_NOTE
from pilah.service.request_schemas import Short
from pilah.service.schemas import Probability


class ActIn(BaseModel):
    """Who acts on an incident, and why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"actor": "moderator-7", "reason": "sudah diperbaiki", "after": 0}]
        },
    )
    actor: str = Field(
        min_length=1, max_length=MAX_SHORT, pattern=r"^[!-~]+$", description="Who acts; an id."
    )
    reason: str = Field(min_length=1, max_length=MAX_NOTE, pattern=r"[!-~]", description="Why.")
    after: int | None = Field(
        None, ge=0, le=10**9, description="How many events you saw; another number gives 409."
    )


class MergeIn(ActIn):
    """Incidents that tell of the same."""

    incidents: list[Short] = Field(
        min_length=1, max_length=MAX_IDS, description="Their reports move to this incident."
    )


class SplitIn(ActIn):
    """Reports that tell of something else."""

    reports: list[Short] = Field(
        min_length=1, max_length=MAX_IDS, description="Members that start a new incident."
    )


class MemberOut(BaseModel):
    """One report of an incident; a secret one shows nothing of its content."""

    report_id: str
    visibility: str
    received_at: str
    topic: str | None
    agency: str | None
    masked_text: str | None


class PlaceNamed(BaseModel):
    """A Kemendagri code and the name of its region."""

    code: str
    name: str


class CitizensOut(BaseModel):
    """How many people told of it; senders of anonymous and secret reports are never compared."""

    known: int = Field(description="Different senders of public reports that name one.")
    unknown_reports: int = Field(description="Reports whose sender is not known or not compared.")
    at_least: int
    at_most: int


class IncidentState(BaseModel):
    """What an incident was or is."""

    status: Literal["open", "closed", "merged"]
    closed_at: str | None
    merged_into: str | None


class EventState(BaseModel):
    """States of the incidents that an act touched, and where the moved reports belonged."""

    incidents: dict[str, IncidentState]
    reports: dict[str, str]


class EventOut(BaseModel):
    """What a person did: who, when, why, before, after."""

    number: int
    kind: Literal["merge", "split", "apart", "move", "close", "reopen", "undo"]
    actor: str
    reason: str
    happened_at: str
    undoes: int | None
    before: EventState
    after: EventState


class IncidentOut(BaseModel):
    """All reports of one incident, how it stands, and what people did to it."""

    incident_id: str
    created_from: str
    created_at: str
    status: Literal["open", "closed", "merged"]
    closed_at: str | None
    merged_into: str | None = Field(description="The incident that has its reports now.")
    recurs_of: str | None = Field(description="The closed incident whose problem came back.")
    recurred_as: list[str]
    apart_from: list[str] = Field(description="Incidents that a person told apart from this one.")
    topic: str | None = Field(description="Main topic of most of its reports.")
    place: PlaceNamed | None = Field(description="Place of most of its reports.")
    citizens: CitizensOut
    count: int
    counts: dict[str, int]
    first_received_at: str | None
    last_received_at: str | None
    members: list[MemberOut]
    members_left_out: int
    history: list[EventOut]


class SimilarItem(BaseModel):
    """A known incident, told from its public reports alone."""

    incident_id: str
    status: Literal["open", "closed", "merged"]
    probability: Probability
    evidence: list[str]
    reports: int = Field(description="Public reports that tell of it.")
    first_received_at: str
    last_received_at: str
    topic: str | None
    agency: str | None
    place: PlaceNamed | None
    masked_text: str = Field(description="Its first public report, personal data masked.")


class SimilarOut(BaseModel):
    """What is known already, the likeliest first."""

    incidents: list[SimilarItem]
