"""The version of a file names its content, and nothing but a whole file is read back."""

from __future__ import annotations

import json

import pytest

from loopwright import routing
from loopwright.routing import Cluster, Endpoint, Share, Table


def table(timeout: float = 5.0, **more: object) -> Table:
    endpoints = (
        Endpoint("dev", "titanic", (Share("a"),), timeout, **more),  # type: ignore[arg-type]
        Endpoint("prod", "titanic", (Share("b"),), 5.0),
    )
    return Table(endpoints, (Cluster("a"), Cluster("b")))


def test_the_version_follows_the_content() -> None:
    versions = {
        routing.version_of(routing.render_routes(one))
        for one in (table(), table(), table(6.0), table(keys={"alice": "k"}), table(idempotent=False))
    }
    assert len(versions) == 4


def test_the_order_of_what_is_wanted_changes_nothing() -> None:
    turned = Table(table().endpoints[::-1], table().clusters[::-1])
    assert routing.render_routes(turned) == routing.render_routes(table())
    assert routing.render_clusters(turned.clusters, "/c") == routing.render_clusters(table().clusters, "/c")


def test_a_file_is_read_back_as_it_was_written() -> None:
    resource = routing.render_routes(table())
    assert routing.decode(routing.encode(resource)) == resource


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"version_info": "1", "resources": {}}', b"\xff\xfe"]
)
def test_what_is_no_whole_file_is_not_read(content: bytes) -> None:
    assert routing.decode(content) is None


def test_keys_are_not_in_what_is_printed_of_an_endpoint() -> None:
    assert "s3cret" not in repr(table(keys={"alice": "s3cret"}))


def test_a_bootstrap_lets_only_its_owner_at_the_admin() -> None:
    bootstrap = routing.render_bootstrap("gateway-0", "/run/g.sock", "/config")
    assert bootstrap["admin"]["address"]["pipe"] == {"path": "/run/g.sock", "mode": 0o600}
    assert bootstrap["dynamic_resources"]["cds_config"]["path_config_source"]["path"] == "/config/cds.json"


def test_a_changed_table_leaves_the_listener_alone() -> None:
    listener = routing.render_listener("127.0.0.1", 8080, "/config", "/access.jsonl")
    assert "titanic" not in json.dumps(listener)
    assert listener["resources"][0]["enable_reuse_port"] is True
