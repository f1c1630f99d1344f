"""Bundles for examiners: the records of a period in files that prove themselves."""

from bookrunner.app.examination.bundle import Asked, Bundle, examine

__all__ = ["Asked", "Bundle", "examine"]
