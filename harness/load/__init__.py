"""Loads: many calls on Locust, from the plan and its processes to the reports."""
