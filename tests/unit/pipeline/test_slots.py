from __future__ import annotations

import threading

from fer_live.pipeline.slots import LatestSlot


def test_newest_wins_and_losses_are_counted() -> None:
    slot: LatestSlot[int] = LatestSlot()
    for number in range(5):
        slot.put(number)
    assert slot.take() == 4
    assert slot.take() is None
    assert slot.dropped == 4
    slot.put(5)
    assert slot.take() == 5
    assert slot.dropped == 4


def test_notifies_only_when_it_fills() -> None:
    slot: LatestSlot[str] = LatestSlot()
    calls: list[str] = []
    slot.notify(lambda: calls.append("filled"))
    slot.put("one")
    slot.put("two")
    assert calls == ["filled"]
    slot.take()
    slot.put("three")
    assert calls == ["filled", "filled"]


def test_what_is_notified_can_take() -> None:
    slot: LatestSlot[str] = LatestSlot()
    taken: list[str | None] = []
    slot.notify(lambda: taken.append(slot.take()))
    slot.put("item")
    assert taken == ["item"]


def test_closed_slot_takes_no_more_but_gives_what_it_has() -> None:
    slot: LatestSlot[int] = LatestSlot()
    slot.put(1)
    slot.close()
    slot.put(2)
    assert slot.take(60) == 1
    assert slot.take(60) is None
    assert slot.dropped == 0


def test_close_wakes_who_waits() -> None:
    slot: LatestSlot[int] = LatestSlot()
    taken: list[int | None] = []
    thread = threading.Thread(target=lambda: taken.append(slot.take(60)))
    thread.start()
    slot.close()
    thread.join(10)
    assert taken == [None]


def test_put_wakes_who_waits() -> None:
    slot: LatestSlot[int] = LatestSlot()
    taken: list[int | None] = []
    thread = threading.Thread(target=lambda: taken.append(slot.take(60)))
    thread.start()
    slot.put(7)
    thread.join(10)
    assert taken == [7]


def test_two_threads_lose_nothing_uncounted() -> None:
    slot: LatestSlot[int] = LatestSlot()
    count = 20_000
    taken: list[int] = []

    def take_all() -> None:
        while not taken or taken[-1] != count - 1:
            item = slot.take(10)
            assert item is not None
            taken.append(item)

    thread = threading.Thread(target=take_all)
    thread.start()
    for number in range(count):
        slot.put(number)
    thread.join(60)
    assert taken == sorted(set(taken))
    assert len(taken) + slot.dropped == count
