"""What the agent's machines did during a run, asked from Prometheus once the calls are over."""
