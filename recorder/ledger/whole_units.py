"""Times in whole hours, days and seconds, counted down, also before 1970, where a clock that is wrong may stand."""

from __future__ import annotations

from sqlalchemy import ColumnElement, case, literal_column


def whole(time_us: ColumnElement[int], unit_us: int) -> ColumnElement[int]:
    """How many whole units a time is after 1970: SQL drops the fraction, which would put two units into one."""
    floor = case((time_us < 0, time_us - literal_column(str(unit_us - 1))), else_=time_us)
    return floor.op("/", return_type=time_us.type)(literal_column(str(unit_us)))
