"""Where the bytes are kept: by digest, once for each registry."""
