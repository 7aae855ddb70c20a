BEGIN TRANSACTION;
CREATE TABLE decisions (
	report_id VARCHAR(500) NOT NULL, 
	number INTEGER NOT NULL, 
	actor TEXT NOT NULL, 
	labels TEXT NOT NULL, 
	note TEXT, 
	decided_at VARCHAR(40) NOT NULL, 
	PRIMARY KEY (report_id, number), 
	FOREIGN KEY(report_id) REFERENCES reports (id)
);
INSERT INTO "decisions" VALUES('r2',1,'moderator-1','{"incident": "incident-fa364f61-69e7-48ea-acad-db5bf3218d59"}','lubang lain','2026-11-21T23:12:20.925061+00:00');
CREATE TABLE fingerprints (
	report_id VARCHAR(500) NOT NULL, 
	fingerprint TEXT NOT NULL, 
	vector BLOB NOT NULL, 
	made_by VARCHAR(200) NOT NULL, 
	PRIMARY KEY (report_id), 
	FOREIGN KEY(report_id) REFERENCES reports (id)
);
INSERT INTO "fingerprints" VALUES('r1','{"cases": [], "landmarks": ["toko cat"], "lat": null, "lon": null, "names": [], "numbers": {"blok": [], "km": ["5"], "no": [], "rt": [], "rw": []}, "own_case": false, "place": "34.04", "problems": ["pothole"], "received_at": "2026-05-01T08:00:00+07:00", "report_id": "r1", "reporter": "bbf0a32449c7362ab685aa4c358d79d8474622b3f7d6395213cfb2825436584d", "spots": [2226203566, 2656977832, 3411215424, 3593127836, 3630327443], "streets": ["kaliurang"], "text_hash": "ba08ff0ba38c40fc25730b252c5e88ca50380c8277723ff25e04d185e88b8fbe", "topic": "PEKERJAAN UMUM DAN PENATAAN RUANG", "visibility": "public", "words": [18558058, 257174896, 2656977832, 3178383614, 3411215424, 3571690690, 3593127836, 3630327443, 3717638767, 4107517302]}',X'7568933E9FC0C63EB8AA52BD839467BD373180BD98BD59BDF4AC8A3DDAABC8BD0BEDBE3E7D0CAFBD817BA03DFD01873D268A433D58E475BDB71614BE59CF3DBBB897943DCBE0DFBD5D490DBD0F5B3BBD8D2DE13D89694DBDB5394B3DFEA1DABDDC104ABCD150E53C244D433D5017953DDE8E5C3D976B883D735F54BCCCA2003E8D76143CFF22093E9D82AC3DB1793CBD619E523D9984C7BDA78F6FBD9C8F5C3C2094D33D25C9033C55E75CBC5A6CF23CA876443DE505833D442C6ABD4A056CBD1D80033D18A462BD78E9723D4A9E26BE097054BD8E1FA13D3E8977BD1ABB0EBD09583E3B6D10103D8B11AD3D8A1C92BCF7B9A6BD74E3193DE7CC8A3CDF2BD93D2F2F213C46115B3D064AD9BDDAAE073D7E398E3CFDB463BDB5B3CABDE0E622BE2E0014BBA74F013E8173673C4510BA3D8ECB893DB2ED13BD3E04A7BCD866A6BD8B93C83C0CFADE3DDFFA52BD628117BAB97C6A3D1340B03DA71ACF3D4475E6BD30AA7ABD5038813CDCC2233D3BC4663D8A443D3D7D9FA43DD40C8ABBC363B53C0AC3833D0D03833D29E41A3D171AE1BCEC6E5B3D491135BCCF4575BD1A4D34BD7764CC3C51CCB6BC7F831F3D8F08B3BD9698B13CA1B2A53DC17AB0BD6F38393EBBDD80BD832A073E96D21ABD2CA96A3C6EEE2C3E8A760B3EA2A940BD4A8D6C3C03C894BD8226193D8AA4D03B92CEEA3CC03D4ABDEF2483BD6148BBBD995A4BBD','lsa128-5f639029');
INSERT INTO "fingerprints" VALUES('r2','{"cases": [], "landmarks": ["toko cat"], "lat": null, "lon": null, "names": [], "numbers": {"blok": [], "km": ["5"], "no": [], "rt": [], "rw": []}, "own_case": false, "place": "34.04", "problems": ["pothole"], "received_at": "2026-05-02T08:00:00+07:00", "report_id": "r2", "reporter": "434cb6354850ebe0a721cd4876b40cdd99f3835ffedce4e3e6f52d2fccebd7fb", "spots": [2226203566, 2656977832, 3411215424, 3593127836, 3630327443], "streets": ["kaliurang"], "text_hash": "ba08ff0ba38c40fc25730b252c5e88ca50380c8277723ff25e04d185e88b8fbe", "topic": "PEKERJAAN UMUM DAN PENATAAN RUANG", "visibility": "public", "words": [18558058, 257174896, 2656977832, 3178383614, 3411215424, 3571690690, 3593127836, 3630327443, 3717638767, 4107517302]}',X'7568933E9FC0C63EB8AA52BD839467BD373180BD98BD59BDF4AC8A3DDAABC8BD0BEDBE3E7D0CAFBD817BA03DFD01873D268A433D58E475BDB71614BE59CF3DBBB897943DCBE0DFBD5D490DBD0F5B3BBD8D2DE13D89694DBDB5394B3DFEA1DABDDC104ABCD150E53C244D433D5017953DDE8E5C3D976B883D735F54BCCCA2003E8D76143CFF22093E9D82AC3DB1793CBD619E523D9984C7BDA78F6FBD9C8F5C3C2094D33D25C9033C55E75CBC5A6CF23CA876443DE505833D442C6ABD4A056CBD1D80033D18A462BD78E9723D4A9E26BE097054BD8E1FA13D3E8977BD1ABB0EBD09583E3B6D10103D8B11AD3D8A1C92BCF7B9A6BD74E3193DE7CC8A3CDF2BD93D2F2F213C46115B3D064AD9BDDAAE073D7E398E3CFDB463BDB5B3CABDE0E622BE2E0014BBA74F013E8173673C4510BA3D8ECB893DB2ED13BD3E04A7BCD866A6BD8B93C83C0CFADE3DDFFA52BD628117BAB97C6A3D1340B03DA71ACF3D4475E6BD30AA7ABD5038813CDCC2233D3BC4663D8A443D3D7D9FA43DD40C8ABBC363B53C0AC3833D0D03833D29E41A3D171AE1BCEC6E5B3D491135BCCF4575BD1A4D34BD7764CC3C51CCB6BC7F831F3D8F08B3BD9698B13CA1B2A53DC17AB0BD6F38393EBBDD80BD832A073E96D21ABD2CA96A3C6EEE2C3E8A760B3EA2A940BD4A8D6C3C03C894BD8226193D8AA4D03B92CEEA3CC03D4ABDEF2483BD6148BBBD995A4BBD','lsa128-5f639029');
INSERT INTO "fingerprints" VALUES('r3','{"cases": [], "landmarks": [], "lat": null, "lon": null, "names": [], "numbers": {"blok": [], "km": [], "no": [], "rt": [], "rw": []}, "own_case": false, "place": "34.71", "problems": [], "received_at": "2026-11-21T23:12:20.900265+00:00", "report_id": "r3", "reporter": null, "spots": [], "streets": [], "text_hash": "d866bace9119af8ad1f8a4400275f6f6b08cd536fcba98f60c0ecab75bf47328", "topic": "KEPENDUDUKAN", "visibility": "secret", "words": [471374967, 951268245, 1481272913, 1860388473, 2238376222, 2979307193, 3523344254, 4073030658]}',X'5D82A23E601C03BE09B4C43C82095CBB69B8DDBD6408663CAED07F3DDF55E83C6D3C0DBD337A8C3B0CA8093DEF2820BE4A4717BDAFE7C4BD388DCFBD05CD6D3D741D123DA6ECE33DCF29613E73CA373DB67E16BEC88081BEE04B8F3BF13E363EEED51CBEB7FDB2BD0E25E73CF9B0993DA2C69C3D31F6893D1D66A0BC61E57FBDE7C0BE3DF366853D2692AEBDEC5487BD380C86BC6F54A8BD36D2FD3C0400CFBDD2A3C53DDD18423EE34F41BA14B6FABDFF6D4C3E2C8EA1BD9054183C451AADBD44930F3CF463623DB41A6ABBB58129BD9BBED5BD2576943C65C8863D675CA13DF4B49BBCF6B5D9BD2F40D5BDE80A4B3D4CF1F23C0F84CB3C6BDD89BDAE503EBD4FC217BE53D084BD6EF8583CF03E2F3EA53067BCE53E353E91411BBE016C7EBDFD22D0BD4990173EC59B9A3D9694B5BC310D423B82F4FD3BC2F3E5BDA5D576BC898438BD09B9DA3DDCA68ABD64701A3D61668D3CC05184BDA223ECBC0C96593D281532BD9AE5A9BD6158393AF1787F3DA4C4C3BDAB6FB5BDF25A30BDF986F83D8B53673DC659C6BCDCB762BD26D8FEBCBA204BBC653A313CA1D1E1BC1D2079BDD30A5CBDF798C03CE9CEE3BCE0421CBEC6D84BBD2F2AD83DDD1416BDAD0DEEBD360CA1BD794DACBC41EEF03C6060DD3D790C2C3D88B5D73DEED0F3BC30DC963DBABA11BD046B0E3B85C6DEBAEBF2A4BD202182BD6879A33DA271B4BC09E2A63C','lsa128-5f639029');
CREATE TABLE incidents (
	id VARCHAR(200) NOT NULL, 
	created_from VARCHAR(500) NOT NULL, 
	created_at VARCHAR(40) NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "incidents" VALUES('inc-378812390dd420c12e76','r1','2026-11-21T23:12:20.855770+00:00');
INSERT INTO "incidents" VALUES('inc-c3739e2ac182335d26fe','r2','2026-11-21T23:12:20.882871+00:00');
INSERT INTO "incidents" VALUES('inc-283fbe74ea2c39f52d84','r3','2026-11-21T23:12:20.902045+00:00');
INSERT INTO "incidents" VALUES('incident-fa364f61-69e7-48ea-acad-db5bf3218d59','r2','2026-11-21T23:12:20.926106+00:00');
CREATE TABLE replies (
	client VARCHAR(64) NOT NULL, 
	"key" VARCHAR(255) NOT NULL, 
	request_hash VARCHAR(64) NOT NULL, 
	status INTEGER NOT NULL, 
	body TEXT NOT NULL, 
	saved_at VARCHAR(40) NOT NULL, 
	PRIMARY KEY (client, "key")
);
CREATE TABLE reports (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR(500) NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	title TEXT, 
	text TEXT NOT NULL, 
	region TEXT, 
	lat FLOAT, 
	lon FLOAT, 
	reported_at VARCHAR(40), 
	received_at VARCHAR(40) NOT NULL, 
	channel TEXT, 
	reporter_ref TEXT, 
	visibility VARCHAR(20) NOT NULL, 
	chosen_agency TEXT, 
	incident_id VARCHAR(200) NOT NULL, 
	UNIQUE (id), 
	FOREIGN KEY(incident_id) REFERENCES incidents (id)
);
INSERT INTO "reports" VALUES(1,'r1','1ae63fecb58f8169e1ffa1ab0bae33d049e1addd6bcdf877b22f92b39d6086e6',NULL,'Lubang besar di Jalan Kaliurang KM 5 depan toko cat, dua motor jatuh','"34.04"',NULL,NULL,'2026-05-01T08:00:00+07:00','2026-11-21T23:12:20.854680+00:00',NULL,'warga-1','public',NULL,'inc-378812390dd420c12e76');
INSERT INTO "reports" VALUES(2,'r2','f0a300bbfab40bea71176a85cfa0ea3ec1cf07da66637398cc0acd3a4df1e10b',NULL,'Lubang besar di Jalan Kaliurang KM 5 depan toko cat, dua motor jatuh','"34.04"',NULL,NULL,'2026-05-02T08:00:00+07:00','2026-11-21T23:12:20.882209+00:00',NULL,'warga-2','public',NULL,'incident-fa364f61-69e7-48ea-acad-db5bf3218d59');
INSERT INTO "reports" VALUES(3,'r3','68143e6d527c38382b5b192ef8f0c591d99e6282d5b8bbf4c34dc543e88ed6cc',NULL,'Petugas loket meminta uang tambahan untuk mengurus surat pindah','"34.71"',NULL,NULL,NULL,'2026-11-21T23:12:20.901798+00:00',NULL,NULL,'secret',NULL,'inc-283fbe74ea2c39f52d84');
CREATE TABLE review_reasons (
	report_id VARCHAR(500) NOT NULL, 
	reason VARCHAR(200) NOT NULL, 
	PRIMARY KEY (report_id, reason), 
	FOREIGN KEY(report_id) REFERENCES reports (id)
);
INSERT INTO "review_reasons" VALUES('r1','agency_uncertain');
INSERT INTO "review_reasons" VALUES('r2','agency_uncertain');
INSERT INTO "review_reasons" VALUES('r2','possible_duplicate');
INSERT INTO "review_reasons" VALUES('r3','topic_uncertain');
INSERT INTO "review_reasons" VALUES('r3','agency_uncertain');
INSERT INTO "review_reasons" VALUES('r3','needs_information');
CREATE TABLE schema_version (
	number INTEGER NOT NULL, 
	applied_at VARCHAR(40) NOT NULL, 
	PRIMARY KEY (number)
);
INSERT INTO "schema_version" VALUES(1,'2026-11-21T23:12:17.270729+00:00');
CREATE TABLE suggestions (
	report_id VARCHAR(500) NOT NULL, 
	triage TEXT NOT NULL, 
	versions TEXT NOT NULL, 
	incident_id VARCHAR(200) NOT NULL, 
	review_needed BOOLEAN NOT NULL, 
	made_at VARCHAR(40) NOT NULL, 
	PRIMARY KEY (report_id), 
	FOREIGN KEY(report_id) REFERENCES reports (id)
);
INSERT INTO "suggestions" VALUES('r1','{"report_id": "r1", "topic": {"main": "PEKERJAAN UMUM DAN PENATAAN RUANG", "sub": "JALAN BERLUBANG", "probability": 0.9995065927505493, "fallback": "none", "alternatives": [{"main": "PERHUBUNGAN", "sub": null, "probability": 0.0002766484976746142}, {"main": "PERLINDUNGAN KONSUMEN", "sub": null, "probability": 9.193100413540378e-05}, {"main": "LINGKUNGAN HIDUP DAN KEHUTANAN", "sub": null, "probability": 1.6185073036467656e-05}, {"main": "TEKNOLOGI INFORMASI DAN KOMUNIKASI", "sub": null, "probability": 1.1755109881050885e-05}]}, "agency": {"name": "Kementerian Pekerjaan Umum", "government": "Kementerian Pekerjaan Umum", "level": "national", "probability": 0.38038158416748047, "rule": null, "ground": null, "source": "learned", "alternatives": [{"name": "Dinas Pekerjaan Umum, Perumahan dan Energi Sumber Daya Mineral", "government": "Pemerintah Provinsi DI Yogyakarta", "probability": 0.314435622934252, "level": "provinsi", "rule": "jalan-provinsi"}, {"name": "Dinas Pekerjaan Umum, Perumahan dan Kawasan Permukiman", "government": "Pemerintah Kabupaten Sleman", "probability": 0.24491253469913235, "level": "kabkota", "rule": "drainase"}, {"name": "Dinas Perhubungan", "government": "Pemerintah Kabupaten Sleman", "probability": 0.0058668283978477115, "level": "kabkota", "rule": null}, {"name": "Dinas Perindustrian dan Perdagangan", "government": "Pemerintah Kabupaten Sleman", "probability": 0.004680431383894756, "level": "kabkota", "rule": null}]}, "outcome": {"label": "actionable", "probability": 0.9934427738189697, "missing": ["time"], "evidence": ["tidak disebut sejak kapan atau kapan kejadiannya"]}, "klasifikasi": {"label": "pengaduan", "probability": 0.9966490864753723}, "duplicates": {"verdict": "none", "incident_id": "inc-378812390dd420c12e76", "matches": []}, "hoax": {"flag": false, "score": 0, "evidence": []}, "review": {"needed": true, "reasons": ["agency_uncertain"]}, "explanation": {"terms": [{"term": "Lubang", "weight": 0.272}, {"term": "Jalan", "weight": 0.126}, {"term": "jatuh", "weight": 0.108}, {"term": "depan", "weight": 0.077}, {"term": "KM", "weight": 0.059}, {"term": "motor", "weight": 0.023}, {"term": "toko", "weight": 0.018}, {"term": "cat", "weight": 0.015}], "places": [{"text": "Jalan Kaliurang", "code": null, "name": "kaliurang", "kind": "street", "probability": 1.0}, {"text": "KM 5", "code": null, "name": "km 5", "kind": "km", "probability": 1.0}, {"text": "toko cat", "code": null, "name": "toko cat", "kind": "landmark", "probability": 1.0}]}, "masked_text": "Lubang besar di Jalan Kaliurang KM 5 depan toko cat, dua motor jatuh", "versions": {"service": "0.1.0", "bundle": "74814665de9f", "labels": "sp4n-b2710a87", "thresholds": "2861e91d-p0.97", "index": "lsa128-5f639029"}, "notes": []}','{"service": "0.1.0", "bundle": "74814665de9f", "labels": "sp4n-b2710a87", "thresholds": "2861e91d-p0.97", "index": "lsa128-5f639029"}','inc-378812390dd420c12e76',1,'2026-11-21T23:12:20.854680+00:00');
INSERT INTO "suggestions" VALUES('r2','{"report_id": "r2", "topic": {"main": "PEKERJAAN UMUM DAN PENATAAN RUANG", "sub": "JALAN BERLUBANG", "probability": 0.9995065927505493, "fallback": "none", "alternatives": [{"main": "PERHUBUNGAN", "sub": null, "probability": 0.0002766484976746142}, {"main": "PERLINDUNGAN KONSUMEN", "sub": null, "probability": 9.193100413540378e-05}, {"main": "LINGKUNGAN HIDUP DAN KEHUTANAN", "sub": null, "probability": 1.6185073036467656e-05}, {"main": "TEKNOLOGI INFORMASI DAN KOMUNIKASI", "sub": null, "probability": 1.1755109881050885e-05}]}, "agency": {"name": "Kementerian Pekerjaan Umum", "government": "Kementerian Pekerjaan Umum", "level": "national", "probability": 0.38038158416748047, "rule": null, "ground": null, "source": "learned", "alternatives": [{"name": "Dinas Pekerjaan Umum, Perumahan dan Energi Sumber Daya Mineral", "government": "Pemerintah Provinsi DI Yogyakarta", "probability": 0.314435622934252, "level": "provinsi", "rule": "jalan-provinsi"}, {"name": "Dinas Pekerjaan Umum, Perumahan dan Kawasan Permukiman", "government": "Pemerintah Kabupaten Sleman", "probability": 0.24491253469913235, "level": "kabkota", "rule": "drainase"}, {"name": "Dinas Perhubungan", "government": "Pemerintah Kabupaten Sleman", "probability": 0.0058668283978477115, "level": "kabkota", "rule": null}, {"name": "Dinas Perindustrian dan Perdagangan", "government": "Pemerintah Kabupaten Sleman", "probability": 0.004680431383894756, "level": "kabkota", "rule": null}]}, "outcome": {"label": "actionable", "probability": 0.9934427738189697, "missing": ["time"], "evidence": ["tidak disebut sejak kapan atau kapan kejadiannya"]}, "klasifikasi": {"label": "pengaduan", "probability": 0.9966490864753723}, "duplicates": {"verdict": "possible", "incident_id": "inc-c3739e2ac182335d26fe", "matches": [{"report_id": "r1", "probability": 0.9963, "similarity": 1.0, "evidence": ["same text", "same street", "same landmark", "same km", "same regency", "same problem", "same topic", "1 day apart"]}]}, "hoax": {"flag": false, "score": 0, "evidence": []}, "review": {"needed": true, "reasons": ["agency_uncertain", "possible_duplicate"]}, "explanation": {"terms": [{"term": "Lubang", "weight": 0.272}, {"term": "Jalan", "weight": 0.126}, {"term": "jatuh", "weight": 0.108}, {"term": "depan", "weight": 0.077}, {"term": "KM", "weight": 0.059}, {"term": "motor", "weight": 0.023}, {"term": "toko", "weight": 0.018}, {"term": "cat", "weight": 0.015}], "places": [{"text": "Jalan Kaliurang", "code": null, "name": "kaliurang", "kind": "street", "probability": 1.0}, {"text": "KM 5", "code": null, "name": "km 5", "kind": "km", "probability": 1.0}, {"text": "toko cat", "code": null, "name": "toko cat", "kind": "landmark", "probability": 1.0}]}, "masked_text": "Lubang besar di Jalan Kaliurang KM 5 depan toko cat, dua motor jatuh", "versions": {"service": "0.1.0", "bundle": "74814665de9f", "labels": "sp4n-b2710a87", "thresholds": "2861e91d-p0.97", "index": "lsa128-5f639029"}, "notes": []}','{"service": "0.1.0", "bundle": "74814665de9f", "labels": "sp4n-b2710a87", "thresholds": "2861e91d-p0.97", "index": "lsa128-5f639029"}','inc-c3739e2ac182335d26fe',1,'2026-11-21T23:12:20.882209+00:00');
INSERT INTO "suggestions" VALUES('r3','{"report_id": "r3", "topic": {"main": "KEPENDUDUKAN", "sub": "PINDAH DOMISILI", "probability": 0.8350852718833244, "fallback": "none", "alternatives": [{"main": "POLITIK DAN HUKUM", "sub": null, "probability": 0.09774981439113617}, {"main": "PERAIRAN", "sub": null, "probability": 0.014019284397363663}, {"main": "AGAMA", "sub": null, "probability": 0.005371807608753443}, {"main": "ENERGI DAN SUMBER DAYA ALAM", "sub": null, "probability": 0.004087197594344616}]}, "agency": {"name": "Dinas Kependudukan dan Pencatatan Sipil", "government": "Pemerintah Kota Yogyakarta", "level": "kabkota", "probability": 0.40073803849518297, "rule": "adminduk", "ground": "UU 24/2013; UU 23/2014 Lampiran L", "source": "both", "alternatives": [{"name": "Kelurahan", "government": "Pemerintah Kota Yogyakarta", "probability": 0.1542874317616224, "level": "kabkota", "rule": null}, {"name": "Kementerian Imigrasi dan Pemasyarakatan", "government": "Kementerian Imigrasi dan Pemasyarakatan", "probability": 0.09971514778167088, "level": "national", "rule": "imigrasi-lapas"}, {"name": "Inspektorat Daerah", "government": "Pemerintah Kota Yogyakarta", "probability": 0.022902399656953766, "level": "kabkota", "rule": "kkn-daerah"}, {"name": "Dinas Lingkungan Hidup", "government": "Pemerintah Kota Yogyakarta", "probability": 0.014712399942800401, "level": "kabkota", "rule": null}]}, "outcome": {"label": "needs_information", "probability": 0.4413284957408905, "missing": ["time"], "evidence": ["tidak disebut sejak kapan atau kapan kejadiannya"]}, "klasifikasi": {"label": "pengaduan_pengawasan", "probability": 0.6719693541526794}, "duplicates": {"verdict": "none", "incident_id": "inc-283fbe74ea2c39f52d84", "matches": []}, "hoax": {"flag": false, "score": 0, "evidence": []}, "review": {"needed": true, "reasons": ["topic_uncertain", "agency_uncertain", "needs_information"]}, "explanation": {"terms": [{"term": "mengurus", "weight": 0.155}, {"term": "pindah", "weight": 0.085}, {"term": "surat", "weight": 0.074}, {"term": "Petugas", "weight": 0.071}, {"term": "tambahan", "weight": 0.018}], "places": []}, "masked_text": "Petugas loket meminta uang tambahan untuk mengurus surat pindah", "versions": {"service": "0.1.0", "bundle": "74814665de9f", "labels": "sp4n-b2710a87", "thresholds": "2861e91d-p0.97", "index": "lsa128-5f639029"}, "notes": []}','{"service": "0.1.0", "bundle": "74814665de9f", "labels": "sp4n-b2710a87", "thresholds": "2861e91d-p0.97", "index": "lsa128-5f639029"}','inc-283fbe74ea2c39f52d84',1,'2026-11-21T23:12:20.901798+00:00');
CREATE TABLE write_checks (
	id INTEGER NOT NULL, 
	checked_at VARCHAR(40) NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_reports_incident_id ON reports (incident_id);
CREATE INDEX suggestions_review ON suggestions (review_needed);
CREATE INDEX review_reasons_reason ON review_reasons (reason);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('reports',3);
COMMIT;
