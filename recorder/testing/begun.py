"""What cassette files held when the run began, told to all of its processes."""

from __future__ import annotations

import os
import shutil
import tempfile
from hashlib import blake2b
from pathlib import Path


class Begun:
    """Copies of cassette files, each made before this run first writes to the file.

    The processes of one run share a `folder`, whose owner makes it when the first of them asks, and
    removes it at the end.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder if folder is not None and folder.is_dir() else None
        self._mine = False

    @property
    def folder(self) -> Path:
        if self._folder is None:
            self._folder, self._mine = Path(tempfile.mkdtemp(prefix="recorder-")), True
        return self._folder

    def copy(self, file: Path) -> Path:
        """The copy of a cassette; an empty one where there was no such file."""
        copy = self.folder / blake2b(os.fsencode(file.absolute()), digest_size=16).hexdigest()
        if copy.exists():
            return copy
        made, name = tempfile.mkstemp(dir=self.folder)
        os.close(made)
        try:
            if file.is_file():
                shutil.copyfile(file, name)
            os.link(name, copy)
        except FileExistsError:  # another process was first, and may have written to the file already
            pass
        finally:
            os.unlink(name)
        return copy

    def end(self) -> None:
        """The run is over."""
        if self._mine and self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
