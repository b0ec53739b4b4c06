"""What proves who calls: access keys, registry passwords, and the key ring that seals what Berth hands out."""
