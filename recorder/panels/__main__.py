"""Write the dashboards' JSON anew: `python -m recorder.panels`."""

from __future__ import annotations

from .files import folder, write_made

if __name__ == "__main__":
    write_made(folder())
