"""Other formats: HistFactory XML with ROOT histograms, and HS3."""
