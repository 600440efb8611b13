"""A suite asked once more with changes that keep the meaning."""
