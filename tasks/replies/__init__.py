"""How people answer by a link: what the link shows, who sits before the browser, and what an answer needs."""
