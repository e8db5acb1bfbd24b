"""What happens next: plan, submit, poll, collect, retry, cancel, recover."""
