"""A solved camera for other programs: one module a format, one table of them."""

from trackcore.exports.records import load_solve
from trackcore.exports.table import FORMATS, Format, export_solve

__all__ = ["FORMATS", "Format", "export_solve", "load_solve"]
