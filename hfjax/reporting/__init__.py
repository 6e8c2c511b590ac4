"""All that is found of a workspace, as one page."""
