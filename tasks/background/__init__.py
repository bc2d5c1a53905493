"""The clock's work outside of the handoffs' runs: personal messages, revisits, the CRM, bounces, new versions."""
