"""'Look neutral for 3 seconds': takes and removes the neutral baseline of the selected face."""

from __future__ import annotations

import math

from PyQt6.QtCore import QObject

from fer_live.errors import BaselineError
from fer_live.ui.banner import Banner, Tone, Until
from fer_live.ui.controller import LiveController
from fer_live.ui.live_page import LivePage


class NeutralLook(QObject):
    """What key, button and banner do about the baselines of the running session."""

    def __init__(self, controller: LiveController, banner: Banner, page: LivePage, parent: QObject) -> None:
        super().__init__(parent)
        self._controller, self._banner, self._page = controller, banner, page
        page.face_panel.baseline_wanted.connect(self.take)
        page.face_panel.baseline_unwanted.connect(self._remove)

    def take(self) -> None:
        """Begins with the selected face; gives up one that has begun. Does nothing without a face."""
        session, face_id = self._controller.session, self._page.selection.face_id
        if session is None:
            return
        if session.baselines.taking() is not None:
            self._cancel()
        elif face_id is not None:
            try:
                session.take_baseline(face_id)
            except BaselineError as error:
                self._banner.show_message(str(error), Tone.WARNING, Until.CLOSED)

    def show(self) -> bool:
        """Shows how it stands, to be called several times a second; True while the banner is needed for that."""
        session = self._controller.session
        if session is None:
            return False
        try:
            baseline = session.finish_baseline()
        except BaselineError as error:
            self._banner.show_message(str(error), Tone.WARNING, Until.CLOSED)
            return True
        self._page.face_panel.show_baseline(session.baselines.has(self._page.selection.face_id))
        if baseline is not None:
            self._banner.show_news(self.tr("Neutral baseline of face {id} taken.").format(id=baseline.face_id))
            return True
        taking = session.baselines.taking()
        if taking is not None:
            text = self.tr("Face {id}: look neutral for {seconds} s").format(
                id=taking.face_id, seconds=max(1, math.ceil(taking.left_s))
            )
            self._banner.show_message(text, Tone.INFO, Until.OVER, [(self.tr("Cancel"), self._cancel)])
        return taking is not None

    def _cancel(self) -> None:
        if self._controller.session is not None:
            self._controller.session.baselines.cancel()
        self._banner.end_state()

    def _remove(self) -> None:
        session, face_id = self._controller.session, self._page.selection.face_id
        if session is not None and face_id is not None:
            session.remove_baseline(face_id)
