"""A suite asked: answers kept and taken up again, and a look back at what lost the wrong ones."""
