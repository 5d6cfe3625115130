"""What a large installation's projections hold, written by PostgreSQL itself: the rows that the folds would write.

Everything follows from the numbers of patients, documents and entries, so two loads of one size differ in nothing but
the day they were made on. Patients, entries and facilities are invented. Documents are of kinds that have a class, so
that each entry's document is shown; some conditions and allergies have ended; one patient in twenty has marked entries.
"""

from dataclasses import dataclass

from tsuzuri.domain.vocabulary import Flag, RecordClass
from tsuzuri.projections.patient_summary import READY_CLASSES
from tsuzuri.projections.record_index import ENTRIES
from tsuzuri.projections.record_rows import EntryRow

ENTRIES_ASKED, DOCUMENTS_ASKED, ACCESSES_ASKED = 200, 20, 120
"""What each of the patients has who are asked for: one in ten; the others share the rest."""
ENTRIES_LONG = 1_100
"""What each of the few has, the first ones, of whom a thousand are asked for at once."""
FACILITY_ASKING = "1310000000"
MARK = Flag.UNINFORMED  # 未告知: clinicians see it, so that all servers show the same rows
_JAPAN = "Asia/Tokyo"


@dataclass(frozen=True)
class Scale:
    """How large an installation is; all else keeps its proportion to the entries."""

    entries: int = 1_000_000

    @property
    def patients(self) -> int:
        return self.entries // 50

    @property
    def asked(self) -> int:
        return self.patients // 10

    @property
    def long(self) -> int:
        return max(2, self.asked // 100)

    @property
    def documents(self) -> int:
        return self.patients * 8

    @property
    def facilities(self) -> int:
        return max(2, self.patients // 10)

    @property
    def accesses(self) -> int:
        return self.patients * 20


def facility_number(number: int) -> str:
    """保険医療機関番号 of the so-manieth facility. The first one asks and has registered nothing."""
    return f"131{number:07}"


def outline(scale: Scale) -> str:
    """The patients with how much each has, and the words that entries are made of: a schema `bench` of its own."""
    begin = scale.long + scale.asked  # of the others
    others = scale.patients - begin

    def share(whole: int, of_asked: int, of_long: int) -> str:
        rest = whole - scale.asked * of_asked - scale.long * of_long
        spread = f"{rest // others} + (n - {begin} < {rest % others})::int"
        return f"CASE WHEN n < {scale.long} THEN {of_long} WHEN n < {begin} THEN {of_asked} ELSE {spread} END"

    return f"""
    DROP SCHEMA IF EXISTS bench CASCADE;
    CREATE SCHEMA bench;
    GRANT USAGE ON SCHEMA bench TO tsuzuri_projector;
    CREATE TABLE bench.moment AS SELECT date_trunc('hour', now()) AS base;
    -- One of *many*, by the number of what is drawn for and of what is drawn.
    CREATE FUNCTION bench.draw(number bigint, what bigint, many bigint) RETURNS integer LANGUAGE sql IMMUTABLE
    RETURN ((hashint8extended(number, what) & 9223372036854775807) % many)::integer;
    CREATE FUNCTION bench.id(kind text, number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
    RETURN md5(kind || '/' || number)::uuid;
    CREATE FUNCTION bench.sender(document bigint) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN '131' || lpad((1 + bench.draw(document, 3, {scale.facilities - 1}))::text, 7, '0');
    CREATE FUNCTION bench.registered(document bigint, base timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE
    RETURN base - bench.draw(document, 2, {60 * 86_400}) * interval '1 second';
    CREATE TABLE bench.patient AS
    SELECT n, bench.id('patient', n) AS id, n < {scale.long} AS long, n < {begin} AND n >= {scale.long} AS asked,
           {share(scale.entries, ENTRIES_ASKED, ENTRIES_LONG)} AS entries,
           {share(scale.documents, DOCUMENTS_ASKED, DOCUMENTS_ASKED)} AS documents,
           {share(scale.accesses, ACCESSES_ASKED, ACCESSES_ASKED)} AS accesses
    FROM generate_series(0, {scale.patients - 1}) AS n;
    CREATE TABLE bench.word (record_class text, number integer, name text, system text, code text, unit text,
                             detail text);
    INSERT INTO bench.word VALUES {_words()};
    GRANT SELECT ON ALL TABLES IN SCHEMA bench TO tsuzuri_projector;
    ANALYZE bench.patient;
    """


_SYSTEMS = {
    RecordClass.CONDITION: ("http://medis.or.jp/CodeSystem/master-disease-keyNumber", "200650"),
    RecordClass.DRUG_ALLERGY: ("http://jpfhir.jp/fhir/core/CodeSystem/JP_JfagyMedicationAllergy", "YCM1"),
    RecordClass.OTHER_ALLERGY: ("http://jpfhir.jp/fhir/core/CodeSystem/JP_JfagyFoodAllergen", "FCM1"),
    RecordClass.INFECTION: (
        "http://jpfhir.jp/fhir/clins/CodeSystem/JP_CLINS_ObsLabResult_InfectionCode",
        "5F0",
    ),
    RecordClass.LAB_RESULT: (
        "http://jpfhir.jp/fhir/clins/CodeSystem/JP_CLINS_ObsLabResult_CoreLabo_CS",
        "3A0",
    ),
    RecordClass.PRESCRIPTION: ("http://medis.or.jp/CodeSystem/master-HOT9", "1036"),
}
_NAMES = {
    RecordClass.CONDITION: "2型糖尿病 高血圧症 脂質異常症 気管支喘息 慢性腎臓病 心房細動 逆流性食道炎 骨粗鬆症 "
    "腰椎椎間板症 アレルギー性鼻炎 鉄欠乏性貧血 甲状腺機能低下症",
    RecordClass.DRUG_ALLERGY: "ペニシリン系抗菌薬 セフェム系抗菌薬 アスピリン ヨード造影剤 サルファ剤 NSAIDs",
    RecordClass.OTHER_ALLERGY: "鶏卵 牛乳 小麦 そば 落花生 えび スギ花粉 ラテックス",
    RecordClass.INFECTION: "HBs抗原 HCV抗体 梅毒TP抗体 HIV抗体",
    RecordClass.LAB_RESULT: "HbA1c 空腹時血糖 LDLコレステロール HDLコレステロール 中性脂肪 クレアチニン eGFR 尿酸 AST "
    "ALT γ-GTP ヘモグロビン 白血球数 血小板数 ナトリウム カリウム",
    RecordClass.PRESCRIPTION: "メトホルミン錠500mg アムロジピン錠5mg ロスバスタチン錠2.5mg ランソプラゾール錠15mg "
    "エドキサバン錠30mg レボチロキシン錠50μg フェキソフェナジン錠60mg アルファカルシドール錠0.5μg モンテルカスト錠10mg "
    "ロキソプロフェン錠60mg",
}
_UNITS = "% mg/dL mg/dL mg/dL mg/dL mg/dL mL/min mg/dL U/L U/L U/L g/dL 10^3/μL 10^3/μL mmol/L mmol/L".split()
_DETAILS = {
    RecordClass.DRUG_ALLERGY: "全身の発疹と呼吸困難。投与を避けること",
    RecordClass.OTHER_ALLERGY: "口唇の腫れ。摂取を避けること",
    RecordClass.PRESCRIPTION: "1回1錠 1日1回 朝食後 28日分",
}


def _words() -> str:
    rows = []
    for record_class, names in _NAMES.items():
        system, code = _SYSTEMS[record_class]
        for number, name in enumerate(names.split()):
            unit = f"'{_UNITS[number]}'" if record_class is RecordClass.LAB_RESULT else "NULL"
            detail = f"'{_DETAILS[record_class]}'" if record_class in _DETAILS else "NULL"
            rows.append(
                f"('{record_class}', {number}, '{name}', '{system}', '{code}{number:02}', {unit}, {detail})"
            )
    return ", ".join(rows)


_WORDS = {str(record_class): len(names.split()) for record_class, names in _NAMES.items()}


DOCUMENTS = """
INSERT INTO document (patient_id, document, from_pos, registered_at, visible_until, event_id, kind, record_class,
    flags_now, facility, facility_name, department, author, title, system, value, timestamp, dated, attachments,
    received, sort_at)
SELECT patient_id, bench.id('document', d), 1, at, at + interval '5 years', bench.id('event', d), kind, kind,
    '{}', sender, '試験病院' || sender, '内科', '佐藤 一郎',
    CASE kind WHEN 'DISCHARGE_SUMMARY' THEN '退院時サマリー' ELSE '健康診断結果報告書' END,
    'urn:oid:1.2.392.100495.20.3.11', 'B-' || d, at, at, '[]', bench.id('received', d), at
FROM (
    SELECT p.id AS patient_id, d, bench.registered(d, base) AS at, bench.sender(d) AS sender,
        CASE WHEN bench.draw(d, 4, 10) < 6 THEN 'DISCHARGE_SUMMARY' ELSE 'CHECKUP_REPORT' END AS kind
    FROM bench.moment, bench.patient p, LATERAL (
        SELECT p.n::bigint * 10000 + number AS d FROM generate_series(0, p.documents - 1) AS number) AS numbered
) AS drawn
"""

ENTRY_COLUMNS = (
    "patient_id, entry, from_pos, to_pos, registered_at, closed_at, cancelled_by, visible_until, document, "
    "document_kind, unit, recipient, recipient_until, record_class, resource_type, resource_place, sender, scope, "
    "stated_at, standing, fact, analyte, ranked_as, name, codings, codes, effective, effective_at, issued_at, "
    "sort_at, facility, department, author, status, verification, flags, flags_now, flagged_at, value, "
    "interpretation, reference_range, ended, ended_at, detail"
)
ENTRIES_OF_ALL = f"""
INSERT INTO entry ({ENTRY_COLUMNS})
SELECT patient_id, bench.id('entry', e), 1, CASE WHEN over THEN 2 END, at,
    CASE WHEN over THEN at + interval '1 day' END, NULL::uuid,
    CASE record_class
        WHEN 'LAB_RESULT' THEN (effective AT TIME ZONE '{_JAPAN}' + interval '1 year') AT TIME ZONE '{_JAPAN}'
        WHEN 'PRESCRIPTION' THEN effective + interval '100 days'
        ELSE (at AT TIME ZONE '{_JAPAN}' + interval '5 years') AT TIME ZONE '{_JAPAN}' END,
    bench.id('document', d),
    CASE WHEN bench.draw(d, 4, 10) < 6 THEN 'DISCHARGE_SUMMARY' ELSE 'CHECKUP_REPORT' END,
    md5(record_class || '/' || d)::uuid, NULL, NULL::timestamptz, record_class,
    CASE record_class WHEN 'CONDITION' THEN 'Condition' WHEN 'PRESCRIPTION' THEN 'MedicationRequest'
        WHEN 'LAB_RESULT' THEN 'Observation' WHEN 'INFECTION' THEN 'Observation' ELSE 'AllergyIntolerance' END,
    (e % 40)::integer, sender, '', at, CASE WHEN over THEN 'ENDED' ELSE 'IN_FORCE' END,
    record_class || '/urn:oid:1.2.392.100495.20.3.81^' || e,
    CASE WHEN record_class IN ('LAB_RESULT', 'INFECTION') THEN 'name/' || name END,
    CASE record_class WHEN 'LAB_RESULT' THEN 'name/' || name WHEN 'INFECTION' THEN 'name/' || name
        WHEN 'PRESCRIPTION' THEN system || '|' || code END,
    name, '[{{"system":"' || system || '","code":"' || code || '","display":"' || name || '"}}]',
    ARRAY[code, system || '|' || code],
    CASE WHEN record_class IN ('LAB_RESULT', 'PRESCRIPTION', 'INFECTION')
        THEN to_char(effective AT TIME ZONE '{_JAPAN}', 'YYYY-MM-DD"T"HH24:MI:SS"+09:00"')
        ELSE to_char(effective AT TIME ZONE '{_JAPAN}', 'YYYY-MM-DD') END,
    effective, CASE record_class WHEN 'LAB_RESULT' THEN effective END, effective,
    sender, '内科', '佐藤 一郎',
    CASE WHEN record_class IN ('LAB_RESULT', 'INFECTION') THEN 'final' ELSE 'active' END,
    CASE WHEN record_class IN ('CONDITION', 'DRUG_ALLERGY', 'OTHER_ALLERGY') THEN 'confirmed' END,
    flags, flags, CASE WHEN flags <> '{{}}' THEN at END,
    CASE record_class
        WHEN 'LAB_RESULT' THEN '{{"text":"' || measured || ' ' || unit || '","number":"' || measured
            || '","comparator":null,"unit":"' || unit || '","coding":null}}'
        WHEN 'INFECTION' THEN '{{"text":"陰性","number":null,"comparator":null,"unit":null,"coding":null}}' END,
    CASE record_class WHEN 'LAB_RESULT' THEN (ARRAY['N', 'H', 'L'])[1 + bench.draw(e, 8, 3)] END,
    CASE record_class WHEN 'LAB_RESULT' THEN '{{"low":"4.6","high":"62.0","text":null}}' END,
    NULL, NULL::timestamptz, detail
FROM (
    SELECT drawn.*, w.name, w.system, w.code, w.unit, w.detail,
        at - bench.draw(e, 7, CASE drawn.record_class WHEN 'LAB_RESULT' THEN 240 WHEN 'PRESCRIPTION' THEN 25
            ELSE 1400 END * 86400) * interval '1 second' AS effective,
        drawn.record_class IN ('CONDITION', 'DRUG_ALLERGY', 'OTHER_ALLERGY') AND bench.draw(e, 10, 10) = 0 AS over,
        CASE WHEN n % 20 = 7 AND bench.draw(e, 9, 10) = 0 THEN '{{{MARK}}}'::text[] ELSE '{{}}' END AS flags,
        round(bench.draw(e, 11, 900) / 10.0, 1)::text AS measured
    FROM (
        SELECT p.id AS patient_id, p.n, e, d, bench.registered(d, base) AS at, bench.sender(d) AS sender,
            (ARRAY['CONDITION', 'DRUG_ALLERGY', 'OTHER_ALLERGY', 'INFECTION', 'PRESCRIPTION', 'LAB_RESULT'])
                [width_bucket(bench.draw(e, 5, 100), ARRAY[0, 15, 21, 27, 33, 53])] AS record_class
        FROM bench.moment, bench.patient p, LATERAL (
            SELECT p.n::bigint * 10000 + number AS e, p.n::bigint * 10000 + number % p.documents AS d
            FROM generate_series(0, p.entries - 1) AS number) AS numbered
    ) AS drawn
    JOIN bench.word w ON w.record_class = drawn.record_class AND w.number = bench.draw(e, 6,
        CASE drawn.record_class {" ".join(f"WHEN '{name}' THEN {many}" for name, many in _WORDS.items())} END)
) AS told
"""
assert set(ENTRY_COLUMNS.split(", ")) == set(EntryRow.__struct_fields__), "the index has other columns now"


def _json(field: str, column: str) -> str:
    moments = {"effective_at", "issued_at", "registered_at", "flagged_at", "sort_at", "visible_until"}
    if column in moments:
        column = f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
    return f"""'"{field}":' || coalesce(to_json({column})::text, 'null')"""


_SHOWN = {**ENTRIES.fields, "sortAt": "sort_at", "visibleUntil": "visible_until", "fact": "fact"}


def summaries(entries: str) -> str:
    """The rows of the ready summary, out of what is in force in the index's table *entries*."""
    told = " || ',' || ".join(_json(field, column) for field, column in _SHOWN.items())
    classes = ", ".join(f"'{one}'" for one in READY_CLASSES)
    return f"""
    INSERT INTO summary (patient_id, record_class, marks, document, unit, sender, scope, stated_at, in_force, flags,
        entries)
    SELECT patient_id, record_class, array_to_string(flags_now, ','), document, unit, sender, scope, stated_at, true,
        flags_now, '[' || string_agg('{{' || {told} || '}}', ',' ORDER BY entry) || ']'
    FROM {entries} WHERE to_pos IS NULL AND record_class IN ({classes})
    GROUP BY patient_id, record_class, flags_now, document, unit, sender, scope, stated_at
    """


ACCESSES = """
INSERT INTO access (owner_id, access, part, pos, at, outcome, patient_id, person, role, facility, purpose, bases,
    classes_asked, classes_permitted, reason, because, grounds, consent_version, entries_shown, shown_by_class,
    incomplete, as_of, operation_name, operation_sha256, variables, shown_sha256, answer_sha256, session, linked,
    client, identified_by, flags, read_at)
SELECT id, bench.id('access', a), 0, a, base - bench.draw(a, 12, 300 * 86400) * interval '1 second', 'PERMITTED', id,
    CASE WHEN herself THEN 'patient-' || n ELSE 'dr-' || bench.draw(a, 13, 5000) END,
    CASE WHEN herself THEN 'PATIENT' ELSE 'CLINICIAN' END, CASE WHEN NOT herself THEN bench.sender(a) END,
    CASE WHEN herself THEN 'PATRQT' ELSE 'TREAT' END,
    CASE WHEN herself THEN '{SELF}'::text[] ELSE '{CONSENT}' END, six, six, NULL,
    CASE WHEN herself THEN '{}'::uuid[] ELSE ARRAY[bench.id('consent', a)] END, '[]', 1, bench.draw(a, 14, 200),
    '{"CONDITION":20,"LAB_RESULT":30}', false, NULL, 'PatientOverview', digest, '{}', digest, digest,
    bench.id('session', a)::text, '{}', 'chart-viewer', 'ID',
    CASE WHEN herself THEN '{LTS}'::text[] ELSE '{LTS,UNINFORMED}' END, 0
FROM (
    SELECT p.*, a, base, bench.draw(a, 15, 10) = 0 AS herself, encode(sha256(int8send(a)), 'hex') AS digest,
        '{CONDITION,DRUG_ALLERGY,OTHER_ALLERGY,INFECTION,LAB_RESULT,PRESCRIPTION}'::text[] AS six
    FROM bench.moment, bench.patient p, LATERAL (
        SELECT p.n::bigint * 10000 + number AS a FROM generate_series(0, p.accesses - 1) AS number) AS numbered
) AS drawn
"""
