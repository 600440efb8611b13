"""Office files: one module for each format that is read, and what they share, of which `packages` opens the files."""
