"""How the network's own tests run."""

from __future__ import annotations

import torch

# The pictures here are small: threads that wait for one another cost more than they bring, most of all where
# other work runs beside the tests.
torch.set_num_threads(1)
