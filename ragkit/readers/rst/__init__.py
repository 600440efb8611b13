"""reStructuredText: `parser` has docutils read it without what is global in docutils, `document` is the way in."""
