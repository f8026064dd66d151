"""Load on one target alone, where taking turns would change the answer: one module for each study."""
