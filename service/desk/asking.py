"""The text that asks the reporter for what is missing; a person reads and changes it first."""

from __future__ import annotations

from collections.abc import Iterable

_ASK = {
    "place": "Di mana tepatnya kejadiannya? Sebutkan jalan atau dusun, RT/RW, desa atau kelurahan, "
    "kecamatan, kabupaten atau kota, dan patokan terdekat.",
    "time": "Kapan kejadiannya, atau sejak kapan? Sebutkan tanggal dan perkiraan jamnya.",
    "object": "Apa yang terjadi atau apa yang Anda minta? Ceritakan secara singkat, dan sertakan "
    "foto bila ada.",
    "agency": "Instansi, sekolah, rumah sakit, atau layanan mana yang dimaksud? Sebutkan namanya.",
}


def ask_text(missing: Iterable[str]) -> str:
    """The message for the parts that are missing (place, time, object, agency)."""
    questions = [_ASK[part] for part in missing if part in _ASK] or [_ASK["object"], _ASK["place"]]
    lines = [f"{number}. {question}" for number, question in enumerate(questions, start=1)]
    return "\n".join(
        [
            "Terima kasih atas laporan Anda. Agar dapat kami teruskan ke instansi yang berwenang, "
            "mohon lengkapi keterangan berikut:",
            *lines,
            "Mohon jangan menuliskan NIK, nomor rekening, atau kata sandi di dalam laporan.",
        ]
    )
