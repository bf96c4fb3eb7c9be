"""Many shots on this machine: a list is read, checked, spread over workers and summed up."""
