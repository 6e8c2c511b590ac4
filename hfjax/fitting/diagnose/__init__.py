"""What a fit has found: bounds, edges, valleys, flat directions, and why it failed."""
