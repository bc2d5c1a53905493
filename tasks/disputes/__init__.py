"""Disputes: marketing objects to a rejection, the rep's manager rules, and a lead may go back to sales."""
