"""A result as people and programs read it: tables, Markdown, one HTML page, JUnit XML."""
