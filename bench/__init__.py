"""Measurements. Figures hold for one machine and one run; ratios within a run are what can be compared."""
