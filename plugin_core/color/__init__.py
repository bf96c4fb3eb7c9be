"""Between plate values and the network's range: color spaces, exposure and their exact way back."""
