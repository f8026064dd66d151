"""Load on a single target, where taking turns would change the answer: one module for each study."""
