"""Jobs for render farms: a list of shots written out in each engine's own form."""
