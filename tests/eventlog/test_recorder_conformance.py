"""The library's own tests of a recorder, over a log of one part: only there positions are one sequence."""

import sys
from unittest.mock import Mock, patch
from uuid import uuid4

import pytest

from log_examples import make_log, opened_log
from tsuzuri.eventlog.recorder import PartRecorder

with patch.dict(
    sys.modules, {"eventsourcing.cipher": Mock()}
):  # else it asks for a package that nobody here needs
    from eventsourcing.tests import persistence


class TestPartRecorder(persistence.ApplicationRecorderTestCase[PartRecorder]):
    """The tests are the library's; here it is said what they are about."""

    dsn: str

    @pytest.fixture(autouse=True)
    def a_log_of_one_part(self, empty_dsn: str) -> None:
        make_log(empty_dsn, parts=1)
        self.dsn = empty_dsn

    def create_recorder(self) -> PartRecorder:
        return self.enterContext(opened_log(self.dsn)).part_recorder

    def new_originator_id(self) -> str:
        return f"{uuid4()}/record"

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


def test_with_more_parts_what_supposes_one_sequence_refuses_and_names_follow(dsn: str) -> None:
    with opened_log(dsn) as log:
        assert log.part_recorder.parts > 1
        with pytest.raises(NotImplementedError, match=r"follow\(\)"):
            log.recorder.select_notifications(1, 10)
        with pytest.raises(NotImplementedError, match=r"follow\(\)"):
            log.recorder.max_notification_id()
        with pytest.raises(NotImplementedError, match=r"follow\(\)"):
            log.recorder.subscribe(gt=0)
