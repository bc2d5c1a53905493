"""What is done with each kind of change that people make in the CRM. background/read_crm.py reads the changes."""
