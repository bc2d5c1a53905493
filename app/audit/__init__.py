"""Audits the export of an existing CRM: how marketing and sales treat their leads before Baton. Sends nothing and stores nothing."""
