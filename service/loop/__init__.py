"""What the service learns from people: refusals, routing proposals, samples, drift, indicators."""
