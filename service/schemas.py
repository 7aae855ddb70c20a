"""What the service answers, as pydantic models; the tests hold the answers against them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

Probability = Annotated[float, Field(ge=0, le=1)]


class TopicAlternative(BaseModel):
    """A topic that was not chosen."""

    main: str
    sub: str | None
    probability: Probability


class Topic(BaseModel):
    """The chosen topic; null where the probability stayed below the threshold."""

    main: str | None
    sub: str | None
    probability: Probability
    fallback: Literal["none", "main", "null"]
    alternatives: list[TopicAlternative]


class AgencyAlternative(BaseModel):
    """An agency that was not chosen."""

    name: str
    government: str | None
    probability: Probability
    level: str | None
    rule: str | None


class Agency(BaseModel):
    """Who must handle it, by which rule and legal ground."""

    name: str | None
    government: str | None
    level: str | None
    probability: Probability
    rule: str | None
    ground: str | None
    source: Literal["rules", "learned", "both"]
    alternatives: list[AgencyAlternative]


class OutcomeOut(BaseModel):
    """What kind of case it is, and what is missing."""

    label: str
    probability: Probability
    missing: list[str]
    evidence: list[str]


class Klasifikasi(BaseModel):
    """SP4N's klasifikasi."""

    label: str
    probability: Probability


class MatchOut(BaseModel):
    """An earlier report that may tell of the same incident."""

    report_id: str
    probability: Probability
    similarity: float
    evidence: list[str]


class DuplicatesOut(BaseModel):
    """Whether the incident is known already."""

    verdict: Literal["duplicate", "possible", "none"]
    incident_id: str | None
    matches: list[MatchOut]
    recurs_of: str | None = Field(
        description="The closed incident whose problem came back; the incident is a new one."
    )


class HoaxEvidenceOut(BaseModel):
    """One reason for the flag."""

    kind: str
    detail: str


class HoaxOut(BaseModel):
    """Hoax-like or not; a flag only means that a person looks."""

    flag: bool
    score: Probability
    evidence: list[HoaxEvidenceOut]


class ReviewOut(BaseModel):
    """Whether a person must look, and why."""

    needed: bool
    reasons: list[str]


class TermOut(BaseModel):
    """A word and how strongly it spoke for the topic."""

    term: str
    weight: float


class PlaceOut(BaseModel):
    """A place read in the text."""

    text: str
    code: str | None
    name: str
    kind: str
    probability: Probability


class ExplanationOut(BaseModel):
    """Why."""

    terms: list[TermOut]
    places: list[PlaceOut]


class VersionsOut(BaseModel):
    """What an old answer needs to be replayed."""

    service: str
    bundle: str
    labels: str
    thresholds: str
    index: str
    routes: str = Field("bawaan", description="Version of the operator's own routing rows.")


class TriageOut(BaseModel):
    """One answer for one report."""

    report_id: str
    topic: Topic
    agency: Agency
    outcome: OutcomeOut
    klasifikasi: Klasifikasi
    duplicates: DuplicatesOut
    hoax: HoaxOut
    review: ReviewOut
    explanation: ExplanationOut
    masked_text: str | None = Field(description="Personal data masked; null for a secret report.")
    versions: VersionsOut


class FieldErrorOut(BaseModel):
    """What is wrong at one place, and the cure; values are never quoted."""

    place: str
    problem: str
    cure: str


class ProblemOut(BaseModel):
    """RFC 9457 problem."""

    type: str = Field(examples=["/problems/report-invalid"])
    title: str
    status: int
    detail: str
    errors: list[FieldErrorOut] | None = None
    request_id: str | None = None


class BatchItemOut(BaseModel):
    """What became of one report of a batch."""

    index: int
    status: Literal["ok", "error"]
    triage: TriageOut | None = None
    problem: ProblemOut | None = None


class BatchOut(BaseModel):
    """One result per report, in order."""

    results: list[BatchItemOut]


class DecisionOut(BaseModel):
    """One entry of a report's history."""

    number: int
    actor: str
    action: str
    reason: str | None
    undoes: int | None = Field(description="Number of the decision that this one undoes.")
    labels: dict[str, Any]
    before: dict[str, Any] | None = Field(description="Labels in force and incident before it.")
    versions: dict[str, str] | None = Field(description="Of the suggestion that was decided on.")
    note: str | None
    decided_at: str


class RefusalOut(BaseModel):
    """One "bukan wewenang", or its withdrawal."""

    decision: int = Field(description="Number of the decision that said so.")
    agency: str
    government: str | None
    withdrawn: bool


class OfferOut(BaseModel):
    """A later suggestion: the next best body after a refusal."""

    decision: int = Field(description="Number of the decision it followed.")
    agency: Agency
    versions: VersionsOut
    made_at: str


class ReportOut(BaseModel):
    """A stored report: the machine's suggestion and people's decisions, side by side."""

    report_id: str
    visibility: str
    received_at: str
    reported_at: str | None
    channel: str | None
    chosen_agency: str | None
    incident_id: str
    suggestion: TriageOut
    decisions: list[DecisionOut]
    refusals: list[RefusalOut]
    offers: list[OfferOut]
    ping_pong: bool = Field(description="Two or more bodies refused it.")


class QueueItemOut(BaseModel):
    """One report that waits for a person."""

    report_id: str
    visibility: str
    received_at: str
    incident_id: str
    reasons: list[str]
    suggestion: TriageOut


class QueueOut(BaseModel):
    """One page of the review queue, oldest first."""

    count: int = Field(description="How many wait in all, with this reason.")
    items: list[QueueItemOut]
    next: int | None = Field(description="Give it as after to read on; null at the end.")


class ModelOut(BaseModel):
    """What answers, and within which limits."""

    service: str
    model: dict[str, Any]
    limits: dict[str, int]


class HealthOut(BaseModel):
    """The service stands."""

    status: Literal["ok"]
