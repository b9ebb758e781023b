from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from fer_live.errors import BackendError, SourceError
from fer_live.pipeline.overlap import Overlap

_PATIENCE_S = 20.0


@pytest.fixture
def overlap() -> Iterator[Overlap]:
    with Overlap() as overlap:
        yield overlap


def _counted(count: int, taken: list[int]) -> Iterator[int]:
    for number in range(count):
        taken.append(number)
        yield number


def test_results_come_in_order_whichever_is_done_first(overlap: Overlap) -> None:
    done = [threading.Event() for _ in range(6)]

    def after_the_next(number: int) -> int:
        """An even one waits for the odd one after it, which another thread is at."""
        assert number % 2 or done[number + 1].wait(_PATIENCE_S)
        done[number].set()
        return 10 * number

    assert list(overlap.step(after_the_next, range(6), threads=2)) == [0, 10, 20, 30, 40, 50]


def test_a_step_begins_an_item_while_the_next_step_is_at_the_one_before(overlap: Overlap) -> None:
    begun = [threading.Event() for _ in range(4)]

    def first(number: int) -> int:
        begun[number].set()
        return number

    def second(number: int) -> int:
        assert number == 3 or begun[number + 1].wait(_PATIENCE_S)
        return number

    assert list(overlap.step(second, overlap.step(first, range(4)))) == [0, 1, 2, 3]


def test_one_thread_works_one_after_the_other(overlap: Overlap) -> None:
    threads = set(overlap.step(lambda _: threading.get_ident(), range(20)))
    assert len(threads) == 1
    assert threads.isdisjoint({threading.get_ident()})


@pytest.mark.parametrize("threads", [1, 3])
def test_no_more_is_taken_than_can_soon_be_begun(overlap: Overlap, threads: int) -> None:
    taken: list[int] = []
    for number in overlap.step(lambda number: number, _counted(20, taken), threads):
        assert len(taken) - number <= threads + 1
    assert len(taken) == 20


def _fail_at(number: int, error: Exception) -> Callable[[int], int]:
    def work(given: int) -> int:
        if given == number:
            raise error from OSError("the cause")
        return given

    return work


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_comes_in_its_place_with_its_cause(overlap: Overlap, threads: int) -> None:
    error = BackendError("The network failed.")
    seen: list[int] = []
    with pytest.raises(BackendError) as caught:
        seen.extend(overlap.step(_fail_at(5, error), range(20), threads))
    assert seen == [0, 1, 2, 3, 4]
    assert caught.value is error
    assert isinstance(error.__cause__, OSError)


def test_an_error_of_an_earlier_step_comes_after_what_later_steps_made_before_it(overlap: Overlap) -> None:
    error = SourceError("The sixth picture is torn.")
    first = overlap.step(_fail_at(5, error), range(20))
    second = overlap.step(lambda number: number, first, threads=3)
    seen: list[int] = []
    with pytest.raises(SourceError) as caught:
        seen.extend(overlap.step(lambda number: 10 * number, second))
    assert seen == [0, 10, 20, 30, 40]
    assert caught.value is error


def test_a_stretch_has_one_work_on_one_thread_and_the_next_another(overlap: Overlap) -> None:
    def named(name: str) -> Callable[[int], tuple[str, int, int]]:
        return lambda number: (name, number, threading.get_ident())

    made = list(overlap.in_turns([named("a"), named("b")], range(14), stretch=3))
    assert "".join(name for name, _, _ in made) == "aaabbbaaabbbaa"
    assert [number for _, number, _ in made] == list(range(14))
    threads = {name: {thread for who, _, thread in made if who == name} for name in "ab"}
    assert len(threads["a"]) == len(threads["b"]) == 1 and threads["a"] != threads["b"]


def test_two_stretches_are_worked_at_at_once(overlap: Overlap) -> None:
    begun = [threading.Event() for _ in range(8)]

    def after_the_next_stretch_began(number: int) -> int:
        begun[number].set()
        assert number != 0 or begun[4].wait(_PATIENCE_S)
        return number

    assert list(overlap.in_turns([after_the_next_stretch_began] * 2, range(8), stretch=4)) == list(range(8))


@pytest.mark.parametrize(("works", "stretch", "most"), [(1, 10, 1), (2, 10, 12), (3, 1, 3)])
def test_no_more_is_taken_than_keeps_each_work_busy(overlap: Overlap, works: int, stretch: int, most: int) -> None:
    taken: list[int] = []
    for number in overlap.in_turns([lambda number: number] * works, _counted(40, taken), stretch):
        assert len(taken) - number <= most + 1
    assert len(taken) == 40


def test_an_error_in_a_stretch_comes_after_what_was_made_before(overlap: Overlap) -> None:
    error = BackendError("The finder failed.")
    seen: list[int] = []
    with pytest.raises(BackendError):
        seen.extend(overlap.in_turns([_fail_at(5, error)] * 2, range(20), stretch=4))
    assert seen == [0, 1, 2, 3, 4]


def test_closing_ends_the_threads_with_work_half_done() -> None:
    before = threading.active_count()
    with Overlap() as overlap:
        looks = overlap.step(lambda number: number, range(20), threads=3)
        assert next(overlap.step(lambda number: number, looks)) == 0
        assert threading.active_count() > before
    assert threading.active_count() == before
    overlap.close()


def test_python_switches_threads_faster_meanwhile_only() -> None:
    before = sys.getswitchinterval()
    with Overlap():
        assert sys.getswitchinterval() < before
    assert sys.getswitchinterval() == before
