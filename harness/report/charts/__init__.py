"""Charts: Vega-Lite specifications, rendered to SVG whose colours are CSS variables."""
