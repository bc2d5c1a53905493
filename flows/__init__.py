"""The flows: order and waiting only. tasks/ holds the work of each step, agreements/ the rules that decide."""
