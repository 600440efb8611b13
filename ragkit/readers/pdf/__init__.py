"""PDF files: `glyphs` has the library read them, `layout` and `flow` find the order, `document` is the way in."""
