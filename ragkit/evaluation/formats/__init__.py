"""Datasets that others made, as they stand in their files, to gold questions and documents; a module for each family.

Each has a function that knows its family by the head of a file, and one that loads it. `datasets` asks them in turn.
"""
