"""What counterparties and investors send, on its way into the books."""

from bookrunner.engine.intake.deposits import Deposits, Watched
from bookrunner.engine.intake.identity import ask_identity, receive_identity, record_identities
from bookrunner.engine.intake.lists import ListFolder, Word, update_lists
from bookrunner.engine.intake.outgoing import import_returns
from bookrunner.engine.intake.payments import hear_payment
from bookrunner.engine.intake.receipts import fingerprint, import_statement, post_statement
from bookrunner.engine.intake.screening import Screening
from bookrunner.engine.intake.signatures import hear_signature, look_at_envelopes
from bookrunner.engine.intake.trades import hear_trade
from bookrunner.engine.intake.transfers import TokenWatch
from bookrunner.engine.intake.wallets import (
    ask_contract,
    asked_again,
    challenge_facts,
    prove_again,
    wallet_challenge,
    wallet_proof,
)

__all__ = [
    "Deposits",
    "ListFolder",
    "Screening",
    "TokenWatch",
    "Watched",
    "Word",
    "ask_contract",
    "ask_identity",
    "asked_again",
    "challenge_facts",
    "fingerprint",
    "hear_payment",
    "hear_signature",
    "hear_trade",
    "import_returns",
    "import_statement",
    "look_at_envelopes",
    "post_statement",
    "prove_again",
    "receive_identity",
    "record_identities",
    "update_lists",
    "wallet_challenge",
    "wallet_proof",
]
