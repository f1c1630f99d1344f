"""Bundles for examiners, and kits to leave with: records in files that prove themselves."""

from bookrunner.app.examination.bundle import Asked, Bundle, examine
from bookrunner.app.examination.kit import take_kit
from bookrunner.app.examination.reading import Kit
from bookrunner.app.examination.rebuilding import Difference, compare_kit, open_kit, rebuild

__all__ = [
    "Asked",
    "Bundle",
    "Difference",
    "Kit",
    "compare_kit",
    "examine",
    "open_kit",
    "rebuild",
    "take_kit",
]
