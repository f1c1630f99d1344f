"""Notices of payment providers, heard once each; what they say waits for the bank statement."""

from __future__ import annotations

from datetime import timedelta

from bookrunner.adapters.identity import VerifiedMessage
from bookrunner.adapters.payments import PaymentNotice
from bookrunner.core import clock
from bookrunner.core.errors import Malformed, Refused
from bookrunner.core.log import tell, warn
from bookrunner.engine.desk import Desk

CLOCKS_DIFFER_BY = timedelta(minutes=5)
_SAID = {
    "kept": "a payment notice is kept",
    "known": "a payment notice came again",
    "unclaimed": "a payment notice names no payment",
    "contradicted": "a payment notice came with another body",
}


def hear_payment(
    desk: Desk, provider: str, message: VerifiedMessage, told: tuple[PaymentNotice, bytes]
) -> str:
    """Keep a verified notice with its body; return ``kept``, ``known`` or ``unclaimed``.

    A notice that names no payment of ours raises an alarm and is kept in the inbox. Refuses
    ``message_id_has_one_body``, after an alarm and a refusal were committed, and
    ``payment_notice_has_happened``.
    """
    notice, body = told
    if notice.happened_at > clock.now() + CLOCKS_DIFFER_BY:
        raise Refused("payment_notice_has_happened", "the notice is dated in the future")
    result: str = desk.treasury.hear_payment(
        actor=f"provider:{provider}",
        request=message.id,
        provider=provider,
        message=message.id,
        key_id=message.key_id,
        body=body,
        notice={
            "offering": notice.offering,
            "payment": notice.payment,
            "status": notice.status.value,
            "amount": notice.amount_minor,
            "currency": notice.currency,
            "rail": notice.rail,
            "code": notice.code,
            "happened_at": notice.happened_at.isoformat(),
        },
    )
    say = tell if result in {"kept", "known"} else warn
    say(_SAID[result], message_id=message.id, key_id=message.key_id, source=provider)
    if result == "contradicted":
        raise Malformed("message_id_has_one_body", "the message came before with another body")
    return result
