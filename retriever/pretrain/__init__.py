"""Makes the small shipped encoder, and trains others further: tokenizer, masked words, then pairs of texts."""
