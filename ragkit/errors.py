"""Every exception that ragkit raises on purpose.

RagkitError
├── InputError                 the caller gave something that cannot be used
│   ├── QuestionError          an empty or far too long question
│   ├── SettingsError          a settings file or value that is not valid
│   ├── GoldError              gold questions that do not fit their documents
│   └── NothingIndexedError    not one file could be indexed
├── DocumentError              one document cannot be read (the others still can)
├── IndexStateError            the index on disk cannot be used as asked
│   ├── IndexNotFoundError     there is none in that folder
│   ├── IndexVersionError      it was written by another version of the format
│   ├── IndexMismatchError     it was built with another embedder or other settings
│   ├── IndexCorruptError      a checksum differs, a file is missing or half-written
│   └── IndexLockedError       another process is writing to it
├── StorageError               the disk refused: full, read-only, unreadable
└── ModelError                 a model cannot be used
    ├── ModelNotFoundError     nothing of that name here, and no network to fetch it
    ├── WeightsError           a weight file is missing or its hash differs
    └── ServerError            a model server is down, too slow, or answers garbage

Each message is one line that says what happened, with which value, and what to do about it. The command line prints
that line and exits with 2.
"""


class RagkitError(Exception):
    """Anything ragkit raises on purpose."""


class InputError(RagkitError):
    """The caller gave something that cannot be used."""


class QuestionError(InputError):
    """An empty or far too long question."""


class SettingsError(InputError):
    """A settings file or value that is not valid."""


class GoldError(InputError):
    """Gold questions that do not fit their documents."""


class NothingIndexedError(InputError):
    """Not one file could be indexed."""


class DocumentError(RagkitError):
    """One document cannot be read; the others still can."""


class IndexStateError(RagkitError):
    """The index on disk cannot be used as asked."""


class IndexNotFoundError(IndexStateError):
    """There is no index in that folder."""


class IndexVersionError(IndexStateError):
    """The index was written by another version of the format."""


class IndexMismatchError(IndexStateError):
    """The index was built with another embedder or other settings."""


class IndexCorruptError(IndexStateError):
    """A checksum differs, a file is missing or half-written."""


class IndexLockedError(IndexStateError):
    """Another process is writing to the index."""


class StorageError(RagkitError):
    """The disk refused: full, read-only or unreadable."""


class ModelError(RagkitError):
    """A model cannot be used."""


class ModelNotFoundError(ModelError):
    """Nothing of that name is here, and it could not be fetched."""


class WeightsError(ModelError):
    """A weight file is missing or its hash differs."""


class ServerError(ModelError):
    """A model server is down, too slow, or answers garbage."""
