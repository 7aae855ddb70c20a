"""Roles and what each may do: one table, asked by every page and tested against every route."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["moderator", "supervisor", "analyst", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

Action = Literal[
    "read_reports",  # the queue, reports and incidents, masked
    "decide",  # claim, decide, undo, merge
    "read_indicators",  # counts and measures
    "read_learning",  # drift, proposals, candidates
    "change_routing",  # accept a proposal that changes a table or a live model
    "read_audit",
    "manage_users",
    "manage_keys",
    "own_account",  # change the own password
]
ACTIONS: tuple[Action, ...] = get_args(Action)

MAY: Mapping[Role, frozenset[Action]] = {
    "moderator": frozenset({"read_reports", "decide", "read_indicators", "own_account"}),
    "supervisor": frozenset(
        {
            "read_reports",
            "decide",
            "read_indicators",
            "read_learning",
            "change_routing",
            "read_audit",
            "own_account",
        }
    ),
    "analyst": frozenset({"read_reports", "read_indicators", "read_learning", "own_account"}),
    "admin": frozenset({"read_audit", "manage_users", "manage_keys", "own_account"}),
}
"""What each role may do. A moderator does it for the own government only."""


@dataclass(frozen=True, slots=True)
class User:
    """A person who is signed in.

    Attributes:
        name: sign-in name; the actor of decisions.
        display: how pages call the person.
        role: key of ``MAY``.
        government: the body whose reports a moderator sees; None for the other roles.
    """

    name: str
    display: str
    role: Role
    government: str | None = None

    @property
    def only(self) -> str | None:
        """The body whose reports alone the user sees; None: all."""
        return (self.government or "") if self.role == "moderator" else None

    def may(self, action: Action) -> bool:
        """Whether the role allows the action."""
        return action in MAY[self.role]

    def sees(self, government: str | None) -> bool:
        """Whether the user may see reports that belong to this body (None: to nobody yet)."""
        if not self.may("read_reports"):
            return False
        return self.role != "moderator" or (
            government is not None and government == self.government
        )
