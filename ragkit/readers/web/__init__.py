"""Web pages and books made of them: `html` and `epub` read, `boilerplate` says what of a page is not its text."""
