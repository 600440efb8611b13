"""The neural models behind three small protocols: Embedder, Generator, Reranker."""
