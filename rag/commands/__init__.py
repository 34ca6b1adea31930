"""The commands of `cohort-rag`, a file per subject: each declares its arguments and runs."""
