"""Working time: calendars, opening hours, holidays, and how much of an interval is open."""
