"""Who is competent for what: sentences of citizens, and the body that must answer them."""

from __future__ import annotations

import pytest

from pilah.datasets.agencies import load_agencies, load_units
from pilah.datasets.regions import load_regions
from pilah.datasets.routing_table import load_routing
from pilah.models.routing import Place, Route, Router
from pilah.models.text import read_text

ROUTER = Router(load_routing(), load_agencies(), load_units(), load_regions())
PLAIN = "32.04"
"""A kabupaten that no row of the table names: Bandung."""
BADUNG, SLEMAN, YOGYAKARTA, SUMBAR = "51.03", "34.04", "34.71", "13"
TANGERANG, SURABAYA, PADANG = "36.03", "35.78", "13.71"
JAKSEL, BATAM, SEMARANG = "31.74", "21.71", "33.74"

CASES = [
    # roads by status
    ("08.007", "jalan berlubang di depan pasar", PLAIN, "Dinas Pekerjaan Umum dan Penataan Ruang",
     "Pemerintah Kabupaten Bandung", "kabkota"),
    ("08.007", "jalan provinsi ini berlubang", PLAIN, "Dinas Pekerjaan Umum", "Jawa Barat",
     "provinsi"),
    ("08.007", "lubang di jalan nasional makin dalam", PLAIN, "Kementerian Pekerjaan Umum",
     "Kementerian Pekerjaan Umum", "national"),
    ("08.007", "ini bukan jalan nasional tapi jalan kabupaten", PLAIN, "Dinas Pekerjaan Umum",
     "Kabupaten Bandung", "kabkota"),
    ("08.006", "aspal jalan desa hancur", "32.04.05.2001", "Pemerintah Desa", "Kabupaten Bandung",
     "desa"),
    ("08.007", "bypass ngurah rai banyak lubang", "51.71", "Kementerian Pekerjaan Umum", "",
     "national"),
    ("08.007", "jalan bypass rusak", PLAIN, "Dinas Pekerjaan Umum", "Kabupaten Bandung", "kabkota"),
    ("08.006", "jl raya serang rusak parah", TANGERANG, "Kementerian Pekerjaan Umum", "",
     "national"),
    ("08.007", "lubang di jakal km 9", SLEMAN,
     "Dinas Pekerjaan Umum, Perumahan dan Energi Sumber Daya Mineral",
     "Pemerintah Provinsi DI Yogyakarta", "provinsi"),
    ("08.009", "antrean di gerbang tol", PLAIN, "Kementerian Pekerjaan Umum", "", "national"),
    ("08.009", "gerbang tol jasa marga macet", PLAIN, "PT Jasa Marga", "PT Jasa Marga", "bumn"),
    ("08.007", "jalan perumahan belum diserahkan pengembang", PLAIN, "Dinas Perumahan Rakyat",
     "Kabupaten Bandung", "kabkota"),
    ("08.007", "jalan berlubang", JAKSEL, "Dinas Bina Marga", "Pemerintah Provinsi DKI Jakarta",
     "provinsi"),
    ("08.002", "got mampet", JAKSEL, "Dinas Sumber Daya Air", "DKI Jakarta", "provinsi"),
    ("08.002", "got mampet", BADUNG, "Dinas Pekerjaan Umum dan Penataan Ruang",
     "Pemerintah Kabupaten Badung", "kabkota"),
    # street lights: which dinas differs by region
    ("08.010", "lampu jalan mati", SURABAYA, "Dinas Perhubungan", "Pemerintah Kota Surabaya",
     "kabkota"),
    ("08.010", "lampu jalan mati", JAKSEL, "Dinas Bina Marga", "DKI Jakarta", "provinsi"),
    ("31.002", "lampu jalan mati", YOGYAKARTA, "Dinas Pekerjaan Umum, Perumahan",
     "Pemerintah Kota Yogyakarta", "kabkota"),
    ("31.002", "lampu jalan mati", SEMARANG, "Dinas Perumahan Rakyat", "Kota Semarang", "kabkota"),
    ("08.010", "lampu di jalan nasional mati", PLAIN, "Kementerian Perhubungan", "", "national"),
    ("08.010", "tiang pln miring", PLAIN, "PT PLN (Persero)", "", "bumn"),
    ("16.010", "listrik padam sejak sore", PLAIN, "PT PLN (Persero)", "", "bumn"),
    ("16.012", "pju mati, rumah tidak", SLEMAN, "Dinas Perhubungan", "Kabupaten Sleman", "kabkota"),
    # trees
    ("07.028", "pohon besar mau tumbang", SURABAYA, "Dinas Lingkungan Hidup", "Kota Surabaya",
     "kabkota"),
    ("07.028", "pohon besar mau tumbang", JAKSEL, "Dinas Pertamanan dan Hutan Kota", "DKI Jakarta",
     "provinsi"),
    # schools
    ("10.009", "pungutan di sma negeri", PLAIN, "Dinas Pendidikan", "Jawa Barat", "provinsi"),
    ("10.009", "uang bangunan smpn 2", PLAIN, "Dinas Pendidikan", "Kabupaten Bandung", "kabkota"),
    ("10.009", "uang bangunan di sd", PADANG, "Dinas Pendidikan dan Kebudayaan", "Kota Padang",
     "kabkota"),
    ("10.009", "biaya di mtsn terlalu mahal", PLAIN, "Kementerian Agama", "", "national"),
    ("10.020", "pendaftaran kampus negeri", PLAIN, "Kementerian Pendidikan Tinggi", "", "national"),
    ("10.020", "daftar ulang di uin", PLAIN, "Kementerian Agama", "", "national"),
    ("12.052", "pungli di smk", PLAIN, "Dinas Pendidikan", "Jawa Barat", "provinsi"),
    # health
    ("04.060", "iuran bpjs saya dianggap menunggak", PLAIN, "Jaminan Sosial Kesehatan",
     "", "bumn"),
    ("04.062", "pbi saya dinonaktifkan", PLAIN, "Dinas Sosial", "Kabupaten Bandung", "kabkota"),
    ("04.125", "antre lama di rsud", PLAIN, "Rumah Sakit Umum Daerah", "Kabupaten Bandung",
     "kabkota"),
    ("04.125", "antre lama di rsud mangusada", BADUNG, "Rumah Sakit Daerah Mangusada",
     "Kabupaten Badung", "kabkota"),
    ("04.216", "perawat rsup sardjito kasar", SLEMAN, "Kementerian Kesehatan", "", "national"),
    ("04.216", "perawat rs fatmawati kasar", JAKSEL, "Kementerian Kesehatan", "", "national"),
    ("04.216", "petugas puskesmas kasar", SLEMAN, "Dinas Kesehatan", "Kabupaten Sleman", "kabkota"),
    ("04.190", "gaji perawat rs swasta telat", PLAIN, "Dinas Tenaga Kerja dan Transmigrasi",
     "Jawa Barat", "provinsi"),
    # water
    ("16.004", "air pdam mati", SLEMAN, "Perumda Air Minum Tirta Sembada", "Kabupaten Sleman",
     "kabkota"),
    ("16.004", "air ledeng mati", JAKSEL, "PAM JAYA", "DKI Jakarta", "provinsi"),
    ("16.004", "air mati", BATAM, "Badan Pengusahaan Kawasan", "", "national"),
    ("16.004", "pamsimas desa rusak", "34.04.07.2003", "Pemerintah Kalurahan Condongcatur",
     "Kabupaten Sleman", "desa"),
    ("07.021", "banjir karena got mampet", PLAIN, "Dinas Pekerjaan Umum", "Kabupaten Bandung",
     "kabkota"),
    ("07.021", "tanggul sungai cisadane jebol", TANGERANG, "Kementerian Pekerjaan Umum", "",
     "national"),
    ("07.021", "rumah terendam banjir", PLAIN, "Badan Penanggulangan Bencana Daerah", "Bandung",
     "kabkota"),
    # energy, tax, money
    ("16.017", "gas melon langka", PLAIN, "PT Pertamina (Persero)", "", "bumn"),
    ("03.050", "harga elpiji 3 kg di atas het", PLAIN, "PT Pertamina (Persero)", "", "bumn"),
    ("16.017", "jargas mati", PLAIN, "PT Perusahaan Gas Negara", "", "bumn"),
    ("03.030", "antre pajak motor di samsat", SLEMAN, "Badan Pengelola Keuangan dan Aset",
     "Pemerintah Provinsi DI Yogyakarta", "provinsi"),
    ("03.030", "sppt pbb salah luas", SLEMAN, "Badan Keuangan dan Aset Daerah", "Kabupaten Sleman",
     "kabkota"),
    ("06.011", "pajak tahunan stnk", PLAIN, "Badan Pendapatan Daerah", "Jawa Barat", "provinsi"),
    ("06.009", "perpanjangan sim lama", PLAIN, "Kepolisian Negara Republik Indonesia", "",
     "national"),
    ("03.025", "diteror pinjol", PLAIN, "Otoritas Jasa Keuangan", "", "national"),
    ("36.010", "situs judi online masih terbuka", PLAIN, "Kementerian Komunikasi dan Digital", "",
     "national"),
    ("06.004", "judi sabung ayam di kampung", PLAIN, "Kepolisian Negara Republik Indonesia", "",
     "national"),
    # village, social, work
    ("09.007", "dana desa dikorupsi kades", PLAIN, "Inspektorat Daerah", "Kabupaten Bandung",
     "kabkota"),
    ("09.007", "kapan dana desa cair", PLAIN, "Dinas Pemberdayaan Masyarakat dan Desa",
     "Kabupaten Bandung", "kabkota"),
    ("09.009", "blt dana desa belum dibagi", "13.05.01.2001", "Pemerintah Nagari Lubuk Alung",
     "Pemerintah Kabupaten Padang Pariaman", "desa"),
    ("14.013", "pkh saya tidak cair", PLAIN, "Dinas Sosial", "Kabupaten Bandung", "kabkota"),
    ("14.015", "subsidi listrik dicabut", PLAIN, "PT PLN (Persero)", "", "bumn"),
    ("23.003", "gaji di bawah umk", PLAIN, "Dinas Tenaga Kerja dan Transmigrasi", "Jawa Barat",
     "provinsi"),
    ("23.001", "di-phk tanpa pesangon", PLAIN, "Dinas Tenaga Kerja", "Kabupaten Bandung",
     "kabkota"),
    ("23.015", "jht belum cair", PLAIN, "Jaminan Sosial Ketenagakerjaan", "",
     "bumn"),
    ("23.046", "gaji pppk belum dibayar", PLAIN, "Badan Kepegawaian", "Kabupaten Bandung",
     "kabkota"),
    ("33.004", "makanan mbg basi", PLAIN, "Badan Gizi Nasional", "", "national"),
    ("20.006", "ktp belum jadi", BADUNG, "Dinas Kependudukan dan Pencatatan Sipil",
     "Kabupaten Badung", "kabkota"),
    ("20.010", "surat domisili dipersulit", "34.04.07.2003", "Pemerintah Kalurahan Condongcatur",
     "Kabupaten Sleman", "desa"),
    ("20.010", "surat domisili dipersulit", "34.71.01.1001", "Kelurahan", "Kota Yogyakarta",
     "kabkota"),
    ("12.033", "antrean paspor", PLAIN, "Kementerian Imigrasi dan Pemasyarakatan", "", "national"),
    ("08.022", "sertifikat tanah ptsl belum jadi", PLAIN, "Kementerian Agraria dan Tata Ruang", "",
     "national"),
    ("08.021", "tanah kas desa disewakan", SLEMAN, "Dinas Pertanahan dan Tata Ruang",
     "Pemerintah Provinsi DI Yogyakarta", "provinsi"),
    # transport
    ("31.007", "palang pintu kereta tidak dijaga", PLAIN, "Dinas Perhubungan", "Kabupaten Bandung",
     "kabkota"),
    ("31.011", "ac gerbong kereta mati", PLAIN, "PT Kereta Api Indonesia", "", "bumn"),
    ("31.011", "krl penuh sesak", JAKSEL, "PT Kereta Commuter Indonesia", "PT Kereta Api", "bumn"),
    ("31.004", "trans jogja telat", YOGYAKARTA, "Dinas Perhubungan", "Provinsi DI Yogyakarta",
     "provinsi"),
    ("31.003", "parkir liar", SUMBAR + ".71", "Dinas Perhubungan", "Kota Padang", "kabkota"),
    ("36.003", "indihome mati", PLAIN, "PT Telkom Indonesia", "", "bumn"),
    ("28.001", "ada bandar sabu", PLAIN, "Badan Narkotika Nasional", "", "national"),
]  # fmt: skip


def route(topic: str, text: str, region: str | None) -> Route:
    place = Place(region)
    return ROUTER.routes([(topic, 1.0)], ROUTER.cues(read_text(text).normal), place)[0]


@pytest.mark.parametrize(("topic", "text", "region", "name", "government", "level"), CASES)
def test_who_is_competent(
    topic: str, text: str, region: str, name: str, government: str, level: str
) -> None:
    found = route(topic, text, region)
    assert name in found.name
    assert government in (found.government or "")
    assert found.level == level
    assert found.probability == 1.0
