"""The data plane as a process: `python -m dataplane`."""

from dataplane.app import make_app
from listener import serve

if __name__ == "__main__":
    serve("dataplane", "registry_listen", make_app)
