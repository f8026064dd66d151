"""Apps that differ from those of the contract in one thing that a study is about."""
