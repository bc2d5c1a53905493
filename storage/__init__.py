"""Everything that Baton stores: tables, sessions, one module an aggregate, the trail. Rules live in agreements/."""
