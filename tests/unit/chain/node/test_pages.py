"""How many blocks a question about logs covers."""

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
