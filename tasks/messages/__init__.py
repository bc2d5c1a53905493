"""What is told to whom, and how it goes out: the context of a message, its queue, and the morning digest."""
