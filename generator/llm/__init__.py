"""The generator that asks a language model, and believes it only as far as its quotes go."""
