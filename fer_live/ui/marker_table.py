"""The markers of a session, to be changed."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt, pyqtBoundSignal, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from fer_live.ui.clock import clock_text
from fer_live.ui.keys import printed
from fer_live.ui.translation import origin_word

_TIME, _NAME, _ORIGIN = range(3)
_ID = Qt.ItemDataRole.UserRole


class MarkerTable(QWidget):
    """Only asks for changes: who owns the markers shows them again.

    add_wanted(): a marker at the chosen time. rename_wanted(int, str), move_wanted(int), delete_wanted(int): by id,
    move to the chosen time. picked(int): a marker was chosen.
    """

    add_wanted = pyqtSignal()
    rename_wanted = pyqtSignal(int, str)
    move_wanted = pyqtSignal(int)
    delete_wanted = pyqtSignal(int)
    picked = pyqtSignal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table = _Table(0, 3)
        self._table.setAccessibleName(self.tr("Markers of the session"))
        self._table.setHorizontalHeaderLabels([self.tr("Time"), self.tr("Marker"), self.tr("Origin")])
        self._table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self._table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        triggers = QAbstractItemView.EditTrigger
        self._table.setEditTriggers(triggers.DoubleClicked | triggers.EditKeyPressed)
        # Tab goes on to the buttons.
        self._table.setTabKeyNavigation(False)
        self._table.setToolTip(self.tr("Double click or F2: another name"))
        header, numbers = self._table.horizontalHeader(), self._table.verticalHeader()
        assert header is not None
        assert numbers is not None
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        numbers.hide()
        self._table.itemChanged.connect(self._rename)
        self._table.itemSelectionChanged.connect(self._pick)
        row = QHBoxLayout()
        self._add = self._button(row, self.tr("Add"), self.tr("A marker at the chosen time (M)"))
        self._move = self._button(row, self.tr("Move here"), self.tr("Moves the marker to the chosen time"))
        tip = self.tr("Deletes the marker ({key}); {undo} takes it back")
        self._delete = self._button(
            row, self.tr("Delete"), tip.format(key=printed("Del"), undo=printed("Ctrl+Z"))
        )
        row.addStretch()
        self._add.clicked.connect(self.add_wanted)
        self._move.clicked.connect(lambda: self._ask(self.move_wanted))
        self._delete.clicked.connect(lambda: self._ask(self.delete_wanted))
        key = QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), self._table)
        key.setContext(Qt.ShortcutContext.WidgetShortcut)
        key.activated.connect(lambda: self._ask(self.delete_wanted))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._table)
        column.addLayout(row)
        self._pick()

    def show_markers(self, markers: Sequence[tuple[int, float, str, str]]) -> None:
        """Fills the table: id, time in s, name, origin; the marker that was chosen stays so."""
        chosen = self._chosen()
        self._table.blockSignals(True)
        self._table.setRowCount(len(markers))
        for row, (marker_id, at_s, name, origin) in enumerate(markers):
            for column, text in ((_TIME, clock_text(at_s)), (_NAME, name), (_ORIGIN, origin_word(origin))):
                item = QTableWidgetItem(text)
                item.setData(_ID, marker_id)
                if column != _NAME:
                    item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
                self._table.setItem(row, column, item)
        self._table.clearSelection()
        self._table.setCurrentCell(-1, -1)
        if chosen in (ids := [marker[0] for marker in markers]):
            self._table.selectRow(ids.index(chosen))
        self._table.blockSignals(False)
        self._enable()

    def edit(self, marker_id: int) -> None:
        """Chooses a marker and lets its name be typed."""
        for row in range(self._table.rowCount()):
            item = self._table.item(row, _NAME)
            if item is not None and item.data(_ID) == marker_id:
                self._table.setCurrentItem(item)
                self._table.setFocus()
                self._table.editItem(item)

    def end_editing(self) -> None:
        """Takes over a name that is being typed; no marker is chosen any more."""
        self._table.setCurrentCell(-1, -1)

    def _button(self, row: QHBoxLayout, title: str, tip: str) -> QPushButton:
        button = QPushButton(title)
        button.setToolTip(tip)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row.addWidget(button)
        return button

    def _chosen(self) -> int | None:
        item = self._table.item(self._table.currentRow(), _NAME)
        return None if item is None else item.data(_ID)

    def _ask(self, wanted: pyqtBoundSignal) -> None:
        marker_id = self._chosen()
        if marker_id is not None:
            wanted.emit(marker_id)

    def _pick(self) -> None:
        self._enable()
        self._ask(self.picked)

    def _enable(self) -> None:
        for button in (self._move, self._delete):
            button.setEnabled(self._chosen() is not None)

    def _rename(self, item: QTableWidgetItem) -> None:
        self.rename_wanted.emit(item.data(_ID), item.text())


class _Table(QTableWidget):
    """Leaves the single keys to the window, for which it would else search."""

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        if event is not None and event.text():
            event.ignore()
        else:
            super().keyPressEvent(event)
