"""Who may do what: trust in folders, and the policy that stands before every tool."""
