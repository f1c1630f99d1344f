"""Write pacs.004.001.10, the return of a Fedwire payment to its sender."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from bookrunner.adapters.bank.payouts.orders import Account, check_amount, check_identity
from bookrunner.adapters.bank.payouts.xml import (
    add,
    add_account,
    add_all,
    add_amount,
    add_bank,
    add_holder,
    document,
    encoded,
    moment,
)
from bookrunner.core.errors import Refused
from bookrunner.core.money import Money

MESSAGE: Final = "pacs.004.001.10"


@dataclass(frozen=True, slots=True, kw_only=True)
class WireReturn:
    """A payment that goes back: what it was, how much of it, why, from whom to whom.

    ``amount`` may be less than the original. ``reason`` is an external code of ISO 20022, such as
    ``AC04``; ``returner`` had received the payment and ``sender`` had made it.
    """

    return_id: str
    written_at: datetime
    settle_on: date
    amount: Money
    reason: str
    returner: Account
    sender: Account
    original_message_id: str
    original_end_to_end_id: str
    original_uetr: str
    original_minor: int | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        """Refuse ids, amounts and times that the network would."""
        check_identity(self.return_id)
        check_amount(self.amount)
        if self.written_at.tzinfo is None:
            raise Refused("file_time_has_zone", "a time without a zone")
        if self.original_minor is not None and self.amount.minor > self.original_minor:
            raise Refused("return_is_within_payment", "more than was paid")


def write_pacs004(order: WireReturn) -> bytes:
    """Return the message; refuses ``message_fits_schema``."""
    root = document(MESSAGE)
    message = add(root, "PmtRtr")
    add_all(
        message_header := add(message, "GrpHdr"),
        {"MsgId": order.return_id, "CreDtTm": moment(order.written_at), "NbOfTxs": "1"},
    )
    settlement = add(message_header, "SttlmInf")
    add_all(settlement, {"SttlmMtd": "CLRG", "ClrSys/Cd": "FDW"})
    payment = add(message, "TxInf")
    add(payment, "RtrId", order.return_id)
    group = add(payment, "OrgnlGrpInf")
    add_all(group, {"OrgnlMsgId": order.original_message_id, "OrgnlMsgNmId": "pacs.008.001.08"})
    add_all(
        payment,
        {"OrgnlEndToEndId": order.original_end_to_end_id, "OrgnlUETR": order.original_uetr},
    )
    add_amount(payment, "RtrdIntrBkSttlmAmt", order.amount)
    add(payment, "IntrBkSttlmDt", order.settle_on.isoformat())
    add_amount(payment, "RtrdInstdAmt", order.amount)
    add(payment, "ChrgBr", "SLEV")
    add_bank(payment, "InstgAgt", order.returner.bank)
    add_bank(payment, "InstdAgt", order.sender.bank)
    chain = add(payment, "RtrChain")
    add_holder(chain, "Dbtr", order.returner)
    add_account(chain, "DbtrAcct", order.returner.number)
    add_bank(chain, "DbtrAgt", order.returner.bank)
    add_bank(chain, "CdtrAgt", order.sender.bank)
    add_holder(chain, "Cdtr", order.sender)
    add_account(chain, "CdtrAcct", order.sender.number)
    reason = add(payment, "RtrRsnInf")
    add_all(reason, {"Rsn/Cd": order.reason, "AddtlInf": order.note})
    return encoded(root, MESSAGE)
