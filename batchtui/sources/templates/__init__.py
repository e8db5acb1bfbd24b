"""Any JSON whose strings may hold `{{ column }}`, rendered over rows."""
