"""The HTTP service of the embedded stack: section 2 of the contract, for the reference agents."""
