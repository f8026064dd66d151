"""Charts: Altair specifications, rendered to SVG whose colours are CSS variables."""
