"""Normalised texts that tests of features and of bundles read."""

NORMALS = (
    "jalan berlubang di depan pasar",
    "jalan rusak dan berlubang parah",
    "air mati sejak kemarin",
    "air keruh dan berbau sejak kemarin",
    "lampu jalan mati !",
    "[NIK] saya tidak terbaca ?",
)
UNSEEN = ("lampu mati", "", "kata baru sama sekali", "jalan-jalan 2 kali !")
