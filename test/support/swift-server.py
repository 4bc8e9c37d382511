"""OpenStack Swift in one process, as an S3 server for tests: it checks signatures, as its s3api does everywhere.

Usage: swift-server.py FOLDER PORT ACCESS_KEY SECRET. Prints "ready" when it answers. Debian: python3-swift. Objects are files below FOLDER, so
that a killed and restarted server has them still.
"""
import eventlet
eventlet.monkey_patch()
import array
import os
import sys

folder, port, access_key, secret = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
account, user = access_key.split(':')
devices = os.path.join(folder, 'devices')
first = not os.path.isdir(devices)
os.makedirs(os.path.join(devices, 'sda1'), exist_ok=True)

import logging.handlers
import pickle
import xattr
from errno import ENODATA


# What goes to the system's log elsewhere.
logging.handlers.SysLogHandler.emit = lambda self, record: print(self.format(record), file=sys.stderr, flush=True)

METADATA_KEY = b'user.swift.metadata'


# Attributes of files beside them, as not every file system of a test machine has such.
def beside(file):
    stat = os.stat(file if isinstance(file, (str, bytes, int)) else file.fileno())
    return os.path.join(folder, 'attributes', '%x' % stat.st_ino)


def getxattr(fd, key, *_args, **_kwargs):
    try:
        with open(beside(fd), 'rb') as kept:
            return pickle.load(kept)[key]
    except (OSError, KeyError):
        raise IOError(ENODATA, 'ENODATA')


def setxattr(fd, key, value, *_args, **_kwargs):
    path = beside(fd)
    kept = {}
    # The first attribute of a file: others are of one that is gone.
    if os.path.exists(path) and key != METADATA_KEY:
        with open(path, 'rb') as file:
            kept = pickle.load(file)
    kept[key] = value
    with open(path, 'wb') as file:
        pickle.dump(kept, file)


os.makedirs(os.path.join(folder, 'attributes'), exist_ok=True)
xattr.getxattr = getxattr
xattr.setxattr = setxattr

from swift.common import storage_policy, utils
utils.HASH_PATH_SUFFIX = b'anteroom'
utils.HASH_PATH_PREFIX = b''
utils.validate_hash_conf = lambda: None
import swift.common.ring.ring as ring
from swift.common.ring import RingData
ring.validate_configuration = lambda: None

sockets = {name: eventlet.listen(('127.0.0.1', 0)) for name in ('account', 'container', 'object')}
for name, socket in sockets.items():
    device = {'id': 0, 'zone': 0, 'region': 1, 'device': 'sda1', 'ip': '127.0.0.1', 'port': socket.getsockname()[1], 'weight': 1}
    device.update(replication_ip=device['ip'], replication_port=device['port'])
    RingData([array.array('H', [0])], [device], 32).save(os.path.join(folder, name + '.ring.gz'))
storage_policy._POLICIES = storage_policy.StoragePolicyCollection([storage_policy.StoragePolicy(0, 'only', is_default=True)])

conf = {
    'swift_dir': folder, 'devices': devices, 'mount_check': 'false', 'account_autocreate': 'true', 'allow_account_management': 'true',
    'log_level': 'ERROR', 'fallocate_reserve': '0', 'disable_fallocate': 'true', 'bind_ip': '127.0.0.1',
}


# What a pipeline shares: without memcached, in this process.
class Memory(dict):
    def __bool__(self):
        return True

    def get(self, key, *_args, **_kwargs):
        return dict.get(self, key)

    def set(self, key, value, *_args, **_kwargs):
        self[key] = value

    def delete(self, key, *_args, **_kwargs):
        self.pop(key, None)

    def incr(self, key, delta=1, *_args, **_kwargs):
        self[key] = self.get(key) or 0
        self[key] += delta
        return self[key]


def with_memory(app, memory=Memory()):
    def serve(env, start_response):
        env['swift.cache'] = memory
        return app(env, start_response)
    return serve


from swift.account import server as account_server
from swift.common.wsgi import loadapp
from swift.container import server as container_server
from swift.obj import server as object_server

apps = {
    'account': account_server.app_factory(conf),
    'container': container_server.app_factory(conf),
    'object': object_server.app_factory(conf),
}
pipeline = {
    'catch_errors': {}, 'gatekeeper': {}, 'listing_formats': {}, 's3api': {'location': 'us-east-1', 's3_acl': 'false'},
    'tempauth': {'user_%s_%s' % (account, user): secret + ' .admin'}, 'bulk': {}, 'copy': {}, 'slo': {},
}
with open(os.path.join(folder, 'proxy.conf'), 'w') as file:
    file.write('[DEFAULT]\nswift_dir = %s\nlog_level = ERROR\n[pipeline:main]\npipeline = %s proxy-server\n' % (folder, ' '.join(pipeline)))
    file.write('[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\nallow_account_management = true\n')
    for name, own in pipeline.items():
        file.write('[filter:%s]\nuse = egg:swift#%s\n' % (name, name) + ''.join('%s = %s\n' % item for item in own.items()))
proxy = loadapp(os.path.join(folder, 'proxy.conf'))

from eventlet import wsgi
for name, app in apps.items():
    eventlet.spawn(wsgi.server, sockets[name], app, open(os.devnull, 'w'), debug=False)
front = eventlet.listen(('127.0.0.1', port))
eventlet.spawn(wsgi.server, front, with_memory(proxy), open(os.devnull, 'w'), debug=False)
print('ready', flush=True)
while True:
    eventlet.sleep(3600)
