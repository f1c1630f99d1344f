"""What counterparties and investors send, on its way into the books."""

from bookrunner.engine.intake.identity import record_identities
from bookrunner.engine.intake.receipts import fingerprint, import_statement
from bookrunner.engine.intake.wallets import wallet_challenge, wallet_claim

__all__ = ["fingerprint", "import_statement", "record_identities", "wallet_challenge", "wallet_claim"]
