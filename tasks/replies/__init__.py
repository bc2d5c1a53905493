"""Answers by link: the page behind a link, who uses the browser, and what an answer needs."""
