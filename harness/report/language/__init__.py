"""What the report says, one TOML file per language: headings, prose and the patterns of every generated sentence.

``en.toml`` is the reference. A key that another language lacks is shown in English.
"""
