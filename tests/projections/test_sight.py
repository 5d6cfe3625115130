"""Given rows of the record index, what does a reading on these grounds, at this position and moment, show of them?"""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from examples import CLINIC, HOSPITAL, NOON, PATIENT, STRANGER
from sight_examples import (
    A_MONTH,
    POSITION,
    a_document,
    a_ground,
    a_patient,
    a_sight,
    an_entry,
    as_reader,
    dated_documents,
    documents,
    entries,
    lay,
    whole,
)
from tsuzuri.domain.vocabulary import Flag, RecordClass
from tsuzuri.projections.sight import LeftOut

A_MICROSECOND = timedelta(microseconds=1)
CONDITION, LAB, ALLERGY = RecordClass.CONDITION, RecordClass.LAB_RESULT, RecordClass.DRUG_ALLERGY
LETTER, OTHER_LETTER = a_patient(50), a_patient(51)

Database = Connection[Any]


def test_one_ground_must_cover_the_class_and_every_mark(connection: Database) -> None:
    an_entry(connection, "plain")
    an_entry(connection, "kept long", flags_now=["LTS"])
    an_entry(connection, "untold", flags_now=["UNINFORMED", "LTS"])
    an_entry(connection, "not given out", flags_now=["UNDELIVERED"])
    an_entry(connection, "a result", record_class=LAB)
    an_entry(connection, "an untold result", record_class=LAB, flags_now=["UNINFORMED"])

    told, untold = a_ground(classes=(LAB,), flags=(Flag.LTS,)), a_ground(classes=(CONDITION,))

    assert entries(connection, a_sight(told)) == {"a result"}
    assert entries(connection, a_sight(told, untold)) == {"plain", "kept long", "untold", "a result"}


def test_marks_that_were_set_later_hide_and_those_that_came_with_it_do_not(connection: Database) -> None:
    an_entry(connection, "marked since", flags_now=["UNDELIVERED"])
    an_entry(connection, "mark taken away", flags=["UNDELIVERED"])

    assert entries(connection, a_sight()) == {"mark taken away"}


def test_another_patient_s_rows_and_no_grounds_show_nothing(connection: Database) -> None:
    an_entry(connection, "hers")
    an_entry(connection, "somebody's", patient_id=STRANGER)
    a_document(connection, "hers")
    a_document(connection, "somebody's", patient_id=STRANGER)
    sight = a_sight()
    nothing = a_sight(a_ground(classes=()))

    assert entries(connection, sight) == documents(connection, sight) == {"hers"}
    assert entries(connection, nothing) == documents(connection, nothing) == set()
    assert whole(connection, nothing) == {"hers"}


def test_what_one_facility_registered_and_what_it_is_named_in_are_two_things(connection: Database) -> None:
    an_entry(connection, "from the hospital", sender=HOSPITAL)
    an_entry(connection, "about the hospital", facility=HOSPITAL)
    a_document(connection, "from the hospital", facility=HOSPITAL)
    a_document(connection, "from the clinic")
    own = a_sight(a_ground(sender=HOSPITAL))

    assert entries(connection, own) == documents(connection, own) == {"from the hospital"}


def test_a_letter_is_its_recipient_s_until_its_time_and_one_letter_is_that_one(connection: Database) -> None:
    until = {"recipient": HOSPITAL, "recipient_until": NOON + A_MICROSECOND}
    an_entry(connection, "in the letter", document=LETTER, **until)
    an_entry(connection, "in another", document=OTHER_LETTER, **until)
    an_entry(connection, "over", document=LETTER, recipient=HOSPITAL, recipient_until=NOON)
    an_entry(connection, "to the clinic", recipient=CLINIC, recipient_until=NOON + A_MONTH)
    an_entry(connection, "in no letter")
    for title, document in (("the letter", LETTER), ("another", OTHER_LETTER)):
        a_document(connection, title, document=document, recipient=HOSPITAL)
    a_document(connection, "to the clinic", recipient=CLINIC)
    a_document(connection, "no letter")
    letters, letter = (
        a_sight(a_ground(recipient=HOSPITAL)),
        a_sight(a_ground(recipient=HOSPITAL, document=LETTER)),
    )

    assert entries(connection, letters) == {"in the letter", "in another"}
    with as_reader(connection):
        assert entries(connection, letters) == {"in the letter", "in another"}
    assert entries(connection, letter) == {"in the letter"}
    assert documents(connection, letters) == {"the letter", "another"}
    assert documents(connection, letter) == {"the letter"}


def test_no_row_from_behind_the_position_and_none_that_had_ended_before(connection: Database) -> None:
    an_entry(connection, "just now", from_pos=POSITION)
    an_entry(connection, "behind", from_pos=POSITION + 1)
    an_entry(connection, "ended then", to_pos=POSITION)
    an_entry(connection, "ends after", to_pos=POSITION + 1)

    assert entries(connection, a_sight()) == whole(connection, a_sight()) == {"just now", "ends after"}


