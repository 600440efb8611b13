"""The index on disk: what it holds (`store`), how it is searched (`vectors`, `keywords`) and how it changes (`writer`).

Everything outside goes through two classes: `ragkit.index.index.Index` to read, `ragkit.index.writer.IndexWriter` to
write. `folder` knows the files of an index folder, `files` which files an argument of `ragkit index` means.
"""
