"""The simulated bank: its statements, its book, and the process that speaks files and signed notices."""

from bookrunner.sandbox.bank.statements import Payment, StatementHead, closing_minor, write_statement

__all__ = ["Payment", "StatementHead", "closing_minor", "write_statement"]
