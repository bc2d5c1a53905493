"""The work on a lead: the steps of its flow, replies, messages, and the clock's work outside of the runs."""