def test_as_of_a_moment_what_the_log_had_taken_in_by_then(connection: Database) -> None:
    then = NOON - timedelta(days=10)
    an_entry(connection, "taken in then", registered_at=then)
    an_entry(connection, "a moment later", registered_at=then + A_MICROSECOND)
    an_entry(connection, "closed then", closed_at=then, to_pos=7)
    an_entry(connection, "closed since", closed_at=then + A_MICROSECOND, to_pos=7)
    an_entry(connection, "behind", from_pos=POSITION + 1)
    sight = a_sight(recorded_by=then)

    assert entries(connection, sight) == whole(connection, sight) == {"taken in then", "closed since"}


def test_what_was_cancelled_or_is_too_old_is_shown_at_no_moment(connection: Database) -> None:
    an_entry(connection, "cancelled", cancelled_by=uuid4())
    an_entry(connection, "ends this moment", visible_until=NOON)
    an_entry(connection, "ends in a moment", visible_until=NOON + A_MICROSECOND)
    a_document(connection, "cancelled", cancelled_by=uuid4())
    a_document(connection, "ends this moment", visible_until=NOON)
    a_document(connection, "ends in a moment", visible_until=NOON + A_MICROSECOND)

    for sight in (a_sight(), a_sight(recorded_by=NOON)):
        assert entries(connection, sight) == documents(connection, sight) == {"ends in a moment"}


def test_of_what_is_ranked_the_last_three_are_shown_however_old(connection: Database) -> None:
    for years in range(1, 6):
        at = NOON - timedelta(days=365 * years)
        old = {"record_class": LAB, "sort_at": at, "visible_until": NOON - A_MONTH}
        an_entry(connection, f"HbA1c {years}", ranked_as="a1c", **old)
    old = {"record_class": LAB, "visible_until": NOON - A_MONTH}
    an_entry(connection, "of another kind", ranked_as="ldl", **old)
    an_entry(connection, "ranked as nothing", **old)
    an_entry(connection, "replaced", ranked_as="ldl", to_pos=POSITION + 1, **old)
    an_entry(connection, "of another class", ranked_as="a1c", record_class=ALLERGY)
    an_entry(connection, "somebody's", ranked_as="a1c", patient_id=STRANGER, record_class=LAB)

    shown = entries(connection, a_sight(a_ground(classes=(LAB,))))

    assert shown == {"HbA1c 1", "HbA1c 2", "HbA1c 3", "of another kind"}
    assert entries(connection, a_sight(a_ground(classes=(LAB,))), schema=None) == set()


def test_what_was_changed_behind_the_position_is_left_out(connection: Database) -> None:
    replaced = uuid4()
    an_entry(connection, "replaced", document=replaced)
    an_entry(connection, "marked", fact="f-1")
    an_entry(connection, "the same said by another", fact="f-1", sender=HOSPITAL)
    an_entry(connection, "an allergy told anew", record_class=ALLERGY)
    an_entry(connection, "an allergy of another's", record_class=ALLERGY, sender=HOSPITAL)
    an_entry(connection, "untouched")
    a_document(connection, "replaced", document=replaced)
    a_document(connection, "untouched")
    sight = a_sight(
        left_out=LeftOut(documents=(replaced,), hidden=((CLINIC, "f-1"),), sets=((CLINIC, (ALLERGY,)),))
    )

    assert entries(connection, sight) == {"the same said by another", "an allergy of another's", "untouched"}
    assert documents(connection, sight) == {"untouched"}
    erased = a_sight(left_out=LeftOut(everything=True))
    assert entries(connection, erased) == documents(connection, erased) == set()


def test_patients_who_are_one_person_are_each_read_at_her_own_position(connection: Database) -> None:
    an_entry(connection, "hers", from_pos=POSITION)
    an_entry(connection, "hers behind", from_pos=POSITION + 1)
    an_entry(connection, "the other's", patient_id=STRANGER, from_pos=99)
    an_entry(connection, "the other's behind", patient_id=STRANGER, from_pos=100)
    an_entry(connection, "somebody's", patient_id=a_patient(1))
    sight = a_sight(others=((STRANGER, 99),))

    assert entries(connection, sight) == whole(connection, sight) == {"hers", "the other's"}
    assert sight.patients == [PATIENT, STRANGER]


def test_of_one_person_a_set_or_a_mark_under_one_number_counts_under_the_other(connection: Database) -> None:
    an_entry(connection, "told anew under the other")
    an_entry(connection, "an allergy", record_class=ALLERGY)
    an_entry(connection, "marked under the other", fact="f-1", record_class=ALLERGY)
    lay(
        connection,
        "replacement_set",
        patient_id=STRANGER,
        document=uuid4(),
        facility=CLINIC,
        scope="",
        kind="CONDITIONS",
        timestamp=NOON,
        system="urn:sample",
        value="1",
    )
    mark = {"document": uuid4(), "sender": CLINIC, "fact": "f-1", "timestamp": NOON}
    lay(connection, "hiding_mark", patient_id=STRANGER, marks=["UNINFORMED"], **mark)
    both, told = ((STRANGER, POSITION),), a_ground(flags=(Flag.LTS,))

    assert entries(connection, a_sight(told)) == {
        "told anew under the other",
        "an allergy",
        "marked under the other",
    }
    assert entries(connection, a_sight(told, others=both)) == {"an allergy"}
    assert entries(connection, a_sight(others=both)) == {"an allergy", "marked under the other"}
    assert entries(connection, a_sight(a_ground(), told, others=both)) == {"an allergy"}
    then = a_sight(told, others=both, recorded_by=NOON)
    assert entries(connection, then) == {"told anew under the other", "an allergy"}


