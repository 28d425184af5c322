"""A person's corrections: their rules, what they speak of, and the tasks that follow from them."""
