"""The network as the core sees it: its contract, its bundles, and the sessions that run them."""
