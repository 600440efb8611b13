"""The tables of an index's database, and the numbers by which a file tells that it is one.

A document that changed or left stays in its tables, dead, for as long as an earlier generation that holds it is kept:
`lives` says in which generations each document lived, and so do `copies`. Only what lives has a row in `keywords` and a
vector in FAISS.
Used by `store`, `folder` and `migration`.
"""

from ragkit.index.keywords import KEYWORDS_TABLE

SCHEMA_VERSION = 2
APPLICATION_ID = int.from_bytes(b"ragk", "big")

SCHEMA = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL,
    document_id TEXT NOT NULL,
    collection TEXT NOT NULL,
    labels TEXT NOT NULL,
    reader TEXT NOT NULL,
    location TEXT NOT NULL,
    root TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    is_live INTEGER NOT NULL,
    text TEXT NOT NULL,
    checksum BLOB NOT NULL
);
CREATE UNIQUE INDEX live_documents ON documents (path) WHERE is_live;
CREATE INDEX documents_by_content ON documents (document_id);
CREATE TABLE copies (
    path TEXT NOT NULL,
    document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    location TEXT NOT NULL,
    root TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    born INTEGER NOT NULL,
    died INTEGER,
    PRIMARY KEY (path, born)
) WITHOUT ROWID;
CREATE INDEX copies_by_document ON copies (document);
CREATE TABLE facts (
    document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    is_own INTEGER NOT NULL,
    PRIMARY KEY (document, number)
) WITHOUT ROWID;
CREATE TABLE labels (
    document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    label TEXT NOT NULL,
    PRIMARY KEY (document, label)
) WITHOUT ROWID;
CREATE TABLE paragraphs (
    document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    number INTEGER NOT NULL,
    start INTEGER NOT NULL,
    stop INTEGER NOT NULL,
    kind TEXT NOT NULL,
    headings TEXT NOT NULL,
    page INTEGER,
    place TEXT NOT NULL,
    PRIMARY KEY (document, number)
) WITHOUT ROWID;
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    start INTEGER NOT NULL,
    stop INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    paragraphs TEXT NOT NULL,
    text_hash BLOB NOT NULL,
    vector BLOB NOT NULL,
    checksum BLOB NOT NULL
);
CREATE INDEX chunks_by_document ON chunks (document);
CREATE INDEX chunks_by_text ON chunks (text_hash);
CREATE TABLE lives (
    document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    born INTEGER NOT NULL,
    died INTEGER,
    PRIMARY KEY (document, born)
) WITHOUT ROWID;
CREATE TABLE generations (
    number INTEGER PRIMARY KEY,
    made_at TEXT NOT NULL,
    documents INTEGER NOT NULL,
    chunks INTEGER NOT NULL,
    added INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    is_kept INTEGER NOT NULL
);
CREATE TABLE tags (
    name TEXT PRIMARY KEY,
    generation INTEGER NOT NULL REFERENCES generations
) WITHOUT ROWID;
{KEYWORDS_TABLE}
"""
