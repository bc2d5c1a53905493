"""The steps of a lead, one file each. A step loads, asks a rule, saves, and returns the work as it then stands."""
