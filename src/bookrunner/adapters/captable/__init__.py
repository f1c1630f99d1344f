"""Registers as open files: packages of the Open Cap Table Format, each object held against its shape."""

from bookrunner.adapters.captable.objects import ENDINGS, OCF_VERSION, Fault, check_object
from bookrunner.adapters.captable.package import Item, Package, read_package, write_package

__all__ = [
    "ENDINGS",
    "OCF_VERSION",
    "Fault",
    "Item",
    "Package",
    "check_object",
    "read_package",
    "write_package",
]
