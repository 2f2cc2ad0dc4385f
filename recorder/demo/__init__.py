"""The demo: recorder shown at work without a key or a network."""
