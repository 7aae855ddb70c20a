"""From topic and place to the body: the table as a whole, and who is competent for what."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from pilah.datasets.agencies import TopicSet, load_agencies, load_units
from pilah.datasets.errors import TableError
from pilah.datasets.regions import load_regions
from pilah.datasets.routing_table import (
    CUE_FILE,
    LOCAL_LEVELS,
    NATIONAL_LEVELS,
    RULE_FILE,
    Rule,
    load_routing,
)
from pilah.datasets.taxonomy import load_taxonomy
from pilah.models.routing import Place, Route, Router, answer_from
from pilah.models.text import normalise, read_text

if TYPE_CHECKING:
    from collections.abc import Callable

TABLE = load_routing()
ROUTER = Router(TABLE, load_agencies(), load_units(), load_regions())
REGENCIES = tuple(code for code in load_regions().by_code if len(code) == 5)
PREFIXES = frozenset(rule.region for rule in TABLE.rules if rule.region)
PLAIN = "32.04"
"""A kabupaten that no row of the table names: Bandung."""


def inside(code: str) -> frozenset[str]:
    """The regions of the table that a code lies in; it alone decides which rows can match."""
    return frozenset(p for p in PREFIXES if f"{code}.".startswith(f"{p}."))


def route(topic: str, text: str, region: str | None) -> Route:
    place = Place(region)
    return ROUTER.routes([(topic, 1.0)], ROUTER.cues(read_text(text).normal), place)[0]


def body(rule: Rule, code: str | None) -> tuple[str, str | None, str]:
    return ROUTER.body(rule.level, rule.target, code)


def test_every_topic_at_every_place_with_every_cue_gives_a_body() -> None:
    kinds = defaultdict(list)
    for code in REGENCIES:
        kinds[inside(code)].append(code)
    assert sum(map(len, kinds.values())) == len(REGENCIES) == 514
    wanted = defaultdict(set)
    for topic in load_taxonomy().topics:
        for cue in {"", *(rule.cue for rule in TABLE.candidates(topic.id))}:
            for kind, codes in kinds.items():
                rule = ROUTER.rule(topic.id, frozenset({cue}) - {""}, codes[0])
                wanted[rule.level, rule.target].add(kind)
                assert rule.ground
    levels = {*NATIONAL_LEVELS, *LOCAL_LEVELS}
    for what, found in wanted.items():
        for code in (c for kind in found for c in kinds[kind]):
            name, government, level = ROUTER.body(*what, code)
            assert name
            assert government
            assert level in levels
            assert (level in NATIONAL_LEVELS) == (what[0] in NATIONAL_LEVELS)


def test_without_a_region_the_unit_is_named_and_the_government_left_open() -> None:
    for rule in TABLE.rules:
        name, government, level = body(rule, None)
        assert name
        assert (government is not None) == (level in NATIONAL_LEVELS)
    for topic in load_taxonomy().topics:
        assert ROUTER.rule(topic.id, frozenset(), None).region == ""


def test_a_province_alone_is_not_a_kabupaten() -> None:
    where = Place("34")
    roads = ROUTER.routes([("08.007", 1.0)], frozenset(), where)[0]
    assert (roads.government, roads.level) == (None, "kabkota")
    school = ROUTER.routes([("10.008", 1.0)], frozenset({"sma"}), where)[0]
    assert (school.government, school.level) == ("Pemerintah Provinsi DI Yogyakarta", "provinsi")


def test_no_rule_is_dead() -> None:
    topics = list(load_taxonomy().by_id)
    dead = []
    for rule in TABLE.rules:
        cues = frozenset({rule.cue}) - {""}
        region = rule.region or PLAIN
        spoken = (t for t in topics if TopicSet(rule.topic).covers(t))
        if not any(ROUTER.rule(topic, cues, region) is rule for topic in spoken):
            dead.append((rule.rule, rule.topic, rule.cue, rule.region))
    assert not dead


def test_one_rule_name_means_one_body() -> None:
    meant = defaultdict(set)
    for rule in TABLE.rules:
        meant[rule.rule].add((rule.level, rule.target))
    assert all(len(bodies) == 1 for bodies in meant.values())


def test_every_word_of_a_cue_brings_the_cue() -> None:
    deaf = [
        (cue.id, term)
        for cue in TABLE.cues.values()
        for term in cue.terms
        if cue.id not in ROUTER.cues(read_text(f"Mohon dicek, {term} di desa kami.").normal)
        and not any(f" {veto} " in f" {term} " for veto in cue.not_terms)
    ]
    assert not deaf


def test_no_word_of_a_cue_is_slang_for_a_common_word() -> None:
    """Far more often than the list of voters, "dpt" means "dapat"."""
    common = [
        (cue.id, term, normalise(term))
        for cue in TABLE.cues.values()
        for term in cue.terms
        if normalise(term) in {"aplikasi", "dapat", "tapi", "bukan", "seperti", "sini", "p", "yang"}
    ]
    assert not common


def test_a_veto_silences_a_cue() -> None:
    def hears(text: str) -> frozenset[str]:
        return ROUTER.cues(normalise(text))

    assert "pju" in hears("lampu jalan mati")
    assert "pju" not in hears("lampu jalan dekat lampu merah mati")
    assert "sertifikat" not in hears("sertifikat halal belum terbit")
    assert "bpjskes" not in hears("bpjs ketenagakerjaan saya")
    assert hears("sesuatu yang lain") == frozenset()
    assert "bri" not in hears("brimob berjaga")


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


@pytest.mark.parametrize(("topic", "text", "region", "name", "government", "level"), CASES)
def test_who_is_competent(
    topic: str, text: str, region: str, name: str, government: str, level: str
) -> None:
    found = route(topic, text, region)
    assert name in found.name
    assert government in (found.government or "")
    assert found.level == level
    assert found.probability == 1.0


def test_jakarta_answers_for_its_kota_and_kelurahan() -> None:
    for rule in TABLE.rules:
        if rule.level in LOCAL_LEVELS and inside("31.74.01.1001") >= {rule.region} - {""}:
            name, government, level = body(rule, "31.74.01.1001")
            assert government == "Pemerintah Provinsi DKI Jakarta"
            assert level == "provinsi"
            assert name


@pytest.mark.parametrize(
    ("code", "name", "level"),
    [
        ("34.04.07.2003", "Pemerintah Kalurahan Condongcatur", "desa"),
        ("13.05.01.2001", "Pemerintah Nagari Lubuk Alung", "desa"),
        ("11.01.01.2002", "Pemerintah Gampong Ujong Mangki", "desa"),
        ("51.03.06.2004", "Pemerintah Desa Tibubeneng", "desa"),
        ("13.71.01.1001", "Kelurahan Belakang Pondok", "kabkota"),
        ("35.78.08.1001", "Kelurahan Gubeng", "kabkota"),
        ("34.01.02.1008", "Kelurahan Wates", "kabkota"),
        ("31.74.01.1001", "Kelurahan Tebet Timur", "provinsi"),
        ("34.04", "Pemerintah Kalurahan", "desa"),
        ("35.78", "Kelurahan", "kabkota"),
    ],
)
def test_the_lowest_office_has_its_own_name(code: str, name: str, level: str) -> None:
    for family in ("desa", "kelurahan"):
        rule = next(r for r in TABLE.rules if r.target == family and not r.region)
        found = body(rule, code)
        assert found[0].startswith(name)
        assert found[2] == level


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("34.04.07.2003", "Kapanewon Depok"),
        ("34.71.01", "Kemantren Tegalrejo"),
        ("51.03.06", "Kecamatan Kuta Utara"),
        ("51.03", "Kecamatan"),
    ],
)
def test_a_kecamatan_has_its_regional_word(code: str, name: str) -> None:
    rule = next(r for r in TABLE.rules if r.target == "kecamatan")
    assert body(rule, code)[0] == name


def test_bodies_reached_by_several_topics_add_up() -> None:
    topics = [("08.007", 0.5), ("08.008", 0.2), ("16.010", 0.3)]
    routes = ROUTER.routes(topics, frozenset(), Place(SLEMAN, 0.5))
    assert [r.name.split(",")[0] for r in routes] == ["Dinas Pekerjaan Umum", "PT PLN (Persero)"]
    assert [round(r.probability, 3) for r in routes] == [0.35, 0.3]  # the place is half sure
    answer = answer_from(routes)
    assert (answer.source, answer.rule) == ("rules", "jalan-kabkota")
    assert answer.ground
    assert [a.name for a in answer.alternatives] == ["PT PLN (Persero)"]


def test_the_same_unit_of_two_governments_is_two_bodies() -> None:
    school = [("10.009", 0.6)]
    one = ROUTER.routes(school, frozenset({"sma"}), Place(PLAIN))
    two = ROUTER.routes(school, frozenset(), Place(PLAIN))
    assert one[0].name == two[0].name == "Dinas Pendidikan"
    assert one[0].government != two[0].government


def test_a_unit_works_at_spots_or_not() -> None:
    def spot(rule: str) -> bool:
        return ROUTER.needs_place(next(r for r in TABLE.rules if r.rule == rule))

    assert spot("jalan-kabkota")
    assert not spot("adminduk")
    assert not spot("listrik")


ROW = "x-uji,08.007,,,kabkota,pupr,UU 1,"


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (RULE_FILE, "", ROW.replace("08.007", "8"), "bad topics '8'; write 08"),
        (RULE_FILE, "", ROW.replace("08.007", "08.999"), "unknown topic; see taxonomy.csv"),
        (RULE_FILE, "", ROW.replace(",,,", ",tiada,,"), "unknown cue 'tiada'; use an entry"),
        (RULE_FILE, "", ROW.replace(",,,", ",,3404,"), "bad region '3404'"),
        (RULE_FILE, "", ROW.replace("UU 1", ""), "no rule name or no ground"),
        (RULE_FILE, "", ROW.replace("x-uji", ""), "no rule name or no ground"),
        (RULE_FILE, "", ROW.replace("pupr", "tiada"), "no such unit family 'tiada' or level"),
        (RULE_FILE, "", ROW.replace("kabkota,pupr", "kota,pupr"), "no such unit family 'pupr'"),
        (RULE_FILE, "", ROW.replace("kabkota,pupr", "bumn,kemenpu"), "no such agency 'kemenpu'"),
        (RULE_FILE, "", ROW.replace("x-uji", "listrik"), "'listrik' has another target; rename"),
        (RULE_FILE, "", ROW, "never reached for topic 08.007; move it up or remove it"),
        (RULE_FILE, "residu,38,,,", "residu,38,sampah,,", "topic 38 has no default; add a default"),
        (CUE_FILE, "", "baru,kata,,x", "unused cues ['baru']; remove them or use them"),
        (CUE_FILE, "", "pju,kata,,x", "repeated cue or no terms; keep one full row"),
        (CUE_FILE, "", "baru,,kata,x", "repeated cue or no terms; keep one full row"),
        (CUE_FILE, "", "baru,kata|kata,,x", "repeated or unclean terms; lower-case, once each"),
        (CUE_FILE, "", "baru,Kata,,x", "repeated or unclean terms; lower-case, once each"),
        (CUE_FILE, "", "baru,dua  kata,,x", "repeated or unclean terms"),
    ],
)
def test_a_broken_routing_table_names_line_and_cure(
    edit_table: Callable[[str, str, str], None], file: str, old: str, new: str, message: str
) -> None:
    edit_table(file, old, new)
    with pytest.raises(TableError) as caught:
        load_routing.__wrapped__()
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{file}:")
