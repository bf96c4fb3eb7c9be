"""Look at a shot without rendering it: sizes, cuts, cost, and what to know first."""
