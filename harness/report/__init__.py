"""Reports for people and CI: the console, HTML, JUnit, CSV."""
