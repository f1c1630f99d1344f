"""The statement of a holding: one page that says what the register has, with its lots and legends."""

from __future__ import annotations

from bookrunner.adapters.documents.render import Rendered, render
from bookrunner.adapters.documents.snapshot import Snapshot, check_letters, check_shape
from bookrunner.adapters.documents.template import Template, read_clause
from bookrunner.adapters.documents.typesetter import Typesetter


def render_statement(template: Template, data: Snapshot, typesetter: Typesetter) -> Rendered:
    """Return the statement of one holding at the end of a day as PDF/A-2b.

    ``data`` has the shape in the template's ``schema.json``; the same data always gives the same bytes.
    Refuses what :func:`check_letters`, :func:`check_shape` and :func:`render` refuse.
    """
    check_letters(data)
    check_shape(template, data)
    summary = [
        ("Offer", f"{data['offer_name']} ({data['offer']})"),
        ("Holding", data["holding"]),
        ("Holder", data["holder"]),
        ("Units held", data["units"]),
        ("At the end of", data["day"]),
        ("Read from the register at", data["as_of"]),
        ("Digest of the registration", data["registration"]),
    ]
    packet = {
        "title": template.about["title"],
        "summary": summary,
        "lots": data["lots"],
        "statement": read_clause(template.clause("statement"), {}),
    }
    return render(template, data, typesetter, packet=packet, summary=summary)
