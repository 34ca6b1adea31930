"""The embedded default generator: rules over a French clinical lexicon, with no model and no network."""
