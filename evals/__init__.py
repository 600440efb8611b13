"""Gold questions, suite settings, results, and the measurements that constants were chosen by."""
