"""Judge fills of real clips beside the baselines that anyone can run."""
