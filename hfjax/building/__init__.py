"""From documents to arrays: the model of a workspace, the batch of a patchset."""
