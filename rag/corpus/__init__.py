"""From the hospital's files to documents that can be read: reading, cleaning, sections, sentences and dates."""
