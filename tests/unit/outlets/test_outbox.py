from __future__ import annotations

import threading

from fer_live.outlets.outbox import Outbox


def test_oldest_is_lost_and_counted() -> None:
    outbox: Outbox[int] = Outbox(size=3)
    for number in range(5):
        outbox.put(number)
    assert outbox.dropped == 2
    assert [outbox.take() for _ in range(4)] == [2, 3, 4, None]


def test_notifies_only_when_it_stops_being_empty() -> None:
    outbox: Outbox[int] = Outbox()
    told: list[int] = []
    outbox.notify(lambda: told.append(1))
    outbox.put(1)
    outbox.put(2)
    assert told == [1]
    outbox.take()
    outbox.take()
    outbox.put(3)
    assert told == [1, 1]
    outbox.take()
    outbox.notify(None)
    outbox.put(4)
    assert told == [1, 1]


def test_what_waits_at_the_stop_is_still_given() -> None:
    outbox: Outbox[int] = Outbox()
    stop = threading.Event()
    stop.set()
    outbox.put(1)
    outbox.put(2)
    assert list(outbox.until(stop)) == [1, 2]


def test_taking_waits_for_another_thread() -> None:
    outbox: Outbox[int] = Outbox()
    thread = threading.Thread(target=outbox.put, args=(7,))
    thread.start()
    assert outbox.take(10) == 7
    thread.join()
