"""Broken files are given to the readers: which of them does harm? The command is `python -m evals.fuzz`.

`samples` makes small files of every format, `mutating` breaks them, `trying` gives them to a reader and says what is
wrong with what it does. `child` goes on with that in a process of its own, `probing` makes what it finds small.
"""
