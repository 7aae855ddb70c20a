"""Indonesian words for the stable codes, for the pages only; an unknown code is shown as it is."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "outcome": {
        "actionable": "Dapat ditindaklanjuti",
        "needs_information": "Perlu informasi tambahan",
        "not_government": "Bukan urusan pemerintah",
        "out_of_scope": "Di luar cakupan SP4N-LAPOR!",
        "prank": "Iseng",
        "praise_or_question": "Pujian atau pertanyaan",
    },
    "klasifikasi": {
        "pengaduan": "Pengaduan tidak berkadar pengawasan",
        "pengaduan_pengawasan": "Pengaduan berkadar pengawasan",
        "aspirasi": "Aspirasi",
        "permintaan_informasi": "Permintaan informasi",
        "whistleblowing": "Whistleblowing",
    },
    "missing": {
        "place": "tempat kejadian",
        "time": "waktu kejadian",
        "object": "apa yang dilaporkan",
        "agency": "instansi yang dituju",
    },
    "verdict": {
        "duplicate": "Kejadian ini sudah dilaporkan",
        "possible": "Mungkin sudah dilaporkan",
        "none": "Belum ada laporan tentang kejadian ini",
    },
    "fallback": {
        "main": "Subtopik belum cukup pasti, sehingga hanya topik utama yang diberikan.",
        "null": "Belum ada topik yang cukup pasti.",
    },
    "source": {
        "rules": "aturan kewenangan",
        "learned": "model terlatih",
        "both": "aturan kewenangan dan model terlatih",
    },
    "level": {
        "national": "Nasional",
        "bumn": "BUMN",
        "provinsi": "Provinsi",
        "kabkota": "Kabupaten/Kota",
        "desa": "Desa",
    },
    "hoax": {
        "known_claim": "Mirip klaim hoaks yang sudah dikenal",
        "chain_style": "Bergaya pesan berantai",
        "link_bait": "Umpan tautan",
        "sensational": "Klaim menggemparkan",
        "campaign": "Banyak laporan serupa dalam waktu singkat",
        "repeat_sender": "Pengirim yang sama berulang kali",
        "prank": "Nada iseng",
    },
    "reason": {
        "topic_unknown": "Topik tidak dikenali",
        "topic_uncertain": "Topik belum pasti",
        "agency_uncertain": "Instansi belum pasti",
        "region_unknown": "Wilayah belum diketahui",
        "place_conflict": "Tempat di teks berbeda dengan wilayah",
        "outcome_uncertain": "Jenis penanganan belum pasti",
        "needs_information": "Perlu informasi tambahan",
        "praise_or_question": "Pujian atau pertanyaan",
        "chosen_agency_differs": "Instansi pilihan pelapor berbeda",
        "possible_duplicate": "Mungkin laporan ganda",
        "hoax_like": "Berciri hoaks",
        "not_government": "Bukan urusan pemerintah",
        "out_of_scope": "Di luar cakupan",
        "prank": "Iseng",
        "refused": "Ditolak: bukan wewenang",
        "refused_before": "Kejadian ini pernah ditolak instansinya",
    },
    "role": {
        "moderator": "moderator",
        "supervisor": "pengawas",
        "analyst": "analis",
        "admin": "admin",
    },
    "refused": {
        "signed-out": "Sesi Anda berakhir",
        "forbidden": "Tidak diizinkan",
        "not-found": "Tidak ditemukan",
        "report-unknown": "Laporan tidak ditemukan",
        "cross-site": "Formulir ditolak",
        "store-unavailable": "Penyimpanan terganggu",
    },
    "field": {
        "text": "Isi laporan",
        "title": "Judul",
        "region": "Wilayah",
        "reported_at": "Tanggal",
        "visibility": "Kerahasiaan",
    },
    "cure": {
        "text": "isi 1 sampai 20.000 karakter",
        "title": "isi paling banyak 500 karakter",
        "region": "pilih wilayah dari daftar, tulis kode wilayah, atau kosongkan",
        "reported_at": "pilih tanggal, atau kosongkan",
        "visibility": "pilih publik, anonim, atau rahasia",
    },
    "problem": {
        "report-invalid": "Laporan belum lengkap atau ada isian yang salah.",
        "unauthorized": "Kunci API salah atau belum diisi.",
        "overloaded": "Layanan sedang sibuk. Coba lagi sebentar.",
        "store-unavailable": "Penyimpanan sedang terganggu. Laporan belum tersimpan; coba lagi.",
        "body-too-large": "Laporan terlalu panjang.",
        "cross-site": "Formulir dikirim dari situs lain. Buka halaman ini lalu kirim lagi.",
        "media-type-unsupported": "Formulir dikirim dalam bentuk yang tidak dikenal.",
        "signed-out": "Masuk lagi untuk melanjutkan. Isian terakhir belum tersimpan.",
        "forbidden": "Peran Anda tidak boleh membuka atau mengubah ini.",
        "not-found": "Halaman atau laporan ini tidak ada, atau bukan bagian Anda.",
        "report-unknown": "Laporan ini tidak ada, atau bukan bagian Anda.",
        "sign-in-failed": "Nama pengguna atau kata sandi salah.",
        "sign-in-locked": "Terlalu banyak percobaan. Coba lagi 15 menit lagi.",
        "internal": "Layanan gagal memproses. Laporan belum tersimpan; coba lagi.",
    },
}


def word(group: str, code: str | None) -> str:
    """The Indonesian word for a code of a group; the code itself where there is none."""
    if code is None:
        return "-"
    return WORDS.get(group, {}).get(code, code)
