"""Write pain.001.001.09, the customer's credit transfer order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bookrunner.adapters.bank.iso20022.stream import Element
from bookrunner.adapters.bank.payouts.orders import PaymentFile, Payout, check_payouts, uetr_of
from bookrunner.adapters.bank.payouts.xml import (
    add,
    add_account,
    add_all,
    add_amount,
    add_bank,
    document,
    encoded,
    moment,
)
from bookrunner.core.reference import is_valid

MESSAGE: Final = "pain.001.001.09"


def write_pain001(head: PaymentFile, payouts: Sequence[Payout]) -> bytes:
    """Return the order of these payments as one batch, with count and control sum.

    Refuses ``file_has_payouts``, ``payment_id_is_unique``, ``currencies_are_equal`` and
    ``message_fits_schema``.
    """
    total = check_payouts(payouts)
    root = document(MESSAGE)
    order = add(root, "CstmrCdtTrfInitn")
    count = str(len(payouts))
    header = add(order, "GrpHdr")
    add_all(
        header,
        {
            "MsgId": head.file_id,
            "CreDtTm": moment(head.written_at),
            "NbOfTxs": count,
            "CtrlSum": total.format(),
            "InitgPty/Nm": head.debtor.name,
        },
    )
    batch = add(order, "PmtInf")
    add_all(
        batch,
        {
            "PmtInfId": head.file_id,
            "PmtMtd": "TRF",
            "NbOfTxs": count,
            "CtrlSum": total.format(),
            "ReqdExctnDt/Dt": head.pay_on.isoformat(),
            "Dbtr/Nm": head.debtor.name,
        },
    )
    add_account(batch, "DbtrAcct", head.debtor.number)
    add_bank(batch, "DbtrAgt", head.debtor.bank)
    for payout in payouts:
        _add_payment(batch, payout)
    return encoded(root, MESSAGE)


def _add_payment(batch: Element, payout: Payout) -> None:
    payment = add(batch, "CdtTrfTxInf")
    identity = add(payment, "PmtId")
    add(identity, "InstrId", payout.payment_id)
    add(identity, "EndToEndId", payout.payment_id)
    add(identity, "UETR", uetr_of(payout.payment_id))
    add_amount(payment, "Amt/InstdAmt", payout.amount)
    add_bank(payment, "CdtrAgt", payout.creditor.bank)
    add(payment, "Cdtr/Nm", payout.creditor.name)
    add_account(payment, "CdtrAcct", payout.creditor.number)
    if payout.reference is None and payout.text is None:
        return
    remittance = add(payment, "RmtInf")
    structured = payout.reference is not None and is_valid(payout.reference)
    unstructured = (None if structured else payout.reference, payout.text)
    for text in filter(None, unstructured):
        add(remittance, "Ustrd", text)
    if structured:
        reference = add(remittance, "Strd/CdtrRefInf")
        kind = add(reference, "Tp")
        add(kind, "CdOrPrtry/Cd", "SCOR")
        add(kind, "Issr", "ISO")
        add(reference, "Ref", payout.reference)
