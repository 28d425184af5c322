"""What was followed over days: where lesions came, when, and how long signal lasts."""
