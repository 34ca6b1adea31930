"""REDCap: the data dictionary in, the table out, and the values between them.

Main path: `dictionary.read_dictionary` -> `values.validate` -> `export.TableWriter`.
"""
