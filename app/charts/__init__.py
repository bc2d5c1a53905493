"""Charts for pages: values in, one figure of HTML out."""
