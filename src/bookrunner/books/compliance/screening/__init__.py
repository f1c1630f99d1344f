"""Who is screened by what, and the work of screening them against the lists in force."""

from bookrunner.books.compliance.screening.desk import WALLET, BirthDates, ScreeningDesk
from bookrunner.books.compliance.screening.lists import Update, refuse_list, take_list
from bookrunner.books.compliance.screening.particulars import Particulars, record_particulars

__all__ = [
    "WALLET",
    "BirthDates",
    "Particulars",
    "ScreeningDesk",
    "Update",
    "record_particulars",
    "refuse_list",
    "take_list",
]
