"""What a run says of the claims that are made about frameworks and servers: rules from its results to verdicts."""
