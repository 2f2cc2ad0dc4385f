"""Every error that recorder raises.

    Exception
    └── RecorderError
        ├── SettingsError       a setting that cannot be used
        ├── MissingExtra        an optional package is not installed
        ├── WrapError           no httpx or httpx2 client found to wrap
        ├── StoreError
        │   ├── StoreNotFound   nothing was recorded there yet
        │   ├── StoreOutdated   the store is older and must be upgraded first
        │   └── StoreTooNew     the store was written by a newer recorder
        ├── CallNotFound        no call with that id
        ├── PriceError          a price row or a book of them that cannot be used
        ├── CallFileError       a file of calls that cannot be read or written
        ├── BudgetError         a budget that is not there
        ├── DashboardError      a dashboard's file that cannot be written
        └── CassetteError       a cassette that cannot be used
            └── CassetteMissing mode `none`, and there is no such cassette
    BaseException
    └── CassetteMiss            a request that the cassette cannot answer
    UserWarning
    └── RecorderWarning         something about a cassette that somebody asked to be warned of

`CassetteMiss` is no `Exception`, so that no SDK retries it or rewrites it to "Connection error.".
"""

from __future__ import annotations


class RecorderError(Exception):
    """Recorder could not do what was asked."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])


class SettingsError(RecorderError):
    """A setting cannot be used."""


class MissingExtra(RecorderError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; run: pip install 'llm-flight-recorder[{extra}]'")


class WrapError(RecorderError):
    """No httpx or httpx2 client was found to wrap."""


class StoreError(RecorderError):
    """The store cannot be used."""


class StoreNotFound(StoreError):
    """Nothing was recorded in this store yet."""


class StoreOutdated(StoreError):
    """The store is older than this recorder; run `recorder db upgrade`."""


class StoreTooNew(StoreError):
    """The store was written by a newer recorder; upgrade this one."""


class CallNotFound(RecorderError):
    """There is no call with that id."""


class PriceError(RecorderError):
    """A price row cannot be used."""


class CallFileError(RecorderError):
    """A file of calls cannot be read or written."""


class BudgetError(RecorderError):
    """There is no such budget."""


class DashboardError(RecorderError):
    """A dashboard's file cannot be written."""


class CassetteError(RecorderError):
    """The cassette cannot be used."""


class CassetteMissing(CassetteError):
    """There is no such cassette."""


class CassetteMiss(BaseException):
    """The cassette has no answer to this request.

    `respond` asks the transport to answer with a synthetic 409 that carries the text instead.
    """

    def __init__(self, message: str, *, respond: bool = False) -> None:
        super().__init__(message)
        self.respond = respond


class RecorderWarning(UserWarning):
    """A cassette holds recordings that are too old, or that nobody asked for."""


def let_through(error: BaseException) -> None:
    """Mark an error as one of the user's own code, which nobody of us swallows."""
    BaseException.__setattr__(error, _MARK, True)


def is_let_through(error: BaseException | None) -> bool:
    """Whether an error is marked so."""
    return getattr(error, _MARK, False) is True


_MARK = "_recorder_lets_through"
