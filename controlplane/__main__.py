"""`python -m controlplane`: the API, at BERTH_API_LISTEN."""

from controlplane.app import make_app
from listener import serve

if __name__ == "__main__":
    serve("controlplane", "api_listen", make_app)
