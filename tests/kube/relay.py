"""A relay between a client and a server that can fail as networks do.

Addresses are ("127.0.0.1", port) or the path of a unix socket. Faults: `silent` (what it receives goes nowhere, connections stay open),
`cut` (all connections are reset), `refuse` (new ones are closed at once).
"""
import os
import selectors
import socket
import struct
import threading


class Relay:
    def __init__(self, target, listen=("127.0.0.1", 0)):
        self.target = target
        self.silent = False
        self.refuse = False
        self.pairs = []  # (client, server)
        self.dead = []  # silenced for good: neither end is ever told
        self.accepted = 0
        self.lock = threading.Lock()
        unix = isinstance(listen, str)
        self.listener = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
        if unix and os.path.exists(listen):
            os.unlink(listen)
        self.listener.bind(listen)
        self.listener.listen(64)
        self.address = self.listener.getsockname()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            self.accepted += 1
            if self.refuse:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX if isinstance(self.target, str) else socket.AF_INET)
            try:
                server.connect(self.target)
            except OSError:
                client.close()
                continue
            pair = (client, server)
            with self.lock:
                self.pairs.append(pair)
            threading.Thread(target=self.pump, args=(pair,), daemon=True).start()

    def pump(self, pair):
        with selectors.DefaultSelector() as sel:
            sel.register(pair[0], selectors.EVENT_READ, pair[1])
            sel.register(pair[1], selectors.EVENT_READ, pair[0])
            try:
                while True:
                    for key, _ in sel.select():
                        data = key.fileobj.recv(65536)
                        if not data:
                            raise OSError
                        if pair not in self.dead:
                            key.data.sendall(data)
            except OSError:
                pass
        with self.lock:
            if pair in self.pairs:
                self.pairs.remove(pair)
        for s in pair:
            s.close()

    def silence(self):
        """The connections there are fall silent, and stay so; new ones work."""
        with self.lock:
            self.dead += self.pairs

    def cut(self):
        """All connections are reset."""
        with self.lock:
            pairs = list(self.pairs)
        for client, server in pairs:
            for s in (client, server):
                try:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
