"""Signatures: proofs of intent, PAdES files with their checks, and the port of e-sign providers."""

from __future__ import annotations

from bookrunner.adapters.signing.proofs import Proof, signed, verify

__all__ = ["Proof", "signed", "verify"]
