"""What a marketplace's events tell, whoever has them. Most code needs `questions`; a session has its `EventSource`."""
