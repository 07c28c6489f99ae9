"""What people see. Views per noun; `marketplace.access` says who may open which."""
