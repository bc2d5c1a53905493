"""The steps: one file each, named by its verb. A step loads, asks a rule, saves, and returns the turn as it then stands."""
