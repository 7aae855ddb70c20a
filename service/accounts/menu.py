"""The menu of the pages for signed-in people: one row a page, shown to whoever may open it."""

from __future__ import annotations

from dataclasses import dataclass

from pilah.service.accounts.roles import Action, User


@dataclass(frozen=True, slots=True)
class Entry:
    """One page of the menu."""

    path: str
    label: str
    action: Action


MENU = (
    Entry("/meja", "Meja", "read_reports"),
    Entry("/pendapat", "Pendapat kedua", "decide"),
    Entry("/indikator", "Indikator", "read_indicators"),
    Entry("/usulan-rute", "Usulan rute", "read_learning"),
    Entry("/mutu", "Mutu model", "read_learning"),
    Entry("/pengguna", "Pengguna", "manage_users"),
    Entry("/kunci", "Kunci API", "manage_keys"),
    Entry("/catatan", "Catatan audit", "read_audit"),
    Entry("/akun", "Akun", "own_account"),
)
"""In the order shown; the first page that a role may open is its home."""


def entries_of(user: User) -> tuple[Entry, ...]:
    """The pages that a user may open."""
    return tuple(entry for entry in MENU if user.may(entry.action))


def home_of(user: User) -> str:
    """Where a user lands after signing in."""
    return entries_of(user)[0].path
