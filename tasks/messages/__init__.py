"""Messages: their content, the queue that sends them, and the morning digest."""
