"""What the clock does beside the handoffs' own runs: personal messages, revisits, the CRM, bounces, new versions."""
