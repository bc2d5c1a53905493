"""The channels, one file each: e-mail, chat, Slack, text messages, the CRM, webhooks."""
