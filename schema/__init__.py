"""Value types that every package shares. Standard library and pydantic only; imports nothing of the project."""
