from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from training.explore import main

_VOID = {"meta", "img", "link", "br", "hr", "input"}


class Page(HTMLParser):
    """Checks that elements are closed in order; keeps the text and all pictures by their alternative text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.pictures: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []
        self.text = " ".join(" ".join(self.words).replace("\N{NO-BREAK SPACE}", " ").split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in _VOID:
            self.open.append(tag)
        if tag == "img":
            values = dict(attrs)
            self.pictures.append((values["alt"] or "", values["src"] or ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)


def decoded(source: str) -> Any:
    kind, _, content = source.partition(",")
    assert kind == "data:image/png;base64"
    return cv2.imdecode(np.frombuffer(base64.b64decode(content), np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.fixture
def page_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def make(*options: str) -> tuple[Page, str]:
        out = tmp_path / "made" / "page.html"
        assert main([*options, "--out", str(out)]) == 0
        assert capsys.readouterr().out == f"written: {out}\n"
        text = out.read_text(encoding="utf-8")
        return Page(text), text

    return make


def test_page_needs_nothing_else(page_of: Any, trained: Any, votes_path: Path) -> None:
    page, text = page_of("--data", str(trained.data), "--votes", str(votes_path))
    assert text.startswith("<!doctype html>")
    assert not page.tags & {"script", "link", "iframe"}
    assert not re.search(r"https?:|@import|url\(", text)
    assert "prefers-color-scheme: dark" in text
    assert "None" not in page.text and "nan" not in page.text


def test_figures_are_those_of_the_data(page_of: Any, trained: Any, votes_path: Path) -> None:
    page, _ = page_of("--data", str(trained.data), "--votes", str(votes_path))
    assert "98 rows, 48" in page.text
    assert "Pictures that stand in several rows, pixel for pixel: 1, in 3 rows." in page.text
    assert "nearly the same: 0, mirrored 0, with different labels 0." in page.text
    assert "PublicTest Training 1 3.6 % 0 0.0 %" in page.text
    assert "PrivateTest Training 1 7.1 % 0 0.0 %" in page.text
    assert "Pictures whose rows have different labels: 0, in 0 rows." in page.text
    assert "Training 56 100.0 %" in page.text
    assert page.text.count("For training:") == 8


def test_without_votes_nothing_is_said_of_them(page_of: Any, trained: Any) -> None:
    page, _ = page_of("--data", str(trained.data))
    assert "FER+" not in page.text


def test_pictures_show_the_faces(page_of: Any, trained: Any) -> None:
    page, _ = page_of("--data", str(trained.data))
    names = [text for text, _ in page.pictures]
    labels = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
    assert names == labels * 2
    mean, samples = (decoded(page.pictures[place][1]) for place in (0, 7))
    # Eight Training faces of a class, with gaps that can be seen through.
    assert (mean.shape, samples.shape) == ((48, 48, 4), (48, 8 * 50 - 2, 4))
    assert (samples[:, 48:50, 3] == 0).all() and (samples[:, :48, 3] == 255).all()
    # Angry is a bright bar at the top.
    assert mean[:8, :, 0].mean() > mean[8:, :, 0].mean() + 80


def test_planted_rows_are_shown(page_of: Any, write_csv: Any, rows: list[Any], tmp_path: Path) -> None:
    label, image, usage = rows[3]
    rows += [((label + 1) % 7, image, usage), (label, image[:, ::-1], usage), (0, image * 0, usage)]
    path = tmp_path / "fer2013.csv"
    path.write_text(write_csv(rows))
    page, _ = page_of("--data", str(path))
    names = [text for text, _ in page.pictures]
    assert "Training 3 (happy), Training 57 (happy), r = 1.000" in names
    assert "Training 3 (happy), Training 56 (sad)" in names
    assert "Plain rows, whose pixels are all the same: 1, black 1. They are Training 58 (angry)." in page.text
    assert "different labels: 1, in 2 rows, plain ones included." in page.text
    assert "any network calls at least 1 of these rows wrong, 0.99 % of all" in page.text
    assert "nearly the same: 1, mirrored 1, with different labels 0." in page.text


def test_same_page_every_time(page_of: Any, trained: Any) -> None:
    assert page_of("--data", str(trained.data))[1] == page_of("--data", str(trained.data))[1]


def test_validation_that_was_drawn_is_told(page_of: Any, write_csv: Any, faces: Any, tmp_path: Path) -> None:
    images, labels = faces(10, 4)
    path = tmp_path / "train.csv"
    path.write_text(write_csv([(int(label), image, "Training") for image, label in zip(images, labels, strict=True)]))
    page, _ = page_of("--data", str(path))
    assert "the tenth of Training that training.fit sets aside" in page.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data", "{tmp}/none.csv"], "There is no FER2013 at '.*none.csv'"),
        (["--data", "{data}", "--votes", "{tmp}/none.csv"], "There is no file '.*none.csv'"),
        (["--data", "{data}", "--votes", "{data}"], "without anger, disgust"),
        (["--data", "{data}", "--out", "{data}/page.html"], "Choose another --out"),
    ],
)
def test_bad_input_ends_with_one_sentence(
    trained: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    asked = [option.format(tmp=tmp_path, data=trained.data) for option in options]
    out = [] if "--out" in asked else ["--out", str(tmp_path / "page.html")]
    assert main([*asked, *out]) == 2
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if line.startswith("error: ")]
    assert captured.out == "" and len(lines) == 1 and "Traceback" not in captured.err
    assert re.search(message, lines[0])
    assert not (tmp_path / "page.html").exists()
