"""How the folders of documents are filed: as each was when it was last named with a collection or with labels.

A new file is filed as the innermost of these folders that it lies in, whatever argument led to it. Called by `ingest`
and `plan`; kept in the index, by the folders' places seen from its own, so that all can move together.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ragkit.index.files import real_path
from ragkit.index.filing import Filing

KEY = "filed_folders"
"""Under which they are kept among the facts about the whole index."""


class FiledFolders:
    """The folders that were named with a collection or labels."""

    def __init__(self, index: Path, meta: Mapping[str, Any]):
        """Of the index in a folder, as the facts about it tell.

        Raises:
            ValueError, TypeError: They are not what was written.
        """
        self._index = real_path(index)
        kept: dict[str, Any] = json.loads(meta.get(KEY, "{}"))
        if not isinstance(kept, dict):
            raise TypeError(f"{KEY} is no object")
        self._filings = {self._index / place: Filing.of(name, labels) for place, (name, labels) in kept.items()}
        self._filings = {Path(os.path.normpath(folder)): filing for folder, filing in self._filings.items()}
        self._of_folder: dict[Path, Filing] = {}

    def put(self, folder: Path, collection: str | None, labels: tuple[str, ...] | None) -> None:
        """Files a real folder and all that was filed in it; what is None stays as it is."""
        self._filings[folder] = self.of(folder)
        for other, before in self._filings.items():
            if other.is_relative_to(folder):
                self._filings[other] = before.changed(collection, labels)
        self._of_folder.clear()

    def of(self, folder: Path) -> Filing:
        """How a new file in a real folder is filed; the default where no folder around it was filed."""
        if folder not in self._of_folder:
            around = (self._filings[one] for one in (folder, *folder.parents) if one in self._filings)
            self._of_folder[folder] = next(around, Filing())
        return self._of_folder[folder]

    def to_meta(self) -> dict[str, str | int]:
        """What is kept of them; nothing if there are none."""
        kept = {os.path.relpath(folder, self._index): filing for folder, filing in self._filings.items()}
        listed = {place: (kept[place].collection, kept[place].labels) for place in sorted(kept)}
        return {KEY: json.dumps(listed)} if listed else {}
