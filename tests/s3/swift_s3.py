#!/usr/bin/python3
"""A real S3 server for tests: OpenStack Swift with its S3 interface, whole in one process.

usage: swift_s3.py FOLDER PORT ACCOUNT:USER SECRET

ACCOUNT:USER is the access key. It listens at 127.0.0.1:PORT (0 picks one), prints
`listening at http://127.0.0.1:PORT` and serves until it is killed. Objects are below FOLDER, and are there
again when it is started anew with the same FOLDER. Signatures (SigV4), payload hashes and the clock's skew
are checked as by Amazon's. Swift insists on a cache: it is given one that never answers.
Debian package: python3-swift.
"""
import logging
import os
import sys

import eventlet

eventlet.monkey_patch()

from swift.account.server import AccountController  # noqa: E402
from swift.common import utils  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402
from swift.common.wsgi import SwiftHttpProtocol, loadapp  # noqa: E402
from swift.container.server import ContainerController  # noqa: E402
from swift.obj.server import ObjectController  # noqa: E402

PROXY = """
[DEFAULT]
swift_dir = {folder}
[pipeline:main]
pipeline = catch_errors cache s3api tempauth slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:9
error_suppression_limit = 0
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_{user} = {secret} .admin
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
"""


def serve(socket, app):
    quiet = logging.getLogger("wsgi")
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    eventlet.spawn(eventlet.wsgi.server, socket, app, quiet, protocol=SwiftHttpProtocol)


def write_ring(folder, kind, port):
    builder = RingBuilder(4, 1, 0)
    builder.add_dev({"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": port,
                     "device": "disk", "weight": 1.0, "meta": ""})
    builder.rebalance()
    builder.get_ring().save(f"{folder}/{kind}.ring.gz")


def main():
    folder, port, user, secret = os.path.abspath(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
    os.makedirs(f"{folder}/devices/disk", exist_ok=True)
    with open(f"{folder}/swift.conf", "w") as out:
        out.write("[swift-hash]\nswift_hash_path_suffix = test\n[swift-constraints]\n")
    utils.SWIFT_CONF_FILE = f"{folder}/swift.conf"
    utils.HASH_PATH_SUFFIX, utils.HASH_PATH_PREFIX = b"test", b""
    conf = {"devices": f"{folder}/devices", "swift_dir": folder, "mount_check": "false",
            "bind_ip": "127.0.0.1", "log_facility": "LOG_LOCAL0"}
    for kind, controller in (("account", AccountController), ("container", ContainerController),
                             ("object", ObjectController)):
        socket = eventlet.listen(("127.0.0.1", 0))
        write_ring(folder, kind, socket.getsockname()[1])
        its_conf = dict(conf, bind_port=str(socket.getsockname()[1]))
        serve(socket, controller(its_conf, utils.get_logger(conf, kind)))
    with open(f"{folder}/proxy.conf", "w") as out:
        out.write(PROXY.format(folder=folder, user=user.replace(":", "_"), secret=secret))
    socket = eventlet.listen(("127.0.0.1", port))
    serve(socket, loadapp(f"{folder}/proxy.conf", global_conf={"log_name": "proxy"}))
    print(f"listening at http://127.0.0.1:{socket.getsockname()[1]}", flush=True)
    while True:
        eventlet.sleep(3600)


main()
