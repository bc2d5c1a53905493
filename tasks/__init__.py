"""What is done for a lead: the steps of its flow, replies, messages, and what the clock does beside the runs."""
