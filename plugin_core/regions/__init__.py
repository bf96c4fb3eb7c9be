"""From matte to hole to the crops that the network works on."""
