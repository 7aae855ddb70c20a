"""What clients send, as pydantic models: they make the OpenAPI document rich.

Requests are not validated by them: :mod:`pilah.service.checks` asks the one validation.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pilah.datasets.records import MAX_SHORT, MAX_TEXT
from pilah.service.checks import MAX_NOTE

Short = Annotated[str, Field(max_length=MAX_SHORT, pattern=r"^[^\x00-\x1f]*$")]

REPORT_EXAMPLE: dict[str, Any] = {
    "id": "LAPOR-2026-0001",
    "title": "Jalan berlubang di Jalan Kaliurang KM 5",
    "text": "Jalan Kaliurang KM 5 berlubang besar sejak dua minggu lalu, sudah dua motor jatuh.",
    "region": "Kabupaten Sleman, DI Yogyakarta",
    "reported_at": "2026-05-01T08:30:00+07:00",
    "channel": "web",
    "visibility": "public",
}


class RegionIn(BaseModel):
    """An administrative region by its parts."""

    model_config = ConfigDict(extra="forbid")
    province: Short | None = None
    regency: Short | None = None
    district: Short | None = None
    village: Short | None = None


class LocationIn(BaseModel):
    """A point in degrees (WGS 84)."""

    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)


class ReportIn(BaseModel):
    """One citizen report."""

    model_config = ConfigDict(json_schema_extra={"examples": [REPORT_EXAMPLE]})
    text: str = Field(
        min_length=1,
        max_length=MAX_TEXT,
        pattern=r"[!-~]",
        description="1 to 20,000 characters after trimming; no NUL.",
    )
    id: Short | None = Field(None, description="Your id; one is given when absent.")
    title: Short | None = None
    region: Short | RegionIn | None = Field(
        None, description="Kemendagri code, name, or parts; where it happened."
    )
    location: LocationIn | None = None
    reported_at: str | None = Field(
        None, json_schema_extra={"format": "date-time"}, description="ISO 8601."
    )
    channel: Short | None = Field(None, description="web, app, sms, whatsapp, ...")
    reporter_ref: Short | None = Field(None, description="Opaque reference, never a name.")
    visibility: Literal["public", "anonymous", "secret"] | None = Field(
        None, description="Default public. Anonymous hides the reporter, secret the content."
    )
    chosen_agency: Short | None = Field(None, description="What the reporter picked, if anything.")


class BatchIn(BaseModel):
    """Many reports; each is answered by itself."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reports": [REPORT_EXAMPLE]}]})
    reports: list[ReportIn] = Field(min_length=1)


class DecisionIn(BaseModel):
    """What a person decided; fields left out are not decided. No label confirms the suggestion."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"actor": "moderator-7", "agency": "Dinas PUPKP Kabupaten Sleman", "after": 0}
            ]
        },
    )
    actor: str = Field(
        min_length=1, max_length=MAX_SHORT, pattern=r"^[!-~]+$", description="Who decides; an id."
    )
    topic_main: Short | None = None
    topic_sub: Short | None = None
    agency: Short | None = None
    outcome: (
        Literal[
            "actionable",
            "needs_information",
            "not_government",
            "out_of_scope",
            "prank",
            "praise_or_question",
        ]
        | None
    ) = None
    klasifikasi: (
        Literal[
            "pengaduan",
            "pengaduan_pengawasan",
            "aspirasi",
            "permintaan_informasi",
            "whistleblowing",
        ]
        | None
    ) = None
    hoax: bool | None = None
    incident: Short | None = Field(
        None, description='Id of a known incident (merge), or "new" (take out).'
    )
    government: Short | None = Field(None, description="The body that the decided agency is of.")
    action: Literal["label", "forward", "ask", "refuse", "archive", "undo"] | None = Field(
        None,
        description="label (default) decides the labels; forward sends it on; ask asks the "
        "reporter; refuse says that the agency is not competent; archive closes it; undo takes "
        "the last decision out of force.",
    )
    reason: (
        Literal[
            "too_general",
            "wrong_format",
            "not_government",
            "out_of_scope",
            "sara",
            "no_evidence",
            "unclear",
            "prank",
            "campaign",
            "hoax",
        ]
        | None
    ) = Field(None, description="Why it is archived; needed for archive, refused otherwise.")
    look: Literal["blind", "read", "unread"] | None = Field(
        None,
        description="How the person looked at the suggestion: blind (did not see it), read (with "
        "the report), unread (accepted without opening the report). Decides what it teaches.",
    )
    note: str | None = Field(None, max_length=MAX_NOTE)
    refused_by: Short | None = Field(
        None, description='The agency that says "bukan wewenang"; the next best is offered at once.'
    )
    taken_back_by: Short | None = Field(None, description="The agency that takes its refusal back.")
    after: int | None = Field(
        None, ge=0, le=10**9, description="How many decisions you saw; another number gives 409."
    )
