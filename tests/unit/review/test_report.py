"""The page holds what it promises, and asks for nothing from elsewhere."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fer_live.core.overlay import colour_of
from fer_live.errors import RecordError
from fer_live.ethics import notice
from fer_live.review.reading import open_session
from fer_live.review.report import write_report
from tests.unit.review.conftest import WriteSession, face, mark, result, session_in

_FETCHING = ("src", "href", "xlink:href", "data", "action", "poster", "srcset")


class _Page(HTMLParser):
    """Text, elements, and what each attribute would fetch."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.labels: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in _FETCHING]
        self.labels += [value or "" for name, value in attrs if name == "aria-label"]

    def handle_data(self, data: str) -> None:
        self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)


def _make_session(parent: Path) -> Path:
    """Twelve seconds: a face that changes, one that is often of low quality, a gap, two markers."""
    labels = ["happy", "sad", "happy", "neutral"]
    results = [
        result(index, index / 10, face(1, labels[index // 30]), face(2, "fear", reason="turned" if index % 2 else ""))
        for index in range(120)
        if not 50 <= index < 60
    ]
    folder = session_in(parent, *results)
    mark(folder, (3.0, "first <clip>"), (6.0, "second clip"))
    return folder


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """A session to change."""
    return _make_session(tmp_path)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page on a session, to look at."""
    return write_report([_make_session(tmp_path_factory.mktemp("report"))])


def test_page_holds_everything(written: Path) -> None:
    assert written.name == "report.html"
    page = _Page(written)
    card = open_session(written.parent).facts["model_card"]
    for paragraph in (*notice(card), card["limits"]):
        assert " ".join(paragraph.split()) in page.text
    for heading in ("Expression over time", "Share of time", "Between markers", "Changes of label", "Latency"):
        assert heading in page.text
    assert "first <clip>" in page.text
    assert "turned away" in page.text
    assert "gap not analysed in time 1 10" in page.text
    assert page.tags.count("svg") == 5  # two faces, shares, frames, latency
    assert "Expression of Face 2 over time" in page.labels


def test_page_needs_nothing_else(written: Path) -> None:
    page = _Page(written)
    assert page.fetched
    assert all(target.startswith("#") for target in page.fetched)
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(page.tags)
    assert "url(h" not in written.read_text()
    assert "@import" not in written.read_text()


def test_colours_are_those_of_the_window_and_text_fits_dark_and_light(written: Path) -> None:
    text = written.read_text()
    drawn = "".join(re.findall(r"<svg.*?</svg>", text, re.DOTALL)).lower()
    assert colour_of("happy").lower() in drawn
    assert "fill: currentcolor" in drawn
    assert "#010203" not in drawn
    assert "prefers-color-scheme: dark" in text


def test_shares_are_those_of_the_summary(written: Path) -> None:
    assert re.search(r"Face 1 11\.\d s 0 % 0 % 0 % 5\d % 2\d % 0 % 2\d % 0 % 0\.0 s", _Page(written).text)


def test_same_session_gives_the_same_page(written: Path) -> None:
    before = written.read_bytes()
    assert write_report([written.parent]).read_bytes() == before


def test_pictures_without_time(write_session: WriteSession) -> None:
    folder = write_session(
        result(0, 0.0, face(1)), result(1, 0.0), result(2, 0.0, face(2, "sad")), is_live=False, timed=False
    )
    page = _Page(write_report([folder]))
    assert "pictures that stand alone" in page.text
    assert "Expression over time" not in page.text
    assert "Changes of label" not in page.text
    assert "Latency" not in page.text
    assert page.tags.count("svg") == 1


@pytest.mark.parametrize("frames", [0, 1, 3])
def test_session_without_a_face(write_session: WriteSession, frames: int) -> None:
    page = _Page(write_report([write_session(*(result(index, index / 10) for index in range(frames)))]))
    assert "No face was found" in page.text
    assert "Share of time" not in page.text


def test_one_frame_alone_has_no_curves(write_session: WriteSession) -> None:
    page = _Page(write_report([write_session(result(0, 0.0, face()))]))
    assert "Face 1 0.0 s" in page.text
    assert "svg" not in page.tags


def test_session_without_a_frame(write_session: WriteSession) -> None:
    page = _Page(write_report([write_session()]))
    assert "No frame was captured." in page.text
    assert "Every captured frame" not in page.text
    assert "pictures that stand alone" not in page.text


def test_faces_of_low_quality_alone(write_session: WriteSession) -> None:
    folder = write_session(*(result(index, index / 10, face(reason="blurred")) for index in range(5)))
    page = _Page(write_report([folder]))
    assert "Face 1 0.0 s \N{EN DASH} \N{EN DASH}" in page.text
    assert "Expression of Face 1 over time" not in page.labels


def test_many_faces_are_put_together(write_session: WriteSession) -> None:
    folder = write_session(*(result(index, index / 10, face(1 + index // 3)) for index in range(60)))
    page = _Page(write_report([folder]))
    assert page.text.rindex("Face ") < page.text.rindex("12 others")
    assert len([label for label in page.labels if label.startswith("Expression of")]) == 8


def test_one_face_more_than_have_curves_is_one_other(write_session: WriteSession) -> None:
    folder = write_session(*(result(index, index / 10, face(1 + index // 3)) for index in range(27)))
    assert "1 other " in _Page(write_report([folder])).text


def test_session_that_was_cut_off_says_so(session: Path) -> None:
    path = session / "session.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"state": "recording"}))
    assert "This session was cut off" in _Page(write_report([session])).text


def test_what_the_user_said_of_a_session_is_shown(session: Path) -> None:
    path = session / "session.json"
    said = {"consent": "signed <2 May>", "note": "P07", "baselines": {"1": {"at": 2.0, "offset": [0.1] * 7}}}
    path.write_text(json.dumps(json.loads(path.read_text()) | said))
    text = _Page(write_report([session])).text
    assert "consent signed <2 May> note P07 neutral baseline taken of face 1" in text


def test_session_of_an_older_version(session: Path) -> None:
    path = session / "frames.csv"
    path.write_text("".join(line.rsplit(",", 3)[0] + "\n" for line in path.read_text().splitlines()))
    facts = json.loads((session / "session.json").read_text())
    older = {key: facts[key] for key in ("session_id", "state", "model_card")}
    older["model_card"] = {"name": "older", "labels": older["model_card"]["labels"]}
    (session / "session.json").write_text(json.dumps(older))
    page = _Page(write_report([session]))
    assert "gap not noted" in page.text
    assert "How often the network older is wrong has not been measured." in page.text


def test_several_sessions_share_a_page(
    session: Path, write_session: WriteSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    other = write_session(result(0, 0.0, face()), name="other")
    path = write_report([session, other])
    assert path == Path("report.html")
    page = _Page(path)
    assert "Expressions in 2 sessions" in page.text
    assert page.tags.count("h2") == 2
    assert page.text.count("An expression is not a feeling") == 1


def test_page_that_cannot_be_written_is_named(session: Path, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"page\.html' cannot be written"):
        write_report([session], tmp_path / "nowhere" / "page.html")


def test_marker_after_the_last_row_and_one_without_a_name(write_session: WriteSession) -> None:
    folder = write_session(result(0, 0.0, face()), result(1, 1.0, face()))
    mark(folder, (0.5, ""), (50.0, "end"))
    page = _Page(write_report([folder]))
    assert page.words.count("start") == 1
    assert "50.0" in page.words
