"""JSON as files have it: strict values, schemas, digests, records with names."""