# --- the first step of an emergency


def test_the_emergency_table_shows_what_is_open_and_of_late(connection: Database) -> None:
    an_entry(connection, "open")
    for status in ("inactive", "remission", "resolved"):
        an_entry(connection, status, status=status)
    an_entry(connection, "active", status="active")
    an_entry(connection, "ended", ended="2026-01", ended_at=NOON)
    an_entry(connection, "ends in a moment", ended="2026-11", ended_at=NOON + A_MICROSECOND)
    late, old = NOON - timedelta(days=91), NOON - timedelta(days=92)
    an_entry(connection, "of late", record_class=RecordClass.PRESCRIPTION, sort_at=late)
    an_entry(connection, "of long ago", record_class=RecordClass.PRESCRIPTION, sort_at=old)
    for record_class in (ALLERGY, RecordClass.OTHER_ALLERGY, RecordClass.INFECTION):
        an_entry(connection, str(record_class), record_class=record_class, status="resolved", sort_at=old)
    table = a_ground(emergency_table=True)

    shown = {"open", "active", "ends in a moment", "of late", "DRUG_ALLERGY", "OTHER_ALLERGY", "INFECTION"}
    assert entries(connection, a_sight(table)) == shown
    narrow = a_sight(a_ground(classes=(ALLERGY,), emergency_table=True))
    assert entries(connection, narrow) == {"DRUG_ALLERGY"}
    assert entries(connection, a_sight(table), schema=None) == set()
    beside = a_sight(table, a_ground(classes=(RecordClass.PRESCRIPTION,)))
    assert entries(connection, beside) == shown | {"of long ago"}


def test_of_results_it_shows_the_last_three_that_may_be_seen(connection: Database) -> None:
    def result(name: str, days: int, **changes: Any) -> None:
        usual = {"record_class": LAB, "ranked_as": "a1c", "sort_at": NOON - timedelta(days=days)}
        an_entry(connection, name, **usual | changes)

    result("HbA1c 10", 10, flags_now=["LTS"])
    for days in range(11, 15):
        result(f"HbA1c {days}", days)
    result("hidden", 1, flags_now=["UNDELIVERED"])
    result("cancelled", 2, cancelled_by=uuid4())
    result("replaced", 3, to_pos=POSITION)
    result("of another kind", 99, ranked_as="ldl")
    result("as an allergy", 4, record_class=ALLERGY)
    result("somebody's", 5, patient_id=STRANGER)
    ground = a_ground(classes=(LAB,), emergency_table=True)

    shown = {"HbA1c 10", "HbA1c 11", "HbA1c 12", "of another kind"}
    assert entries(connection, a_sight(ground)) == shown


def test_of_documents_it_shows_a_check_up_s_date_and_nothing_else(connection: Database) -> None:
    a_document(connection, "check-up", record_class=RecordClass.CHECKUP_REPORT)
    a_document(connection, "discharge")
    table = a_sight(a_ground(emergency_table=True))

    assert documents(connection, table) == set()
    assert dated_documents(connection, table) == {"check-up"}
    assert dated_documents(connection, a_sight()) == {"check-up", "discharge"}


# --- tables without history


def test_a_table_that_names_no_letters_shows_nothing_of_any(connection: Database) -> None:
    """One row for each class and marks of a sender, as the patient summary has them."""
    connection.execute(
        "CREATE TEMP TABLE said (patient_id uuid, name text, record_class text, flags text[], sender text)"
    )

    def say(name: str, patient: UUID = PATIENT, *flags: str, sender: str = CLINIC) -> None:
        connection.execute(
            "INSERT INTO said VALUES (%s, %s, 'CONDITION', %s, %s)", (patient, name, list(flags), sender)
        )

    say("plain")
    say("untold", PATIENT, "UNINFORMED")
    say("somebody's", STRANGER)
    say("from the hospital", sender=HOSPITAL)

    def shown(*grounds: Any, **changes: Any) -> set[str]:
        where = a_sight(*grounds, **changes).predicate(history=False)
        rows = connection.execute(SQL("SELECT name FROM {} WHERE {}").format(Identifier("said"), where))
        return {name for (name,) in rows}

    assert shown(a_ground(flags=())) == {"plain", "from the hospital"}
    assert shown(a_ground(recipient=HOSPITAL)) == set()
    assert shown(a_ground(emergency_table=True)) == set()
    assert shown(a_ground(sender=HOSPITAL)) == {"from the hospital"}
    assert shown(others=((STRANGER, 1),)) == {"plain", "untold", "somebody's", "from the hospital"}
    rows = connection.execute(SQL("SELECT name FROM said WHERE {}").format(a_sight().person()))
    assert {name for (name,) in rows} == {"plain", "untold", "from the hospital"}
