"""The page of the local CRM, for trials: a person looks at a lead there and edits its owner and status."""
