"""What `tsuzuri ingest` works on at once: every piece in its order, and never more than fits into memory."""

from collections.abc import Iterator

from hypothesis import given as for_all
from hypothesis import strategies as st

from tsuzuri.app.commands.given_files import Piece, Result
from tsuzuri.app.commands.ingest import windows

PIECES_MAX, BYTES_MAX = 200, 32 * 1024 * 1024
LARGE = bytes(9 * 1024 * 1024)  # nearly as large as a Bundle may be
pieces = st.one_of(
    st.builds(Piece, st.just("small.json"), st.binary(max_size=9)),
    st.builds(Piece, st.just("large.json"), st.just(LARGE)),
    st.builds(Result, st.just("absent.json"), st.just("unreadable")),
)


def weight(window: list[Piece | Result]) -> int:
    return sum(len(piece.body) for piece in window if isinstance(piece, Piece))


@for_all(st.lists(pieces, max_size=40))
def test_every_piece_is_in_one_window_in_its_order_and_no_window_is_too_heavy(
    given: list[Piece | Result],
) -> None:
    found = list(windows(given))

    assert [piece for window in found for piece in window] == given
    assert all(window and weight(window[:-1]) <= BYTES_MAX for window in found)
    assert all(weight(window) > BYTES_MAX for window in found[:-1]), "none is closed before it is full"


def test_of_small_pieces_there_are_at_most_two_hundred_in_a_window() -> None:
    given = [Piece(f"{n}.json", b"{}") for n in range(450)]

    found = list(windows(given))

    assert [len(window) for window in found] == [PIECES_MAX, PIECES_MAX, 50]
    assert [piece for window in found for piece in window] == given


def test_nothing_is_read_before_its_window_is_worked_on() -> None:
    read = 0

    def given() -> Iterator[Piece]:
        nonlocal read
        for read in range(1, 1_000):
            yield Piece(f"{read}.json", b"{}")

    each = windows(given())

    next(each)
    assert read == PIECES_MAX
    next(each)
    assert read == 2 * PIECES_MAX


def test_of_nothing_there_is_no_window() -> None:
    assert list(windows([])) == []
