"""Settlements of institutions' escrow, heard once each."""

from __future__ import annotations

from datetime import timedelta

from bookrunner.adapters.identity import VerifiedMessage
from bookrunner.adapters.payments import SettlementNotice
from bookrunner.core import clock
from bookrunner.core.errors import Malformed, Refused
from bookrunner.core.log import tell, warn
from bookrunner.engine.desk import Desk

CLOCKS_DIFFER_BY = timedelta(minutes=5)
_SAID = {
    "settled": "a settlement is confirmed",
    "known": "a settlement came again",
    "contradicted": "a settlement came with another body",
    "unclaimed": "a settlement names no allocation",
    "unfit": "a settlement has another amount",
}
_BROKEN = {
    "unclaimed": ("settled_allocation_is_known", "no allocation of ours has that name"),
    "unfit": ("settlement_fits_its_allocation", "the allocation has another amount or currency"),
}


def hear_settlement(
    desk: Desk, message: VerifiedMessage, told: tuple[SettlementNotice, bytes], *, sender: str
) -> str:
    """Carry a verified settlement out with its body; return ``settled``, or ``known`` when it came before.

    Refuses ``settlement_has_happened``; after an alarm was committed ``message_id_has_one_body``,
    ``settled_allocation_is_known`` and ``settlement_fits_its_allocation``; and, keeping nothing, what the
    allocation's machine refuses, so that the sender may repeat a message that came too early.
    """
    notice, body = told
    if notice.settled_at > clock.now() + CLOCKS_DIFFER_BY:
        raise Refused("settlement_has_happened", "the settlement is dated in the future")
    logged = {"message_id": message.id, "key_id": message.key_id, "sha256": message.signature_digest}
    try:
        result: str = desk.treasury.confirm_settlement(
            actor=f"provider:{sender}",
            request=message.id,
            message=message.id,
            key_id=message.key_id,
            signature_sha256=bytes.fromhex(message.signature_digest),
            body=body,
            notice={
                "offering": notice.offering,
                "allocation": notice.allocation,
                "amount": notice.amount_minor,
                "currency": notice.currency,
                "settled_at": notice.settled_at.isoformat(),
            },
        )
    except Refused as refused:
        warn("a settlement is refused", rule=refused.rule, **logged)
        raise
    say = tell if result in {"settled", "known"} else warn
    say(_SAID[result], subject=notice.allocation, offering=notice.offering, **logged)
    if result == "contradicted":
        raise Malformed("message_id_has_one_body", "the message came before with another body")
    if result in _BROKEN:
        raise Refused(*_BROKEN[result])
    return result
