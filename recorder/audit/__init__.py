"""Questions to the ledger, answered as values; read-only."""

from __future__ import annotations

from .budget import Standing, standing
from .comparison import Change, Comparison, compare, difference
from .overview import Overview, overview
from .report import Money, Percentiles, Report, ReportRow, report

__all__ = [
    "Change",
    "Comparison",
    "Money",
    "Overview",
    "Percentiles",
    "Report",
    "ReportRow",
    "Standing",
    "compare",
    "difference",
    "overview",
    "report",
    "standing",
]
