"""Recordings of other tools: read into exchanges, carried over into cassettes, or replayed where they lie."""

from .drift import Drifted, DriftReport, Watch, drift
from .formats import FORMATS, NoCassette, import_file
from .imported import Imported, Note
from .summary import Summary
from .tree import import_tree
from .vcr_config import VcrConfig, VcrRegistry, vcr_config
from .vcr_tree import VcrCassette, cassette_name
from .vcr_use import VCR, vcr_cassette

__all__ = [
    "FORMATS",
    "VCR",
    "DriftReport",
    "Drifted",
    "Imported",
    "NoCassette",
    "Note",
    "Summary",
    "VcrCassette",
    "VcrConfig",
    "VcrRegistry",
    "Watch",
    "cassette_name",
    "drift",
    "import_file",
    "import_tree",
    "vcr_cassette",
    "vcr_config",
]
