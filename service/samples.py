"""Invented reports to try on the start page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """One invented report."""

    label: str
    title: str
    text: str
    region: str = ""


SAMPLES: tuple[Sample, ...] = (
    Sample(
        "Jalan berlubang",
        "Lubang besar di Jalan Kaliurang",
        "Mohon perbaikan jalan berlubang di Jalan Kaliurang KM 9, dekat pasar. Sudah tiga minggu "
        "dibiarkan, kemarin malam dua pengendara motor jatuh.",
        "Kabupaten Sleman",
    ),
    Sample(
        "Lampu jalan (campur Jawa)",
        "PJU mati",
        "Lampu dalan ning ngarep balai desa mati wis seminggu, peteng tenan yen bengi. "
        "Nyuwun tulung didandani nggih, no hp kulo 081200000000.",
        "Kabupaten Sleman",
    ),
    Sample(
        "Kurang lengkap",
        "",
        "Tolong dong pak air mati terus gimana ini",
    ),
    Sample(
        "Pesan berantai",
        "Sebarkan!!!",
        "SEBARKAN ke semua grup!! Mulai besok pemerintah memblokir semua rekening yang tidak "
        "daftar ulang lewat tautan ini. Info dari orang dalam, jangan sampai terlambat!!!",
    ),
)
