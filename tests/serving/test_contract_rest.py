"""TensorFlow Serving's REST contract, case by case; each names where it is from."""

import contextlib
import gzip
import http.client
import json
import re
from urllib.parse import urlsplit

import pytest
from serving.contract_cases import REST
from serving.local_server import running

from zsltf.serving.server import ServerOptions

FLAGS = {
    None: ServerOptions(rest_port=0, grpc_port=None, labels_in_advance=True, metrics=False),
    "--rest_api_enable_cors_support=true": ServerOptions(
        rest_port=0, grpc_port=None, labels_in_advance=True, metrics=False, cors=True
    ),
    "--monitoring_config_file (enable)": ServerOptions(rest_port=0, grpc_port=None, labels_in_advance=True),
}
NOT_OURS = {"--enable_signature_method_name_check=true": "the binary leaves this check out by default, and so do we"}


@pytest.fixture(scope="module")
def addresses(contract_config):
    """Flag -> URL of a server with it; each is started when it is needed."""
    with contextlib.ExitStack() as stack:
        started = {}

        def address(flag):
            if flag not in started:
                started[flag] = stack.enter_context(running(contract_config, FLAGS[flag])).rest
            return started[flag]

        yield address


def ask(url, method, path, body=None, headers=None):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=120)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_there_are_enough_cases_with_their_sources():
    assert len(REST) >= 60
    assert all("tensorflow" in case["source"] for case in REST)


@pytest.mark.parametrize("case", REST, ids=lambda case: case["name"])
def test_case(case, addresses):
    if case.get("needs") in NOT_OURS:
        pytest.skip(NOT_OURS[case["needs"]])
    body = None if case["body"] is None else case["body"].encode()
    if case.get("gzip"):
        body = gzip.compress(body)
    path = case["path"].replace("{model}", case["model"])
    status, headers, content = ask(addresses(case.get("needs")), case["method"], path, body, case.get("headers"))
    assert status == case["status"], content
    for name, value in case.get("answer_headers", {}).items():
        assert headers[name].partition(";")[0] == value
    check_content(case, content)


def check_content(case, content):
    if case.get("not_json"):
        return
    if case.get("empty_body"):
        assert content == b""
    elif "tokens" in case:
        assert re.findall(r"-?Infinity|NaN|-?\d[\d.e+-]*", content.decode().partition(":")[2]) == case["tokens"]
    elif "answer" in case:
        assert json.loads(content) == case["answer"]
    elif "error" in case:
        assert json.loads(content) == {"error": case["error"]}
    else:
        assert case["error_contains"] in json.loads(content)["error"]
