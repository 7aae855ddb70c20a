"""Indonesian words for what a pair of reports shows, for the pages."""

from __future__ import annotations

import re

MATCH_WORDS = {
    "same text": "isi sama persis",
    "same case number": "nomor perkara sama",
    "same reporter": "pelapor sama",
    "same street": "jalan sama",
    "same landmark": "patokan tempat sama",
    "same spot on the map": "titik peta sama",
    "same house number": "nomor rumah sama",
    "same km": "kilometer sama",
    "same RT": "RT sama",
    "same RW": "RW sama",
    "same village": "desa/kelurahan sama",
    "same district": "kecamatan sama",
    "same regency": "kabupaten/kota sama",
    "same problem": "masalah sama",
    "same topic": "topik sama",
    "same name": "nama orang sama",
    "same names told": "menyebut nama yang sama",
    "same month named": "menyebut bulan yang sama",
    "same date named": "menyebut tanggal yang sama",
    "same block": "blok sama",
    "same village or district named": "menyebut desa/kelurahan atau kecamatan yang sama",
    "most words shared": "sebagian besar kata sama",
    "alike but for the place": "mirip, tetapi tempatnya lain",
    "alike but for a name": "mirip, tetapi namanya lain",
    "alike but for a number": "mirip, tetapi angkanya lain",
    "different case number": "nomor perkara berbeda",
    "different street": "jalan berbeda",
    "different house number": "nomor rumah berbeda",
    "different km": "kilometer berbeda",
    "different RT": "RT berbeda",
    "different RW": "RW berbeda",
    "different village": "desa/kelurahan berbeda",
    "different district": "kecamatan berbeda",
    "different regency": "kabupaten/kota berbeda",
    "different problem": "masalah berbeda",
    "different name": "nama orang berbeda",
    "different month named": "menyebut bulan yang berbeda",
    "different date named": "menyebut tanggal yang berbeda",
    "different block": "blok berbeda",
    "different lane": "gang berbeda",
    "another village or district named": "menyebut desa/kelurahan atau kecamatan lain",
    "different relative": "tentang anggota keluarga yang berbeda",
    "told by different people": "pelapornya menyebut nama yang berbeda",
    "each tells another problem too": "masing-masing juga menyebut masalah lain",
    "each tells of an own case": "masing-masing tentang urusan sendiri",
    "same day": "hari yang sama",
}
"""Evidence of a pair as the API says it -> as a page shows it."""
_APART = re.compile(r"(\d+) days? apart")
_KM = re.compile(r"([\d.]+) km apart")


def match_words(evidence: str) -> str:
    """The Indonesian words for one piece of evidence; itself where there are none."""
    if found := _APART.fullmatch(evidence):
        return f"selisih {found[1]} hari"
    if found := _KM.fullmatch(evidence):
        return f"berjarak {found[1].replace('.', ',')} km"
    return MATCH_WORDS.get(evidence, evidence)
