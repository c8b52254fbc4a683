"""The code of a load that runs inside the processes of Locust."""
