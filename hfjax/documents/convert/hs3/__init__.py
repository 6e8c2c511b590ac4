"""HS3 documents: the `histfactory_dist` part of the standard, read and written."""
