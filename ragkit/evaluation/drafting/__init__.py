"""Gold questions from a user's own documents, proposed and reviewed."""
