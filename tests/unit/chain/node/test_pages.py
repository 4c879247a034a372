"""How many blocks a question about logs covers."""

import json
from pathlib import Path

import pytest

from numerbay_chain.chain.node.pages import FIRST_PAGE, PageSizes


def logs_of(pages: PageSizes, blocks: int, answers: int, hangs: int) -> tuple[int, int, int]:
    """Reads so many blocks from a node that answers for `answers` at a time, refuses more and hangs from `hangs` on:
    questions, refusals and timeouts."""
    left, questions, refusals, timeouts = blocks, 0, 0, 0
    while left > 0:
        asked = min(pages.size, left)
        questions += 1
        if asked >= hangs:
            pages.silent(asked)
            timeouts += 1
        elif asked > answers:
            pages.refused(asked)
            refusals += 1
        else:
            pages.answered()
            left -= asked
    return questions, refusals, timeouts


def test_a_node_that_gives_no_answer_is_not_asked_for_as_much_again() -> None:
    pages = PageSizes()
    questions, _, timeouts = logs_of(pages, 1_000_000, 10**9, hangs=1_000)
    assert timeouts <= 8
    assert questions < 5_000
    assert logs_of(pages, 1_000_000, 10**9, hangs=1_000)[2] == 0, "what was learned is kept"


def test_a_node_that_refuses_is_asked_for_half() -> None:
    questions, refusals, _ = logs_of(PageSizes(), 100_000, 2_000, hangs=10**9)
    assert refusals < 25
    assert questions < 150


def test_what_was_refused_once_is_asked_for_again_seldom() -> None:
    pages = PageSizes()
    logs_of(pages, 10_000, 2_000, hangs=10**9)
    questions, refusals, _ = logs_of(pages, 1_000_000, 2_000, hangs=10**9)
    assert refusals <= questions // 50
    assert 1_000 <= pages.size <= 2_000


def test_a_range_that_was_dense_does_not_make_the_next_ones_small_for_good() -> None:
    pages = PageSizes()
    logs_of(pages, 1_000, 10, hangs=10**9)
    assert pages.size <= 20
    logs_of(pages, 30 * FIRST_PAGE, 10**9, hangs=10**9)
    assert pages.size == FIRST_PAGE


def test_pages_have_one_block_at_least() -> None:
    pages = PageSizes()
    pages.refused(1)
    assert pages.size == 1
    pages.silent(1)
    assert pages.size == 1


# ------------------------------------------------------------------------------------------------- from run to run


def run_of(path: Path, blocks: int, answers: int = 10**9, hangs: int = 10**9) -> tuple[int, int, int]:
    pages = PageSizes()
    pages.keep(path)
    counted = logs_of(pages, blocks, answers, hangs)
    pages.save()
    return counted


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nodes" / "1-host.json"


def test_another_run_begins_with_what_the_node_took(path: Path) -> None:
    assert run_of(path, 10_000, 2_000)[1] > 0
    assert run_of(path, 10_000, 2_000)[1] == 0
    assert run_of(path, 10_000, hangs=1_000)[2] > 0
    assert run_of(path, 10_000, hangs=1_000)[2] == 0


def test_what_was_refused_is_tried_again_after_many_answers_of_many_runs(path: Path) -> None:
    run_of(path, 5_000, 2_000)
    refusals = [run_of(path, 5_000, 2_000)[1] for _ in range(100)]
    assert 1 <= sum(refusals) <= 100 * 5 // 64 + 1
    for _ in range(100):
        run_of(path, 40 * FIRST_PAGE)
    assert run_of(path, 10 * FIRST_PAGE)[0] == 10
    assert not path.exists(), "nothing is refused any more"


def test_of_a_node_that_refuses_nothing_nothing_is_kept(path: Path) -> None:
    run_of(path, 100 * FIRST_PAGE)
    assert not path.parent.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"version": 2, "size": 4}',
        *(
            json.dumps({"version": 1, "size": 64, "answers": 0, "refused": 128} | change).encode()
            for change in (
                {"size": 0},
                {"size": -1},
                {"size": 10**9},
                {"size": "64"},
                {"size": 1.5},
                {"answers": -1},
                {"refused": 0},
                {"more": 1},
            )
        ),
    ],
)
def test_a_file_that_is_broken_counts_for_nothing(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    assert run_of(path, 10 * FIRST_PAGE)[0] == 10
    assert run_of(path, 10_000, 2_000)[1] > 0
    assert run_of(path, 10_000, 2_000)[1] == 0, "it was written anew"


def test_a_folder_that_is_none_and_a_file_that_is_none_stop_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "1-host.json", tmp_path):
        assert run_of(path, 10_000, 2_000) == run_of(path, 10_000, 2_000)


def test_of_two_runs_at_once_the_last_one_is_kept_whole(path: Path) -> None:
    one, other = PageSizes(), PageSizes()
    for pages, answers in ((one, 2_000), (other, 500)):
        pages.keep(path)
        logs_of(pages, 10_000, answers, 10**9)
    one.save()
    other.save()
    assert run_of(path, 10_000, 500)[1] == 0
