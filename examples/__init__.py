"""What a user would write, and a demo that runs it everywhere."""
