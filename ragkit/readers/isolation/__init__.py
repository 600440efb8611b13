"""Reading in another process: `reader` is what the parent uses, `worker` runs in the child, `wire` is what they say."""
