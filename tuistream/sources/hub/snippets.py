"""What to paste into a shell so that something is sent to a listener that is up."""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from tuistream.sources.hub.intake import Address, Way

Tool = Literal["curl", "Python", "JavaScript", "netcat"]

PLACEHOLDER: Final = "PASSWORD"  # stands for the password, which is not shown
# The ways that each tool can take, the plainest first.
_WAYS: Final[dict[Tool, tuple[Way, ...]]] = {
    "curl": ("http",),
    "Python": ("tcp", "http", "frames"),
    "JavaScript": ("http", "ws"),
    "netcat": ("tcp",),
}


@dataclass(frozen=True, slots=True)
class Snippet:
    """A line for a POSIX shell. Over TLS it takes any certificate, as it cannot know whom the user trusts."""

    tool: Tool
    way: Way
    text: str


def snippets(addresses: Iterable[Address]) -> list[Snippet]:
    """One for each tool and listener that go together, by the tool."""
    by_way = {address.way: address for address in reversed([*addresses])}
    return [
        Snippet(tool, way, _text(tool, by_way[way])) for tool, ways in _WAYS.items() for way in ways if way in by_way
    ]


def one_each(addresses: Iterable[Address]) -> list[Snippet]:
    """The plainest for each tool."""
    found: dict[Tool, Snippet] = {}
    for each in snippets(addresses):
        found.setdefault(each.tool, each)
    return [*found.values()]


def _text(tool: Tool, to: Address) -> str:
    make = {
        ("curl", "http"): _curl,
        ("Python", "tcp"): _python_tcp,
        ("Python", "http"): _python_http,
        ("Python", "frames"): _python_frames,
        ("JavaScript", "http"): _javascript_http,
        ("JavaScript", "ws"): _javascript_ws,
        ("netcat", "tcp"): _netcat,
    }[tool, to.way]
    return make(to, _reachable(to.host))


def _curl(to: Address, host: str) -> str:
    insecure = "-k " if to.tls else ""
    return f"curl {insecure}-d '{_message('curl', to)}' {_url(to, host)}"


def _python_tcp(to: Address, host: str) -> str:
    return _python(f"import json, socket; {_socket(to, host)}.sendall(json.dumps({_message('python', to)}).encode())")


def _python_frames(to: Address, host: str) -> str:
    return _python(
        f"import json, pickle, socket, struct; d = pickle.dumps(json.dumps({_message('frames', to)})); "
        f'{_socket(to, host)}.sendall(struct.pack(">I", len(d)) + d)'
    )


def _python_http(to: Address, host: str) -> str:
    trust = "import ssl; " if to.tls else ""
    context = ", context=ssl._create_unverified_context()" if to.tls else ""
    body = f"json.dumps({_message('python', to)}).encode()"
    request = f'r.urlopen("{_url(to, host)}", {body}{context})'
    return _python(f"import json, urllib.request as r; {trust}print({request}.read().decode())")


def _javascript_http(to: Address, host: str) -> str:
    return _node(
        to, f'fetch("{_url(to, host)}", {{method: "POST", body: JSON.stringify({_message("javascript", to)})}})'
    )


def _javascript_ws(to: Address, host: str) -> str:
    message = _message("javascript", to)
    send = f"s.onopen = () => {{ s.send(JSON.stringify({message})); s.close() }}"
    return _node(to, f'const s = new WebSocket("{_url(to, host)}"); {send}')


def _netcat(to: Address, host: str) -> str:
    message = f"echo '{_message('netcat', to)}'"
    if to.tls:
        return f"{message} | openssl s_client -quiet -no_ign_eof -connect {_place(to, host)}"
    return f"{message} | nc -w 1 {host} {to.port}"  # of its many kinds not every one ends with its input, without -w


def _python(program: str) -> str:
    return f"python3 -c '{program}'"


def _node(to: Address, program: str) -> str:
    insecure = "NODE_TLS_REJECT_UNAUTHORIZED=0 " if to.tls else ""
    return f"{insecure}node -e '{program}'"


def _socket(to: Address, host: str) -> str:
    plain = f'socket.create_connection(("{host}", {to.port}))'
    return f'__import__("ssl")._create_unverified_context().wrap_socket({plain})' if to.tls else plain


def _message(name: str, to: Address) -> str:
    """As JSON, which is a literal of Python and of JavaScript, too."""
    fields: dict[str, str | int] = {"id": name, "value": 42}
    return json.dumps(fields | {"api_crypt": PLACEHOLDER} if to.password else fields)


def _url(to: Address, host: str) -> str:
    return f"{to.way}{'s' if to.tls else ''}://{_place(to, host)}"


def _place(to: Address, host: str) -> str:
    return f"[{host}]:{to.port}" if ":" in host else f"{host}:{to.port}"


def _reachable(host: str) -> str:
    """An address by which a listener at `host` is reached, from elsewhere if it is at all of this machine's."""
    try:
        ip = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:  # a name
        return host
    if not ip.is_unspecified:
        return host
    family, anywhere = (socket.AF_INET, "192.0.2.1") if ip.version == 4 else (socket.AF_INET6, "2001:db8::1")
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect((anywhere, 9))  # sends nothing: it only chooses the address that would be sent from
        except OSError:
            return "127.0.0.1" if ip.version == 4 else "::1"
        return str(asking.getsockname()[0])
