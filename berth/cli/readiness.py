"""Whether a plane is ready, asked as anybody may: `GET /readyz`."""

import http.client
import json

ASK_TIMEOUT_SECONDS = 10.0


def problem_at(url: str) -> str | None:
    """What keeps the plane at `url` from being ready, for people; None when nothing does."""
    # No urllib here: a proxy in the environment is not for this.
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=ASK_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        content = answer.read(10_000)
        return None if answer.status == 200 else _finding(content)
    except OSError as error:
        return f"it does not answer at {url}: {error.strerror or error}"
    except http.client.HTTPException as error:
        return f"what answers at {url} is not Berth: {type(error).__name__}"
    finally:
        connection.close()


def _finding(content: bytes) -> str:
    try:
        finding = json.loads(content)
        return ", ".join(f"{thing}: {state}" for thing, state in finding.items() if state != "ok" and thing != "status")
    except (ValueError, AttributeError):
        return "it answers, but not as Berth does"
