"""The story: order and waiting only. What happens in a step is in tasks/, what decides it in agreements/."""
