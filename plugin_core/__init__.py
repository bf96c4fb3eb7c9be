"""Cleanplate's core: knows plates, mattes, frames and one recurrent network; knows no host."""
