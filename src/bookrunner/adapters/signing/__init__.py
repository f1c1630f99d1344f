"""Signatures: proofs of intent, PAdES files with their checks, and the port of e-sign providers.

What needs a large library is imported at its first use, so that a command answers fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from bookrunner.adapters.signing.proofs import Proof, signed, verify

if TYPE_CHECKING:
    from bookrunner.adapters.signing.authority import SandboxAuthority, Trust
    from bookrunner.adapters.signing.ceremony import (
        Authority,
        Ceremony,
        Envelope,
        Party,
        Signed,
        envelope_for,
    )
    from bookrunner.adapters.signing.execution import (
        ExecutionRule,
        Expected,
        ExpectedSigner,
        Verdict,
        inspect_signed,
        verify_executed,
        verify_investor_signed,
        verify_partly_signed,
    )
    from bookrunner.adapters.signing.local import LocalProvider
    from bookrunner.adapters.signing.provider import (
        EnvelopeEvent,
        Fetched,
        Notice,
        SigningProvider,
        accept_executed,
        accept_signed,
    )
    from bookrunner.adapters.signing.simulated import SimulatedProvider
    from bookrunner.adapters.signing.timestamps import SandboxTimeStamper

__all__ = [
    "Authority",
    "Ceremony",
    "Envelope",
    "EnvelopeEvent",
    "ExecutionRule",
    "Expected",
    "ExpectedSigner",
    "Fetched",
    "LocalProvider",
    "Notice",
    "Party",
    "Proof",
    "SandboxAuthority",
    "SandboxTimeStamper",
    "Signed",
    "SigningProvider",
    "SimulatedProvider",
    "Trust",
    "Verdict",
    "accept_executed",
    "accept_signed",
    "envelope_for",
    "inspect_signed",
    "signed",
    "verify",
    "verify_executed",
    "verify_investor_signed",
    "verify_partly_signed",
]

_HOMES: Final = {
    "Authority": "ceremony",
    "Ceremony": "ceremony",
    "Envelope": "ceremony",
    "EnvelopeEvent": "provider",
    "ExecutionRule": "execution",
    "Expected": "execution",
    "ExpectedSigner": "execution",
    "Fetched": "provider",
    "LocalProvider": "local",
    "Notice": "provider",
    "Party": "ceremony",
    "SandboxAuthority": "authority",
    "SandboxTimeStamper": "timestamps",
    "Signed": "ceremony",
    "SigningProvider": "provider",
    "SimulatedProvider": "simulated",
    "Trust": "authority",
    "Verdict": "execution",
    "accept_executed": "provider",
    "accept_signed": "provider",
    "envelope_for": "ceremony",
    "inspect_signed": "execution",
    "verify_executed": "execution",
    "verify_investor_signed": "execution",
    "verify_partly_signed": "execution",
}


def __getattr__(name: str) -> object:
    """Return a public name from the module that holds it."""
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
