"""Tax documents: what each recipient was paid in a year, in the boxes of its form, released by two people."""

from bookrunner.engine.life.servicing.taxes.forms import as_csv, as_json, boxes_of
from bookrunner.engine.life.servicing.taxes.run import TaxYears

__all__ = ["TaxYears", "as_csv", "as_json", "boxes_of"]
