"""Every proxied call: decided exactly, counted exactly once. Knows no Django outside `proxy/`."""
