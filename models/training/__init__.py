"""Train the network on made shots."""
