"""What counterparts send: identity messages and bank statements, on their way into the books."""

from bookrunner.engine.intake.identity import record_identities
from bookrunner.engine.intake.receipts import fingerprint, import_statement

__all__ = ["fingerprint", "import_statement", "record_identities"]
