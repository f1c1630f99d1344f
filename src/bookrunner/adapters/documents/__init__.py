"""Documents that people sign, made so that the same data always gives the same bytes."""

from __future__ import annotations

from bookrunner.adapters.documents.terms import AgreementTerms, Document, render_agreement

__all__ = ["AgreementTerms", "Document", "render_agreement"]
