"""AWS's protocols, driven by the service models of the installed botocore."""
