"""A run's numbers and calls while it goes on: metrics for Prometheus, traces over OTLP, from a process of their own."""
