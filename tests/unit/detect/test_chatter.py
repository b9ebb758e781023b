import os
import threading

from fer_live.detect.chatter import without_chatter


def test_known_lines_are_dropped_and_others_pass(capfd):
    with without_chatter():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\nE0000 something broke\n")
    assert capfd.readouterr().err == "E0000 something broke\n"


def test_it_ends_with_the_block(capfd):
    with without_chatter():
        pass
    os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n")
    assert "XNNPACK" in capfd.readouterr().err


def test_two_threads_at_once_leave_standard_error_as_it_was():
    before = os.fstat(2)
    is_inside, may_leave = threading.Event(), threading.Event()

    def load():
        with without_chatter():
            is_inside.set()
            may_leave.wait()

    thread = threading.Thread(target=load)
    with without_chatter():
        thread.start()
        is_inside.wait(0.2)
    may_leave.set()
    thread.join()
    assert os.path.samestat(os.fstat(2), before)


def test_without_standard_error_it_does_nothing(monkeypatch):
    def closed(descriptor):
        raise OSError("bad descriptor")

    monkeypatch.setattr(os, "dup", closed)
    with without_chatter():
        reached = True
    assert reached
