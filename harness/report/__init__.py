"""What people and CI read: the run directory, the console, HTML, JUnit, CSV."""
