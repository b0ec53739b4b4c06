"""PostgreSQL: how it is reached and asked, and how its tables come to be what `berth/schema` says."""
