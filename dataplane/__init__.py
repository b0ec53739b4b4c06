"""The OCI-facing process: `/v2/`, the bytes."""
