"""OpenAPI documents: read, checked and compiled to operations. Pure: nothing is fetched, nothing is stored.

parse (text → JSON, bounded) → check (the specification's own schema) → refs, schemas → operations, examples
"""
