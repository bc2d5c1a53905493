"""The steps of a lead, one file each. A step loads rows, asks a rule and changes rows in the transaction of its work."""
