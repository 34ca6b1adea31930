"""Model merging. Its first part comes with the language-model generator."""
