"""A table as an XLSX workbook whose cells are text, numbers and nothing that runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bookrunner.core.errors import Refused

# A sheet ends here; a number with more digits is kept as text, for a spreadsheet would round it.
MOST_ROWS: Final = 1_048_575
_EXACT: Final = 10**15
_LONGEST: Final = 32_767


class Sheet:
    """Writes a head of names and then line after line, of which one is in memory, as a workbook.

    Each text is written as text, so that none is a formula. ``made_at`` is all that says when.
    """

    def __init__(self, path: Path, names: Sequence[str], made_at: datetime) -> None:
        # Whoever takes out no list does not wait for the library.
        import xlsxwriter

        how = {"constant_memory": True, "tmpdir": str(path.parent)}
        self._book = xlsxwriter.Workbook(str(path), how)
        self._book.set_properties({"created": made_at.astimezone(UTC).replace(tzinfo=None)})
        self._sheet = self._book.add_worksheet("list")
        self._names, self._place = names, 0
        self._sheet.freeze_panes(1, 0)
        for column, name in enumerate(names):
            self._sheet.write_string(0, column, name)

    def add(self, line: Mapping[str, Any]) -> None:
        """Write one line; refuses ``list_fits_a_sheet`` for a row or a text that a sheet has no room for."""
        if self._place == MOST_ROWS:
            raise Refused("list_fits_a_sheet", f"a sheet has {MOST_ROWS} rows; narrow the filter")
        self._place += 1
        for column, name in enumerate(self._names):
            _write(self._sheet, (self._place, column), line.get(name))

    def close(self) -> None:
        """Write the workbook to its path."""
        self._book.close()


def _write(sheet: Any, at: tuple[int, int], value: object) -> None:  # noqa: ANN401 - the library has no types
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(*at, value)
        return
    if isinstance(value, int) and abs(value) < _EXACT:
        sheet.write_number(*at, value)
        return
    text = value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)
    if len(text) > _LONGEST:
        raise Refused("list_fits_a_sheet", f"a text of {len(text)} letters fits no cell")
    sheet.write_string(*at, text)
