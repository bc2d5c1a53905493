"""What remembers: tables, sessions, one module an aggregate, the trail. Rules live in agreements/."""
