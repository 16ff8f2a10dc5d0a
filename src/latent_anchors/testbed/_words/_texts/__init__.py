"""Lines of text with their topics: definitions, manual pages, and made-up ones."""
