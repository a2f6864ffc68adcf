#!/usr/bin/env python3
"""A private AWS: moto's IAM, STS, SQS and S3, with signatures and policies checked.

    tests/peers/aws.py [--stdin]

Prints one JSON line when it answers: its address, a queue and a bucket, the access key of a user that may use both, the key of a
principal that may do nothing but assume a role, the role, and the external id that the role's trust policy demands. It stays in the
foreground until SIGTERM or, with --stdin, until its standard input closes. POST {control}/trust changes the external id in the
trust policy, or all of it, POST {control}/end deletes the user's key.

Needs the packages of tests/peers/requirements.txt.
"""

import json
import os
import signal
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")

import boto3
from moto.server import ThreadedMotoServer

REGION = "us-east-1"
ROLE = "customer"


def trust(external_id, principal):
    """The policy that our form shows: this principal, with this external id, and nobody else."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def policy(action):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})


def user(iam, name, action):
    """A user with an access key of their own, and its ARN."""
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    iam.put_user_policy(UserName=name, PolicyName="allowed", PolicyDocument=policy(action))
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return arn, {"access_key_id": made["AccessKeyId"], "secret_access_key": made["SecretAccessKey"]}


def main():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"

    def client(service, key):
        return boto3.client(
            service, endpoint_url=url, region_name=REGION, aws_access_key_id=key["access_key_id"], aws_secret_access_key=key["secret_access_key"]
        )

    # Nothing is checked until everything is there.
    nobody = {"access_key_id": "AKIAUNCHECKED", "secret_access_key": "unchecked"}
    iam = client("iam", nobody)
    _, admin = user(iam, "administrator", "*")
    _, key = user(iam, "worker", ["sqs:*", "s3:*"])
    principal_arn, principal = user(iam, "patchbay", "sts:AssumeRole")
    external_id = "external-id-of-the-customer"
    role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust(external_id, principal_arn))["Role"]["Arn"]
    iam.put_role_policy(RoleName=ROLE, PolicyName="allowed", PolicyDocument=policy(["sqs:*"]))
    queue = client("sqs", nobody).create_queue(QueueName="events")["QueueUrl"]
    client("s3", nobody).create_bucket(Bucket="patchbay-files")
    on = urllib.request.Request(f"{url}/moto-api/reset-auth", data=b"0", headers={"content-type": "text/plain"}, method="POST")
    urllib.request.urlopen(on).close()
    iam = client("iam", admin)

    class Control(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
            if self.path == "/trust":
                document = asked.get("policy") or trust(asked["external_id"], principal_arn)
                iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=document)
            elif self.path == "/end":
                iam.delete_access_key(UserName="worker", AccessKeyId=key["access_key_id"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    control = ThreadingHTTPServer(("127.0.0.1", 0), Control)
    threading.Thread(target=control.serve_forever, daemon=True).start()
    facts = {
        "url": url,
        "control": f"http://127.0.0.1:{control.server_port}",
        "region": REGION,
        "queue": queue,
        "bucket": "patchbay-files",
        "key": key,
        "principal": principal,
        "role": role,
        "external_id": external_id,
    }
    print(json.dumps(facts), flush=True)
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    signal.signal(signal.SIGINT, lambda *_: told.set())
    if "--stdin" in sys.argv:
        def until_closed():
            while sys.stdin.buffer.read(4096):
                pass
            told.set()
        threading.Thread(target=until_closed, daemon=True).start()
    told.wait()


if __name__ == "__main__":
    main()
