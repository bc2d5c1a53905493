"""Calendar feeds: ask a calendar for its content, read it in a process of its own, and keep the absences that it tells."""
