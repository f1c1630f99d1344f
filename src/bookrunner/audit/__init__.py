"""The proof: seals over the event chains, an export, and a verifier that needs no database."""

from bookrunner.audit.certificate import verify_certificate
from bookrunner.audit.errors import FileUnusable, HistoryRule
from bookrunner.audit.export import ExportSummary, HistoryWriter, export_history, write_verifier
from bookrunner.audit.sealer import Seal, advance_feed, seal
from bookrunner.audit.verify import Verdict, verify_export, verify_history
from bookrunner.audit.walk import Fault

__all__ = [
    "ExportSummary",
    "Fault",
    "FileUnusable",
    "HistoryRule",
    "HistoryWriter",
    "Seal",
    "Verdict",
    "advance_feed",
    "export_history",
    "seal",
    "verify_certificate",
    "verify_export",
    "verify_history",
    "write_verifier",
]
