"""What a run leaves in its directory: the models of its files, each with the version of its format."""
