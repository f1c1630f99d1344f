"""What counterparties and investors send, on its way into the books."""

from bookrunner.engine.intake.identity import record_identity
from bookrunner.engine.intake.receipts import fingerprint, import_statement
from bookrunner.engine.intake.wallets import claim_wallet, wallet_challenge

__all__ = ["claim_wallet", "fingerprint", "import_statement", "record_identity", "wallet_challenge"]
