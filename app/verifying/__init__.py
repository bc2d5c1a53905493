"""What `baton verify` checks: leads against what came in, runs in Prefect, the trail, and the CRM. It changes nothing."""
