"""Callers that AWS itself has verified: believed where the event states them, never because a client says so."""

from __future__ import annotations

import json

import pytest

from multicloud import ApiKeyAuthorizer, IamAuthorizer
from multicloud.deploy.entry import compile_application
from multicloud.model import define
from multicloud.runtime.recorder import Api
from multicloud_aws.runtime import create_handler

ARN = "arn:aws:sts::123456789012:assumed-role/caller/session"
IAM = {"userArn": ARN, "accountId": "123456789012", "callerId": "AROAEXAMPLE:session"}
FORGED = {
    "authorization": "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20240229/eu-west-1/execute-api/aws4_request, Signature=0",
    "x-amz-date": "20240229T000000Z",
    "x-amzn-iam-user-arn": ARN,
}


def who(request):
    return {"subject": request.identity.subject, "account": request.identity.claims.get("accountId")}


@pytest.fixture
def handler(monkeypatch):
    monkeypatch.setenv("MULTICLOUD_SECRET_PARTNER_KEY", "a-key")
    api = Api("inner", authorizer=IamAuthorizer())
    api.get("/who")(who)
    api.get("/either", authorizer=[IamAuthorizer(), ApiKeyAuthorizer(keys={"partner": "partner-key"})])(who)
    definition = define(api)
    config, objects = compile_application(definition, definition.functions, provider="aws", stage="", development=False)
    return create_handler(config, objects)


def http_api(authorizer=None, path="/who", headers=None, domain="a1b2.execute-api.eu-west-1.amazonaws.com"):
    context = {"http": {"method": "GET", "sourceIp": "192.0.2.1"}, "stage": "$default", "domainName": domain}
    if authorizer is not None:
        context["authorizer"] = authorizer
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers or {},
        "requestContext": context,
    }


def rest_api(identity, authorizer=None):
    context = {"identity": {"sourceIp": "192.0.2.1", **identity}, "stage": "$default"}
    if authorizer is not None:
        context["authorizer"] = authorizer
    return {"httpMethod": "GET", "path": "/who", "multiValueHeaders": {}, "requestContext": context}


@pytest.mark.parametrize(
    "event",
    [http_api({"iam": IAM}), http_api({"iam": IAM}, domain="abc.lambda-url.eu-west-1.on.aws"), rest_api(IAM)],
    ids=["http api", "function url", "rest api"],
)
def test_a_caller_whom_iam_let_in_is_the_identity(event, handler):
    answer = handler(event, None)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"subject": ARN, "account": "123456789012"}


@pytest.mark.parametrize(
    "event",
    [
        http_api(),
        http_api({}),
        http_api({"iam": None}),
        http_api({"iam": "arn"}),
        http_api({"lambda": {"userArn": ARN}}),
        http_api({"jwt": {"claims": {"sub": "ada"}, "scopes": []}}),
        http_api(headers=FORGED),
        rest_api({}),
        rest_api({"userArn": None}),
        rest_api({"apiKey": "key"}),
        rest_api({}, {"claims": {"sub": "ada"}}),
        rest_api({}, {"principalId": ARN}),
    ],
    ids=str,
)
def test_whoever_comes_otherwise_is_401(event, handler):
    answer = handler(event, None)
    assert answer["statusCode"] == 401
    headers = answer.get("headers") or {name: one[0] for name, one in answer["multiValueHeaders"].items()}
    assert headers["www-authenticate"] == 'AWS4-HMAC-SHA256 realm="inner"'


def test_it_may_be_one_of_several_ways(handler):
    assert handler(http_api({"iam": IAM}, "/either"), None)["statusCode"] == 200
    assert handler(http_api(None, "/either", {"x-api-key": "a-key"}), None)["statusCode"] == 200
    assert handler(http_api(None, "/either", FORGED), None)["statusCode"] == 401
