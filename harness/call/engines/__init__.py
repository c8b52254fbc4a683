"""The engines that carry a call's media; all look alike to the call (see `line`)."""
