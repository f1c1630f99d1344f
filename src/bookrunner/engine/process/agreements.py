"""Agreements as the process makes them: rendered in the form of their offer, archived and sent."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from bookrunner.adapters import documents
from bookrunner.adapters.documents import AgreementTerms, render_agreement
from bookrunner.books.subscription import Room, Stated, packet_data
from bookrunner.core import clock
from bookrunner.core.errors import ConfigurationError, Refused
from bookrunner.core.ids import new_id
from bookrunner.core.reference import make_reference
from bookrunner.db import Row, Step, Within
from bookrunner.engine.desk import PROCESS, Desk

if TYPE_CHECKING:
    from bookrunner.adapters.documents import Snapshot

PACKET = "packet"
_STATED: Final = frozenset(
    {"every_letter_has_a_glyph", "particular_is_stated", "representative_of_the_profile_signs"}
)
Send = Callable[[Within], Sequence[Step]]


def prepare(
    desk: Desk, room: Room | None, rows: Sequence[Row], *, is_returning: bool = False
) -> Iterator[tuple[Row, str, Send]]:
    """Yield for each of these terms the id of its agreement and the steps that archive and send it.

    Terms of an offer that takes packets are passed over until the investor has asked for its agreement. With
    ``is_returning``, what the investor can correct is not refused: the steps return its application.
    Refuses ``offer_has_a_packet_form`` and what :func:`packet_data` and :meth:`Room.render` refuse; raises
    ConfigurationError when packets are asked for and nobody can set them.
    """
    yield from (_canonical(row) for row in rows if row["agreement_form"] != PACKET)
    asked = [row for row in rows if row["agreement_form"] == PACKET and row["is_asked_for"]]
    if asked and room is None:
        raise ConfigurationError("this process was given no room in which packets are signed")
    for _, of_offer in groupby(asked, key=itemgetter("offering_id")):
        if room is not None:
            yield from _packets(desk, room, list(of_offer), is_returning=is_returning)


def _canonical(row: Row) -> tuple[Row, str, Send]:
    agreement = new_id("agr")
    terms = AgreementTerms(
        offering=row["offering_id"],
        offer_name=row["offer_name"],
        investment=row["investment_id"],
        investor=row["investor_id"],
        profile_digest=bytes(row["detail_digest"]).hex(),
        units=row["units"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        exemption=row["exemption"],
    )
    document = render_agreement(terms)

    def send(within: Within) -> Sequence[Step]:
        archive = within.archive.step(actor=PROCESS, content=document.content, media_type=document.media_type)
        sent = within.send_agreement.step(
            actor=PROCESS,
            offering=row["offering_id"],
            agreement=agreement,
            investment=row["investment_id"],
            units=row["units"],
            amount_minor=row["amount_minor"],
            document_sha256=document.sha256,
        )
        return archive, sent

    return row, agreement, send


def _packets(
    desk: Desk, room: Room, rows: Sequence[Row], *, is_returning: bool
) -> Iterator[tuple[Row, str, Send]]:
    offering = rows[0]["offering_id"]
    form = desk.packets.packet_form(offering=offering)
    if form is None:
        raise Refused("offer_has_a_packet_form", offering)
    investments = [row["investment_id"] for row in rows]
    names = {
        name["investor_id"]: name
        for name in desk.portal.names_on_paper(investors=[row["investor_id"] for row in rows])
    }
    acknowledged = _by_investment(desk.packets.acknowledged(offering=offering, investments=investments))
    particulars = _by_investment(desk.packets.particulars(offering=offering, investments=investments))
    for row in rows:
        investment, agreement = row["investment_id"], new_id("agr")
        said = {each["kind"]: each for each in particulars.get(investment, ())}
        try:
            data = packet_data(
                row,
                names[row["investor_id"]],
                Stated(form, acknowledged.get(investment, ()), said),
                agreement=agreement,
                reference=row["reference"] or make_reference(f"{secrets.randbelow(10**12):012d}"),
                at=clock.now(),
            )
            made = _rendered(room, form["template_id"], data)
        except Refused as refused:
            if not is_returning or not _is_correctable(refused):
                raise
            yield row, agreement, _returning(desk, row, refused)
        else:
            yield row, agreement, _sending(desk, row, agreement, made)


def _rendered(room: Room, template: str, data: Snapshot) -> Mapping[str, object]:
    """Return the arguments of the verb that sends a packet: how it was made, its bytes, its data."""
    rendered, canonical = room.render(template, data)
    packet = {
        "template": rendered.template,
        "template_sha256": rendered.template_sha256,
        "engine_version": rendered.engine_version,
        "pages": rendered.pages,
        "boxes": {name: asdict(box) for name, box in rendered.boxes.items()},
        "reference": data["reference"],
        "units": data["investment"]["units"],
        "amount_minor": data["investment"]["amount_minor"],
        "offer_version": data["offer"]["version"],
        "profile_version": data["investor"]["profile_version"],
        "profile_sha256": data["investor"]["profile_sha256"],
    }
    return {"packet": packet, "content": rendered.content, "data": canonical}


def _sending(desk: Desk, row: Row, agreement: str, made: Mapping[str, object]) -> Send:
    def send(within: Within) -> Sequence[Step]:
        sent = within.using(desk.packets.queries).send_packet.step(
            actor=PROCESS,
            offering=row["offering_id"],
            agreement=agreement,
            investment=row["investment_id"],
            **made,
        )
        return (sent,)

    return send


def _is_correctable(refused: Refused) -> bool:
    """Say whether the investor can mend what was refused by stating something anew."""
    return refused.rule in _STATED or refused.rule in set(documents.SnapshotRule)


def _returning(desk: Desk, row: Row, refused: Refused) -> Send:
    # The detail of these rules is a place and code points, never what was stated there.
    found = {"id": new_id("dfc"), "rule": refused.rule, "words": refused.detail or refused.rule}

    def send(within: Within) -> Sequence[Step]:
        returned = within.using(desk.packets.queries).return_application.step(
            actor=PROCESS, offering=row["offering_id"], investment=row["investment_id"], deficiency=found
        )
        return (returned,)

    return send


def _by_investment(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Gather rows that come in the order of their investments."""
    return {name: list(of_one) for name, of_one in groupby(rows, key=lambda row: str(row["investment_id"]))}
