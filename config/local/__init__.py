"""The embedded stores: real PostgreSQL and Valkey from wheels, under one home folder."""
