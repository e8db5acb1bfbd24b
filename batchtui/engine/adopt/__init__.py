"""Submissions that were made elsewhere: taken over, followed, or found where nobody expected them."""
