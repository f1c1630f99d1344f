"""A table as an XLSX workbook whose cells are text, numbers and nothing that runs."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from bookrunner.core.errors import Refused

# A sheet ends here; a number with more digits is kept as text, for a spreadsheet would round it.
_MOST_ROWS: Final = 1_048_575
_EXACT: Final = 10**15
_LONGEST: Final = 32_767


def as_xlsx(lines: Sequence[Mapping[str, Any]], made_at: datetime) -> bytes:
    """Return lines as a workbook with a head; each text is written as text, so that none is a formula.

    Refuses ``list_fits_a_sheet`` for more rows than a sheet has, or a longer text than a cell holds.
    """
    if len(lines) > _MOST_ROWS:
        raise Refused("list_fits_a_sheet", f"{len(lines)} rows are more than a sheet has; narrow the filter")
    # Whoever takes out no list does not wait for the library.
    import xlsxwriter

    room = io.BytesIO()
    book = xlsxwriter.Workbook(room, {"in_memory": True})
    book.set_properties({"created": made_at.astimezone(UTC).replace(tzinfo=None)})
    sheet = book.add_worksheet("list")
    names = list(dict.fromkeys(name for line in lines for name in line))
    for column, name in enumerate(names):
        sheet.write_string(0, column, name)
    for place, line in enumerate(lines, start=1):
        for column, name in enumerate(names):
            _write(sheet, (place, column), line.get(name))
    sheet.freeze_panes(1, 0)
    book.close()
    return room.getvalue()


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
